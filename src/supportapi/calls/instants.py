"""What a source wrote about time, as instants. Null where it cannot be read, or where no clock of its zone shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.columns import EPOCHS, EXCEL, ISO, ZoneColumn
from supportapi.calls.mapping_problems import needs_zone
from supportapi.calls.record import INSTANT, ISO_FORMATS
from supportapi.calls.text import mended

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary
    from collections.abc import Sequence

    from supportapi.calls.mapping import Mapping

_EXCEL_DAY_ZERO: Final = pl.datetime(1899, 12, 30)
_DAY_MILLISECONDS: Final = 86_400_000
_GAP_HOURS: Final = 3
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_EPOCH_RANGE: Final = (-2_208_988_800, 7_258_118_400)
"""Those years as seconds since 1970."""
_MICROSECONDS: Final = 10**6
_MORE_ISO_CLOCKS: Final = ("%Y%m%dT%H%M%S%.f", "%Y%m%dT%H%M", "%Y%m%d")
_MORE_ISO_OFFSETS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M %#z",
    "%Y%m%dT%H%M%S%.f%#z", "%Y%m%dT%H%M%#z",
)  # fmt: skip
_UTC: Final = {"UTC": "+00:00", "GMT": "+00:00", "Z": "+00:00"}
_HALF_DAY: Final = r"(?i)([ap])\. ?m\.?|([ap]) m\b\.?"
"""`p.m.`, `p. m.`, `p m`: what `%p` does not read."""


def zoned_instants(text: pl.Expr, formats: Sequence[str], *, again: bool = False) -> pl.Expr:
    """What the `formats` that say a zone, tried in order, read: instants in UTC.

    What they cannot read as it is they are tried on `again`, mended (see `mended_time`), and then with more spellings.
    """
    read = [pl.lit(None, dtype=INSTANT)]
    for pattern in formats:
        if pattern in EPOCHS:
            read.append(_epoch(text, EPOCHS[pattern]))
        elif not needs_zone(pattern):
            read.append(_with_offset(text, "%+" if pattern == ISO else pattern))
    more = _MORE_ISO_OFFSETS if again and ISO in formats else ()
    return pl.coalesce(*read, *(_with_offset(text, pattern) for pattern in more))


def clock_times(text: pl.Expr, formats: Sequence[str], *, again: bool = False) -> pl.Expr:
    """What the `formats` that say no zone, tried in order, read: naive clock times. `again` as in `zoned_instants`."""
    read = [pl.lit(None, dtype=pl.Datetime("us"))]
    for pattern in formats:
        if pattern == ISO:
            read.extend(_clock(text, each) for each in ISO_FORMATS)
        elif needs_zone(pattern):
            read.append(_excel(text) if pattern == EXCEL else _clock(text, pattern))
    more = _MORE_ISO_CLOCKS if again and ISO in formats else ()
    return pl.coalesce(*read, *(_clock(text, pattern) for pattern in more))


def local_instants(clock: pl.Expr, zone: str | ZoneColumn | None, zone_word: pl.Expr, mapping: Mapping) -> pl.Expr:
    """The instants at which clocks of `zone` show `clock`, by the mapping's rules for two and for none of them.

    Where the zone stands in another column, `zone_word` is what stands there.
    """
    if zone is None:
        return pl.lit(None, dtype=INSTANT)
    if isinstance(zone, str):
        return _in_zone(clock, zone, mapping)
    word = zone_word.str.to_lowercase()
    return pl.coalesce(
        pl.lit(None, dtype=INSTANT),
        *(
            _in_zone(pl.when(word == written.lower()).then(clock), name, mapping)
            for written, name in zone.words.items()
        ),
    )


def _in_zone(clock: pl.Expr, zone: str, mapping: Mapping) -> pl.Expr:
    twice = "null" if mapping.ambiguous == "reject" else mapping.ambiguous
    local = clock.dt.replace_time_zone(zone, ambiguous=twice, non_existent="null").dt.convert_time_zone("UTC")
    if mapping.nonexistent == "reject":
        return local
    # Clocks that were not put forward: the time as it would have been with the offset from before the gap.
    gap = pl.duration(hours=_GAP_HOURS)
    before, now = (
        moment.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null") for moment in (clock - gap, clock)
    )
    return pl.when(now.is_null()).then(before.dt.convert_time_zone("UTC") + gap).otherwise(local)


def mended_time(text: pl.Expr, offsets: Dictionary[str, str]) -> pl.Expr:
    """Text for a second attempt: plain (see `text.mended`), halves of the day and zones as the formats spell them.

    `offsets` are those of abbreviations.
    """
    plain = mended(text).str.replace_all(_HALF_DAY, "${1}${2}m")
    # A decimal comma; the zone's name behind an offset that says more; abbreviations with a declared meaning.
    plain = plain.str.replace(r"(:\d\d|^\d+),(\d+)", "$1.$2").str.replace(
        r"((?:Z|[+-]\d\d:?\d\d)) ?\[[\w/+-]+\]$", "$1"
    )
    for word, offset in (_UTC | dict(offsets)).items():
        plain = plain.str.replace(rf"(?i)(\d|[ap]m) ?\(?{re.escape(word)}\)?$", f"${{1}} {offset}")
    return plain


def _clock(text: pl.Expr, pattern: str) -> pl.Expr:
    # A year of two digits read by %Y is the year 20, not 2020: not a date of calls.
    return _plausible(text.str.to_datetime(pattern, time_unit="us", strict=False, exact=True))


def _with_offset(text: pl.Expr, pattern: str) -> pl.Expr:
    return _plausible(text.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False, exact=True))


def _plausible(moment: pl.Expr) -> pl.Expr:
    return pl.when(moment.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)).then(moment)


def _epoch(text: pl.Expr, units_a_second: int) -> pl.Expr:
    number = text.cast(pl.Float64, strict=False)
    low, high = (limit * units_a_second for limit in _EPOCH_RANGE)
    # Whole numbers as they are: a float does not hold every microsecond since 1970 when it counts nanoseconds.
    whole = text.cast(pl.Int64, strict=False)
    if units_a_second <= _MICROSECONDS:
        exact = whole * (_MICROSECONDS // units_a_second)
    else:
        exact = whole // (units_a_second // _MICROSECONDS)
    rounded = (number * (_MICROSECONDS / units_a_second)).round().cast(pl.Int64, strict=False)
    inside = number.is_between(low, high)
    return pl.when(inside).then(pl.coalesce(exact, rounded)).cast(pl.Datetime("us", "UTC"))


def _excel(text: pl.Expr) -> pl.Expr:
    days = text.cast(pl.Float64, strict=False)
    moment = _EXCEL_DAY_ZERO + pl.duration(milliseconds=(days * _DAY_MILLISECONDS).round())
    return _plausible(pl.when(days.is_finite()).then(moment.cast(pl.Datetime("us"))))
