"""Which formats a column's times are written in, told from all its values; what values leave open stays open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import polars as pl

from supportapi.calls.columns import EXCEL, ISO
from supportapi.calls.instants import clock_times, mended_time, zoned_instants
from supportapi.calls.suggest.headers import DENIED, SPOKEN
from supportapi.calls.suggest.seen import Seen, told
from supportapi.calls.suggest.zones import offsets_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["instant", "date", "clock"]
ORDERS: Final = ("ymd", "dmy", "mdy")
_PROBE: Final = 400
_MOST: Final = 0.9
_YEARS: Final = (1980, 2060)
_LONG_YEARS, _SHORT_YEARS = 12, 4
_DAY: Final = (
    r"(?P<numeric>(?P<a>\d{1,4})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{4}|\d{1,2}))"
    r"|(?P<named>\d{1,2}(?P<gap>[ -]|\. )(?P<month>[A-Za-z]{3,9})(?P<comma>\.?,?)(?P=gap)(?P<year>\d{4}|\d{2}))"
    r"|(?P<american>(?P<amonth>[A-Za-z]{3,9}) \d{1,2}, \d{4})"
    r"|(?P<packed>\d{8}|\d{6})"
)
_CLOCK: Final = r"(?P<h>\d{1,2})(?P<after>[:h])\d{2}(?P<s>:\d{2})?(?P<f>\.\d+)?(?P<half>(?P<blank> ?)[AaPp][Mm])?"
_VALUE: Final = re.compile(
    rf"^(?P<weekday>[A-Z][a-z]{{2,8}},? )?(?:{_DAY})?(?P<join>(?<=\d)(?:T|, | - | )(?=\d))?"
    rf"(?P<clock>{_CLOCK})?(?P<zone>Z| ?[+-]\d{{2}}:?\d{{2}}| [A-Z]{{3,4}})?$"
)
_PACKED_CLOCK: Final = r"([01]\d|2[0-3])[0-5]\d[0-5]\d"
_BLANKS: Final = str.maketrans("\u00a0\u2009\u202f", "   ")
_FIELDS: Final = {"y": "%Y", "m": "%m", "d": "%d"}
_EPOCHS: Final = {"epoch_seconds": (8.0e8, 3.0e9), "epoch_milliseconds": (8.0e11, 3.0e12), EXCEL: (32_000.0, 58_000.0)}
_SHORT_NAME: Final = 3
_NEVER: Final = "0"
"""What stands for an instant that did not come, where instants are numbers."""


class Times(msgspec.Struct, frozen=True):
    """How one column's times are read. `other` holds the formats of readings that fit as well."""

    column: Seen
    kind: Kind
    formats: tuple[str, ...]
    read: int
    other: tuple[tuple[str, ...], ...] = ()
    zoned: bool = False
    """Whether the values themselves say their zone."""
    offsets: dict[str, str] = {}
    """What the abbreviations at their ends stand for."""
    hint: str = ""
    """What decided between day first and month first, or what may help a person to decide."""

    @property
    def evidence(self) -> str:
        """How many values are read, for a comment."""
        formats = " or ".join(self.formats)
        words = {"instant": "times", "date": "dates without a time of day", "clock": "times of day"}[self.kind]
        return f"{told(self.read, self.column.known)} values read as {formats} ({words})"


def times_of(column: Seen) -> Times | None:
    """How the column's values are times, or None when less than nine of ten of them are."""
    probe = column.values.head(_PROBE)
    matches = [(_VALUE.match(value.translate(_BLANKS)), count) for value, count in probe.iter_rows()]
    spoken = [(match, count) for match, count in matches if match and (match["clock"] or _day(match))]
    found = [match for match, _ in spoken]
    if column.known and sum(count for _, count in spoken) > _MOST * int(probe["count"].sum()):
        if all(_day(match) is None for match in found):
            return _clock_only(column, found)
        return _dated(column, found) or _packed_clock(column)
    return _numbered(column)


def moments(texts: pl.Series, formats: tuple[str, ...], offsets: dict[str, str] | None = None) -> pl.Series:
    """The instants that `formats` read, naive ones as they stand; bare clocks on the first day of 1970."""
    if all("%H" in one or "%I" in one for one in formats) and not any("%d" in one for one in formats):
        formats = tuple(f"%Y-%m-%d {one}" for one in formats)
        texts = "1970-01-01 " + texts
    text = mended_time(pl.col("text"), offsets or {}) if any(one.endswith("%z") for one in formats) else pl.col("text")
    zoned = zoned_instants(text, formats)
    naive = clock_times(pl.when(zoned.is_null()).then(text), formats)
    return texts.to_frame("text").select(pl.coalesce(naive, zoned.dt.replace_time_zone(None))).to_series()


def _day(match: re.Match[str]) -> str | None:
    return match["numeric"] or match["named"] or match["american"] or match["packed"]


def _clock_only(column: Seen, found: list[re.Match[str]]) -> Times | None:
    if any(match["zone"] for match in found):
        return None
    formats = _unique(_clock_format(match) for match in found)
    read = _read(column, formats)
    return Times(column, "clock", formats, read) if read > _MOST * column.known else None


def _packed_clock(column: Seen) -> Times | None:
    """Six digits that are a time of day, where the header speaks of one."""
    if "time" not in column.header.split() or column.matches(_PACKED_CLOCK) <= _MOST:
        return None
    return Times(column, "clock", ("%H%M%S",), column.reads(pl.col("value").str.contains(f"^{_PACKED_CLOCK}$")))


def _dated(column: Seen, found: list[re.Match[str]]) -> Times | None:
    if any(match["packed"] and not match["clock"] for match in found) and not _says_time(column.header):
        return None
    zones = [match["zone"].strip() if match["zone"] else "" for match in found]
    offsets = offsets_of(zone for zone in zones if zone.isalpha())
    if offsets is None:
        return None
    readings: dict[str, tuple[tuple[str, ...], pl.Series]] = {}
    for order in ORDERS:
        formats = _unique(_format(match, order) for match in found if _day(match) is not None)
        if formats and all(formats):
            readings[order] = (formats, moments(column.values["value"], formats, offsets))
    kind: Kind = "instant" if any(match["clock"] for match in found) else "date"
    judged = _judged(column, kind, readings)
    return judged and msgspec.structs.replace(judged, zoned=any(zones), offsets=offsets)


def _judged(
    column: Seen,
    kind: Kind,
    readings: dict[str, tuple[tuple[str, ...], pl.Series]],
) -> Times | None:
    """The reading that reads most; two that read everything alike stay two."""
    counts = {order: _plausible(column, values) for order, (_, values) in readings.items()}
    ordered = sorted(counts, key=lambda order: -counts[order])
    if not ordered or counts[ordered[0]] <= _MOST * column.known:
        return None
    first, *rest = [order for order in ordered if counts[order] == counts[ordered[0]]]
    formats = readings[first][0]
    rivals = [order for order in rest if readings[order][0] != formats]
    if rivals and (sober := _not_over_decades([readings[first][1], *(readings[order][1] for order in rivals)])):
        kept = [[first, *rivals][k] for k in sober]
        first, rivals, formats = kept[0], kept[1:], readings[kept[0]][0]
    other = tuple(dict.fromkeys(readings[order][0] for order in rivals))
    losers = [order for order in ordered if counts[order] < counts[first]]
    hint = _order_hint(column, formats, other)
    if not rivals and losers and readings[losers[0]][0] != formats:
        refuted = counts[first] - counts[losers[0]]
        hint = f"{refuted:,} values cannot be {readings[losers[0]][0][0]}"
    written = _as_iso(column, formats, counts[first])
    return Times(column, kind, written, counts[first], other, hint=hint)


def _plausible(column: Seen, values: pl.Series) -> int:
    years = values.dt.year()
    return int(column.values["count"].filter(years.is_between(*_YEARS)).sum())


def _not_over_decades(readings: list[pl.Series]) -> list[int]:
    """Which readings stay when one would spread the calls over decades and another over a few years."""
    spans = [float(values.dt.year().max() - values.dt.year().min()) for values in readings]  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue,reportArgumentType] - whole numbers
    if min(spans) > _SHORT_YEARS or max(spans) < _LONG_YEARS:
        return []
    return [k for k, span in enumerate(spans) if span < _LONG_YEARS]


def _order_hint(column: Seen, formats: tuple[str, ...], other: tuple[tuple[str, ...], ...]) -> str:
    """Rows that ascend in one reading only: a sign, never a proof."""
    if not other:
        return ""
    texts = column.texts.drop_nulls()
    ascending = [one for one in (formats, *other) if moments(texts, one).is_sorted()]
    return f"the rows are in ascending order as {ascending[0][0]} only" if len(ascending) == 1 else ""


def _as_iso(column: Seen, formats: tuple[str, ...], read: int) -> tuple[str, ...]:
    if not all(one.startswith("%Y-%m-%d") for one in formats):
        return formats
    return (ISO,) if _read(column, (ISO,)) == read else formats


def _read(column: Seen, formats: tuple[str, ...]) -> int:
    return int(column.values["count"].filter(moments(column.values["value"], formats).is_not_null()).sum())


def _format(match: re.Match[str], order: str) -> str:
    """The pattern that reads values like this one with day, month and year in this order; empty when none can."""
    day = _day_format(match, order)
    if not day:
        return ""
    zone = match["zone"] or ""
    if zone:  # abbreviations become offsets before they are read, with a blank before them
        zone = "%z" if zone[0] in "+-" else " %z"
    clock = _clock_format(match) if match["clock"] else ""
    return f"{_weekday_format(match['weekday'])}{day}{match['join'] or ''}{clock}{zone}"


def _weekday_format(weekday: str | None) -> str:
    if weekday is None:
        return ""
    name = weekday.rstrip(", ")
    return f"{'%a' if len(name) == _SHORT_NAME else '%A'}{weekday.removeprefix(name)}"


def _day_format(match: re.Match[str], order: str) -> str:
    if match["named"]:
        month = "%b" if len(match["month"]) == _SHORT_NAME else "%B"
        year = "%Y" if len(match["year"]) == len("2024") else "%y"
        return f"%d{match['gap']}{month}{match['comma']}{match['gap']}{year}"
    if match["american"]:
        return f"{'%b' if len(match['amonth']) == _SHORT_NAME else '%B'} %d, %Y"
    if match["packed"]:
        fields = [_FIELDS[field] for field in order]
        return "".join(fields) if len(match["packed"]) == len("20240506") else "".join(fields).replace("%Y", "%y")
    first, last = len(match["a"]), len(match["c"])
    long = len("2024")
    if (order == "ymd") != (first == long) and max(first, last) == long:
        return ""
    short_year = match["a"] if order == "ymd" else match["c"]
    if (order == "mdy" and match["sep"] == ".") or len(short_year) == 1:
        return ""  # nobody writes the month before the day and dots between them, nor years of one digit
    fields = [_FIELDS[field] for field in order]
    pattern = match["sep"].join(fields)
    return pattern if max(first, last) == long else pattern.replace("%Y", "%y")


def _clock_format(match: re.Match[str]) -> str:
    half = match["half"] is not None
    seconds = f":%S{'%.f' if match['f'] else ''}" if match["s"] else ""
    return f"{'%I' if half else '%H'}{match['after']}%M{seconds}{match['blank'] + '%p' if half else ''}"


def _numbered(column: Seen) -> Times | None:
    """Numbers that count time from an epoch, where the header speaks of time."""
    if not _says_time(column.header):
        return None
    if _NEVER in column.words and column.distinct > 1:
        column = column.without((_NEVER,))
    number = pl.col("value").cast(pl.Float64, strict=False)
    for name, (low, high) in _EPOCHS.items():
        read = column.reads(number.is_between(low, high))
        if column.known and read > _MOST * column.known and (name != EXCEL or column.matches(r"\d{5}(\.\d+)?") > _MOST):
            whole = name == EXCEL and column.matches(r"\d+") == 1.0
            return Times(column, "date" if whole else "instant", (name,), read, zoned=name != EXCEL)
    return None


def _says_time(header: str) -> bool:
    spoken = [words for column in ("started_at", "ended_at") for _, words in SPOKEN[column]]
    denied = DENIED["started_at"].search(header) and re.search(r"time|date|at$|stamp|dttm", header)
    return bool(denied) or any(words.search(header) for words in spoken)


def _unique(formats: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(formats))
