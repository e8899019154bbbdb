"""Which columns say when a call started and ended: by their headers, and by what comes first and last in every row."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.suggest.finding import DECIDE, Finding, Value
from supportapi.calls.suggest.headers import weight
from supportapi.calls.suggest.seen import Seen, best
from supportapi.calls.suggest.times import Times, moments
from supportapi.calls.suggest.zones import doubts

if TYPE_CHECKING:
    from collections.abc import Sequence

_SURE: Final = 0.95
_OFTEN: Final = 0.01
_PILED: Final = 20
_CLOSE: Final = 1
_MIDNIGHT: Final = r"^0?0:00(:00)?$"
_DATE_ONLY_WORTH: Final = 3
_SAYS_UTC: Final = re.compile(r"\b(utc|gmt)\b")


class Moment(msgspec.Struct, frozen=True):
    """One way to read an instant of each row: from one column, or from a date and a clock."""

    parts: tuple[Times, ...]
    score: int

    @property
    def sources(self) -> tuple[str, ...]:
        """The source columns."""
        return tuple(part.column.name for part in self.parts)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of the joined parts."""
        return _joined([part.formats for part in self.parts])

    @property
    def values(self) -> pl.Series:
        """The instant of each row, as the source's clock shows it."""
        texts = pl.DataFrame([part.column.texts.alias(str(place)) for place, part in enumerate(self.parts)])
        joined = texts.select(text=pl.concat_str(pl.all(), separator=" "))["text"]
        return moments(joined, self.formats, self.offsets)

    @property
    def offsets(self) -> dict[str, str]:
        """What abbreviations of zones in the parts stand for."""
        return {word: offset for part in self.parts for word, offset in part.offsets.items()}


class Span(msgspec.Struct, frozen=True):
    """When calls started and ended. `time_zone` is a name, `DECIDE`, or None where the times say it."""

    started: Finding | None
    ended: Finding | None
    start: Moment | None
    end: Moment | None
    time_zone: str | None
    length: pl.Series | None
    """Seconds between them, row by row."""


def span_of(times: Sequence[Times]) -> Span:
    """The start and the end that `times` tell, of columns that hold no lengths."""
    starts = candidates(times, "started_at")
    if not starts:
        return Span(None, None, None, None, None, None)
    start = _first(starts)
    rivals = [other for other in starts if other.sources != start.sources and other.score >= start.score - _CLOSE]
    ends = [end for end in candidates(times, "ended_at") if end.sources != start.sources]
    end, length, early = _last(start, ends)
    started = _finding("started_at", start, start.parts[-1].hint or start.parts[0].hint, rivals)
    ended = None if end is None else _end(end, start, early)
    return Span(started, ended, start, end, _zone(start), length)


def settled(times: Sequence[Times]) -> list[Times]:
    """`times`, each read as the others allow, without what only looks like a time of day."""
    return [_agreed(_without_midnights(one), times) for one in times]


def _without_midnights(one: Times) -> Times:
    """A clock that stands at midnight far too often says "did not happen" there."""
    if one.kind != "clock" or not one.column.known:
        return one
    midnight = pl.col("value").str.contains(_MIDNIGHT)
    share = one.column.reads(midnight) / one.column.known
    if share < _OFTEN or share * one.column.distinct < _PILED:
        return one
    words = tuple(one.column.values.filter(midnight)["value"])
    return msgspec.structs.replace(one, column=one.column.without(words), read=one.read - one.column.reads(midnight))


def _agreed(one: Times, times: Sequence[Times]) -> Times:
    """A date that may be read in two ways is read as the file's other dates, where those leave no doubt."""
    for other in times:
        if one.other and not other.other and other.formats in {one.formats, *one.other}:
            hint = f'as in "{other.column.name}", where {other.hint}'
            return msgspec.structs.replace(one, formats=other.formats, other=(), hint=hint)
    return one


def candidates(times: Sequence[Times], column: str) -> list[Moment]:
    """Every way to read `column`, best first."""
    # One instant for all rows is that of the export; one date for all is a day's log.
    varied = [one for one in times if one.kind == "date" or one.column.distinct > 1 or one.column.rows == 1]
    by_name = {one.column.name: one for one in varied}

    def worth(seen: Seen) -> int:
        return weight(column, seen.header)

    def told_by(kind: str) -> list[Times]:
        return [by_name[seen.name] for seen in best([one.column for one in varied if one.kind == kind], worth)]

    dates = [one for one in varied if one.kind == "date"]
    found = [Moment((one,), worth(one.column)) for one in told_by("instant")]
    if dates:
        day = next(iter(told_by("date")), dates[0])
        if column != "started_at" and not worth(day.column):
            day = max(dates, key=lambda one: weight("started_at", one.column.header))
        found += [Moment((day, one), worth(one.column)) for one in told_by("clock")]
    found += [Moment((one,), worth(one.column) - _DATE_ONLY_WORTH) for one in told_by("date")]
    if not found and column == "started_at":
        found = [
            Moment((one,), 1) for one in varied if one.kind == "instant" and not weight("ended_at", one.column.header)
        ]
    return sorted(found, key=lambda moment: -moment.score)


def _first(starts: list[Moment]) -> Moment:
    """Of starts about equally well named, the one that comes first in nearly every row and is hardly ever missing."""
    near = [
        start
        for start in starts
        if start.score >= starts[0].score - _CLOSE and len(start.parts) == len(starts[0].parts)
    ]
    for start in near:
        values = start.values
        if values.null_count() < _OFTEN * len(values) and all(
            share(values <= other.values) > _SURE for other in near if other is not start
        ):
            return start
    return max(near, key=lambda start: (start.score, -start.values.null_count()))


def _last(start: Moment, ends: list[Moment]) -> tuple[Moment | None, pl.Series | None, int]:
    """The latest end that never comes before the start; how long from one to the other; how often on the next day."""
    begun = start.values
    chosen: tuple[Moment | None, pl.Series | None, int] = (None, None, 0)
    latest: pl.Series | None = None
    for end in ends:
        if end.parts[-1].kind == "date":
            continue
        values = end.values
        early = int((values < begun).sum() or 0)
        possible = share(values >= begun) > _SURE
        if possible and (latest is None or share(values >= latest) > _SURE):
            latest, chosen = values, (end, (values - begun).dt.total_milliseconds() / 1000, early)
    return chosen


def share(holds: pl.Series) -> float:
    """Of the rows in which something is known, how many hold."""
    known = len(holds) - holds.null_count()
    return float(holds.sum() or 0) / known if known else 0.0


def _finding(column: str, moment: Moment, hint: str, rivals: Sequence[Moment] = ()) -> Finding:
    formats = moment.formats
    undecided = any(part.other for part in moment.parts)
    why = [part.evidence + "." for part in moment.parts]
    if hint and not undecided:
        why.append(f"Day and month: {hint}.")
    if moment.parts[-1].kind == "date":
        why.append("There is no time of day: every call starts at midnight.")
    why += [f"Close to it: {_quoted(rival.sources)}." for rival in rivals[:2]]
    fields: dict[str, Value] = {}
    decide: tuple[str, ...] = ()
    offered: tuple[dict[str, Value], ...] = ()
    if undecided:
        example = next(part for part in moment.parts if part.other).column.values["value"][0]
        fields["formats"] = DECIDE
        sign = f" ({hint}, which is a sign and no proof)" if hint else ""
        asked = f"day or month first? No day is above 12, so that {example} may be read in several ways{sign}."
        decide = (asked,)
        ways = product(*((part.formats, *part.other) for part in moment.parts))
        offered = tuple({"formats": _joined(way)} for way in ways)
    elif formats != ("iso",):
        fields["formats"] = formats
    if moment.offsets:
        fields["offsets"] = dict(moment.offsets)
        decide += doubts(moment.offsets)
    return Finding(column=column, sources=moment.sources, fields=fields, why=tuple(why), decide=decide, offered=offered)


def _end(end: Moment, start: Moment, early: int) -> Finding:
    finding = _finding("ended_at", end, "")
    fields = dict(finding.fields)
    why = list(finding.why)
    if end.formats == start.formats:  # which are its own when it names none
        fields.pop("formats", None)
        finding = msgspec.structs.replace(finding, decide=(), offered=())
    else:
        fields.setdefault("formats", end.formats)
    if any(part.read < part.column.known for part in end.parts):
        fields["unreadable"] = "null"
    clock = end.parts[-1].column
    if clock.null_words:
        fields["null_words"] = clock.null_words
        why.append(
            f"{', '.join(clock.null_words)} stands in {clock.rows - clock.known:,} rows: it did not happen there."
        )
    if len(end.parts) > 1 and end.parts[0].column.name == start.parts[0].column.name and early:
        fields["next_day_when_before_start"] = True
        why.append(f"{early:,} ends come before the start: they are on the next day.")
    elif early:
        why.append(f"{early:,} ends come before the start; they will be made null and counted.")
    return msgspec.structs.replace(finding, fields=fields, why=tuple(why))


def _zone(start: Moment) -> str | None:
    if any(part.zoned for part in start.parts):
        return None
    headers = " ".join(part.column.header for part in start.parts)
    return "UTC" if _SAYS_UTC.search(headers) else DECIDE


def _joined(formats: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Formats of parts that are joined by a blank: every pair of them."""
    joined = formats[0]
    for more in formats[1:]:
        joined = tuple(f"{'%Y-%m-%d' if left == 'iso' else left} {right}" for left in joined for right in more)
    return joined


def _quoted(names: Sequence[str]) -> str:
    return " with ".join(f'"{name}"' for name in names)
