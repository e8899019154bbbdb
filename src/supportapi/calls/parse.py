"""What a source wrote, as values: instants, lengths of time, yes or no, ratings. Null where it cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.mapping import (
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    EXCEL,
    ISO,
    RATING_RULE,
    FlagColumn,
    Mapping,
    RatingScale,
    SecondsColumn,
    needs_zone,
)
from supportapi.calls.record import INSTANT, ISO_FORMATS, plain_word, whole_milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXCEL_DAY_ZERO: Final = pl.datetime(1899, 12, 30)
_DAY_MILLISECONDS: Final = 86_400_000
_SECONDS: Final = {"seconds": 1.0, "milliseconds": 0.001, "minutes": 60.0, "hours": 3600.0, "excel_days": 86_400.0}
_CLOCKS: Final = {
    "h:mm:ss": r"^(?<h>\d+):(?<m>[0-5]?\d):(?<s>[0-5]?\d(?:\.\d+)?)$",
    "m:ss": r"^(?<m>\d+):(?<s>[0-5]?\d(?:\.\d+)?)$",
    "iso8601": r"^P(?:(?<d>\d+)D)?(?:T(?:(?<h>\d+)H)?(?:(?<m>\d+)M)?(?:(?<s>\d+(?:\.\d+)?)S)?)?$",
}
_FIELD_SECONDS: Final = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_GAP_HOURS: Final = 3
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_WORST, _BEST = 1, 5
_EXACT: Final = 9
"""Decimals to round to before a ceiling or floor: 35 / 5 must not be a hair above 7."""


def text_of(column: str, found: pl.DataType, null_words: Sequence[str]) -> pl.Expr:
    """A source column of any type as text without blanks around it; blank text and null words are null.

    Typed times become ISO 8601, lengths of time `h:mm:ss`, whole numbers lose their `.0`.
    """
    text = _typed_text(pl.col(column), found).str.strip_chars()
    known = (text != "") & ~text.is_in(list(null_words)) if null_words else text != ""
    return pl.when(known).then(text)


def instants_and_clocks(text: pl.Expr, formats: Sequence[str]) -> tuple[pl.Expr, pl.Expr]:
    """What `formats`, tried in order, read: instants in UTC where the text says its zone, else naive clock times."""
    zoned: list[pl.Expr] = [pl.lit(None, dtype=INSTANT)]
    clocks: list[str] = []
    for pattern in formats:
        if pattern == ISO:
            zoned.append(_with_offset(text, "%+"))
            clocks.extend(ISO_FORMATS)
        elif pattern in {EPOCH_SECONDS, EPOCH_MILLISECONDS}:
            zoned.append(_epoch(text, milliseconds=pattern == EPOCH_MILLISECONDS))
        elif needs_zone(pattern):
            clocks.append(pattern)
        else:
            zoned.append(_with_offset(text, pattern))
    instant = pl.coalesce(zoned)
    # Trying formats in vain costs more than anything else here: clocks are looked for only where no zone was read.
    rest = pl.when(instant.is_null()).then(text)
    naive = [_excel(rest) if pattern == EXCEL else _clock(rest, pattern) for pattern in clocks]
    return instant, pl.coalesce(pl.lit(None, dtype=pl.Datetime("us")), *naive)


def local_instants(clock: pl.Expr, mapping: Mapping) -> pl.Expr:
    """The instants at which clocks of the mapping's zone show `clock`, by its rules for two and for none of them."""
    if mapping.time_zone is None:
        return pl.lit(None, dtype=INSTANT)
    zone = mapping.time_zone
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


def seconds(text: pl.Expr, column: SecondsColumn) -> pl.Expr:
    """Lengths of time in seconds, rounded to whole milliseconds."""
    number = numbers(text, column.decimal)
    tried = [
        number * _SECONDS[unit] if unit in _SECONDS else _clock_seconds(text, _CLOCKS[unit]) for unit in column.unit
    ]
    return whole_milliseconds(pl.coalesce(tried))


def flags(text: pl.Expr, column: FlagColumn) -> pl.Expr:
    """Yes or no; null for words that are neither and have no meaning by `other`."""
    word = plain_word(text)
    known = (
        pl.when(word.is_in(_plain(column.true_words)))
        .then(pl.lit(True))  # noqa: FBT003 - a value
        .when(word.is_in(_plain(column.false_words)))
        .then(pl.lit(False))  # noqa: FBT003 - a value
    )
    if column.other in {"true", "false"}:
        return known.when(text.is_not_null()).then(pl.lit(column.other == "true"))
    return known.otherwise(None)


def numbers(text: pl.Expr, decimal: str) -> pl.Expr:
    """Finite numbers; with a decimal comma, dots only group digits."""
    if decimal == ",":
        text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def ratings(number: pl.Expr, scale: RatingScale | None) -> pl.Expr:
    """Ratings of 1-5; a number that lies outside of the scale has none."""
    if scale is None:
        return pl.when(number.is_between(_WORST, _BEST) & (number == number.floor())).then(number).cast(pl.Int8)
    low, high = scale.first
    rule = RATING_RULE.fullmatch(scale.rule)
    if rule is not None and rule[1] is not None:
        shrunk = (number / float(rule[2])).round(_EXACT)
        mapped = {"ceil": shrunk.ceil(), "floor": shrunk.floor(), "round": (shrunk + 0.5).floor()}[rule[1]]
    else:
        mapped = (number - low) * (scale.to[1] - scale.to[0]) / (high - low) + scale.to[0]
        mapped = (mapped.round(_EXACT) + 0.5).floor()
    inside = number.is_between(low, high) & mapped.is_between(_WORST, _BEST)
    return pl.when(inside).then(mapped).cast(pl.Int8)


def _typed_text(value: pl.Expr, found: pl.DataType) -> pl.Expr:
    if found == pl.String:
        return value
    if isinstance(found, pl.Datetime):
        zoned = found.time_zone is not None
        moment = (value.dt.convert_time_zone("UTC") if zoned else value).dt.cast_time_unit("us")
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ" if zoned else "%Y-%m-%d %H:%M:%S%.f")
    if isinstance(found, pl.Duration):
        return _clock_text(value.dt.total_seconds())
    if found.is_float():
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(value == whole).then(whole.cast(pl.String)).when(value.is_finite()).then(value.cast(pl.String))
    return pl.lit(None, dtype=pl.String) if found.is_nested() else value.cast(pl.String)


def _clock_text(whole_seconds: pl.Expr) -> pl.Expr:
    rest = [(whole_seconds // step % 60).cast(pl.String).str.zfill(2) for step in (60, 1)]
    return pl.concat_str([(whole_seconds // 3600).cast(pl.String), *rest], separator=":")


def _clock(text: pl.Expr, pattern: str) -> pl.Expr:
    # A year of two digits read by %Y is the year 20, not 2020: not a date of calls.
    clock = text.str.to_datetime(pattern, time_unit="us", strict=False, exact=True)
    return pl.when(clock.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)).then(clock)


def _with_offset(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False, exact=True)


def _epoch(text: pl.Expr, *, milliseconds: bool) -> pl.Expr:
    number = text.cast(pl.Float64, strict=False) * (1000 if milliseconds else 1_000_000)
    return number.round().cast(pl.Int64, strict=False).cast(pl.Datetime("us", "UTC"))


def _excel(text: pl.Expr) -> pl.Expr:
    days = text.cast(pl.Float64, strict=False)
    moment = _EXCEL_DAY_ZERO + pl.duration(milliseconds=(days * _DAY_MILLISECONDS).round())
    return pl.when(days.is_finite()).then(moment.cast(pl.Datetime("us")))


def _clock_seconds(text: pl.Expr, pattern: str) -> pl.Expr:
    fields = text.str.extract_groups(pattern)
    names = [name for name in _FIELD_SECONDS if f"(?<{name}>" in pattern]
    total = pl.sum_horizontal(
        [fields.struct.field(name).cast(pl.Float64, strict=False) * _FIELD_SECONDS[name] for name in names]
    )
    return pl.when(text.str.contains(pattern)).then(total)


def _plain(words: Sequence[str]) -> list[str]:
    return [" ".join(word.lower().replace("_", " ").replace("-", " ").split()) for word in words]
