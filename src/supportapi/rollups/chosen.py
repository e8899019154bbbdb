"""Which rows a selection of calls leaves: few of them listed, many of them marked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.calls.filter import value_of
from supportapi.rollups.axes import wall_clock
from supportapi.rollups.codes import Rows, one_of, within
from supportapi.rollups.stretches import total
from supportapi.rollups.text_search import MOST_FOUND, holding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportapi.calls.filter import ServiceLevelVariant
    from supportapi.calls.selection import Selection
    from supportapi.calls.window import Window
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.axes import Clock
    from supportapi.rollups.call_rows import CallRows
    from supportapi.rollups.codes import RowCodes

MOST_LISTED: Final = 500_000
"""Up to so many rows are listed and sorted; more of them are marked, and kept orders are walked."""

_SELECTIVE: Final = 16
"""Rows are looked up when they are at most one of so many."""

_FLAGS: Final = {"null": 0, "true": 1, "false": 2}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = 3600

Test = Callable[[Rows], NDArray[np.bool_]]


class Chosen(msgspec.Struct, frozen=True):
    """Rows from `first` up to `end`: those of `rows` (upwards) or those that `mask` (of all rows) marks, or all.

    `at_least` says that a search has ended early, so that there may be more of them.
    """

    first: int
    end: int
    total: int
    rows: NDArray[np.uint32] | None = None
    mask: NDArray[np.bool_] | None = None
    at_least: bool = False

    @property
    def nbytes(self) -> int:
        """What it holds."""
        return sum(part.nbytes for part in (self.rows, self.mask) if part is not None)

    def listed(self) -> NDArray[np.uint32]:
        """The row numbers, upwards."""
        if self.rows is not None:
            return self.rows
        if self.mask is None:
            return np.arange(self.first, self.end, dtype=np.uint32)
        return _places(self.mask, self.first, self.end)


def choose(aggregates: Aggregates, selection: Selection, *, whole: bool = False) -> Chosen:
    """The rows that `selection` leaves; a search that finds very many ends early, but for one that is to be `whole`.

    One in a view never does: where it ended would tell of calls that are not shown.
    """
    zone = aggregates.zone_of[selection.zone]
    window = selection.window.intersect(zone.data)
    origin = zone.data.start
    days = ((window.start - origin).days, (window.end - origin).days) if window.days else (0, 0)
    first, end = aggregates.codes.span(zone.position, days) if window.days else (0, 0)
    first, end = _between_instants(aggregates.calls, selection, first, end)
    members = aggregates.codes_left(selection.filter)
    few = _posted(aggregates, first, end, members)
    tests = [*_clock_tests(aggregates, zone.position, days), *_tests(aggregates, selection, members)]
    most = MOST_FOUND if aggregates.view is None and not whole else len(aggregates.calls) + 1
    marked, at_least = _marks(aggregates, selection, window, first, end, most)
    if marked is not None and few is None and np.count_nonzero(marked) * _SELECTIVE <= len(marked):
        few = (np.flatnonzero(marked) + first).astype(np.uint32)
    elif marked is not None:
        tests.append(_marked_from(marked, first))
    if few is not None:
        return _listed(first, end, few, tests, at_least=at_least)
    if not tests:
        return Chosen(first, end, end - first, at_least=at_least)
    return _marked(first, end, len(aggregates.calls), tests, at_least=at_least)


def _between_instants(calls: CallRows, selection: Selection, first: int, end: int) -> tuple[int, int]:
    """Of the rows from `first` up to `end`, which stand in order of time, those between the selection's instants."""

    def from_on(instant: datetime) -> int:
        started = (instant - _EPOCH) // timedelta(microseconds=1)
        return bisect_left(range(end), started, lo=first, key=lambda row: int(calls.started_us(slice(row, row + 1))[0]))

    begin = first if selection.started_from is None else from_on(selection.started_from)
    return begin, end if selection.started_to is None else max(from_on(selection.started_to), begin)


def _marks(
    aggregates: Aggregates, selection: Selection, window: Window, first: int, end: int, most: int
) -> tuple[NDArray[np.bool_] | None, bool]:
    """A mark for each row from `first` up to `end` with the selection's text and hours, or None where it has neither.

    True beside it where more rows than `most` may hold the text.
    """
    marked, at_least = holding(aggregates.calls, selection.text, first, end, most) if selection.text else (None, False)
    if not selection.weekday and not selection.hour:
        return marked, at_least
    hours = _in_hours(aggregates.codes, wall_clock(window, selection.zone), _hours_of_week(selection), first, end)
    return hours if marked is None else marked & hours, at_least


def _hours_of_week(selection: Selection) -> NDArray[np.bool_]:
    """Which of the hours since Monday began are kept."""
    weekday = np.isin(range(7), selection.weekday or range(7))
    hour = np.isin(range(24), selection.hour or range(24))
    return np.logical_and.outer(weekday, hour).reshape(-1)


def _in_hours(codes: RowCodes, clock: Clock, kept: NDArray[np.bool_], first: int, end: int) -> NDArray[np.bool_]:
    """Which rows from `first` up to `end` began in a bucket of `clock` that is `kept`.

    Rows stand in order of time: those of an hour are found by its ends, and none is looked at by itself.
    """
    seconds = codes.columns["second"][first:end]
    marks = np.zeros(len(seconds), dtype=bool)
    if not len(seconds):
        return marks
    low, high = int(seconds[0]) + codes.base_second, int(seconds[-1]) + codes.base_second
    changes = clock.changes[(clock.changes > low) & (clock.changes <= high)].tolist()
    starts: list[NDArray[np.int64]] = []
    flags: list[NDArray[np.bool_]] = []
    for start, stop in pairwise([low, *changes, high + 1]):
        ahead = int(clock.ahead[np.searchsorted(clock.changes, start, side="right")])
        hours = np.arange(start - (start + ahead) % _HOUR, stop, _HOUR)
        starts.append(np.maximum(hours, start))
        flags.append(kept[(hours + ahead) // _HOUR % clock.buckets])
    turns = np.flatnonzero(np.diff(np.concatenate(flags), prepend=False))
    # As what they are searched among: else all of that would be copied.
    wanted = (np.concatenate(starts)[turns] - codes.base_second).astype(seconds.dtype)
    edges: list[int] = [*np.searchsorted(seconds, wanted).tolist(), len(seconds)]
    for start, stop in zip(edges[::2], edges[1::2], strict=False):
        marks[start:stop] = True
    return marks


def _posted(
    aggregates: Aggregates, first: int, end: int, members: dict[str, NDArray[np.intp]]
) -> NDArray[np.uint32] | None:
    """The rows that some postings have of `members`, if they are few."""
    for each in aggregates.codes.postings:
        count = each.count(members)
        if count is not None and count * _SELECTIVE <= end - first:
            rows = each.between(first, end, members)
            if rows is not None:
                return np.sort(rows.astype(np.uint32))
    return None


def _listed(first: int, end: int, rows: NDArray[np.uint32], tests: list[Test], *, at_least: bool) -> Chosen:
    for test in tests:
        rows = rows[test(rows)]
    return Chosen(first, end, len(rows), rows=rows, at_least=at_least)


def _marked(first: int, end: int, count: int, tests: list[Test], *, at_least: bool) -> Chosen:
    mask = np.zeros(count, dtype=bool)

    def mark(rows: slice) -> int:
        kept = tests[0](rows)
        for test in tests[1:]:
            kept &= test(rows)
        mask[rows] = kept
        return int(np.count_nonzero(kept))

    marked = total(first, end, mark)
    if marked > MOST_LISTED:
        return Chosen(first, end, marked, mask=mask, at_least=at_least)
    return Chosen(first, end, marked, rows=_places(mask, first, end), at_least=at_least)


def _places(mask: NDArray[np.bool_], first: int, end: int) -> NDArray[np.uint32]:
    """Which rows from `first` up to `end` are marked: of eight at once, which are mostly none."""
    first -= first % 8
    whole = end - end % 8
    eights = np.flatnonzero(mask[first:whole].view(np.uint64))
    eighth, bit = np.nonzero(mask[first:whole].reshape(-1, 8)[eights])
    rest = np.flatnonzero(mask[whole:end]) + whole
    return np.concatenate([eights[eighth] * 8 + bit + first, rest]).astype(np.uint32)


def _clock_tests(aggregates: Aggregates, zone: int, days: tuple[int, int]) -> Iterator[Test]:
    codes = aggregates.codes
    if codes.strays(zone, days, slice(0, 0)) is not None:
        yield lambda rows: np.asarray(codes.strays(zone, days, rows))


def _tests(aggregates: Aggregates, selection: Selection, members: dict[str, NDArray[np.intp]]) -> Iterator[Test]:
    columns, calls = aggregates.codes.columns, aggregates.calls
    for name, codes in members.items():
        yield _among(columns[name], codes)
    if selection.customer_id:
        words = calls.words["customer_id"]
        values = [value_of(key) for key in selection.customer_id]
        found = [len(words.texts) if value is None else words.texts.find(value.encode()) for value in values]
        yield _among(words.codes, np.unique(np.array([code for code in found if code is not None], np.intp)))
    if selection.rating:
        yield _among(columns["rating"], np.unique([0 if word == "null" else int(word) for word in selection.rating]))
    classes = _classes(aggregates, selection)
    if not classes.all():
        yield _among(columns["class"], np.flatnonzero(classes))
    for of, span in _spans(aggregates.codes.step_ms, selection).items():
        yield _between(columns[f"{of}_steps"], *span)
    if selection.offered == "abandon_after_threshold":
        yield _waited_beyond(aggregates, selection.threshold_seconds)


def _spans(step_ms: int, selection: Selection) -> dict[str, tuple[int, int | None]]:
    """What is asked of waits and durations, in steps: at least so many, and at most so many."""
    asked = {
        "wait": (selection.min_wait_seconds, selection.max_wait_seconds),
        "duration": (selection.min_duration_seconds, selection.max_duration_seconds),
    }
    return {
        of: (
            0 if least is None else _steps(least, step_ms, upwards=True),
            None if most is None else _steps(most, step_ms, upwards=False),
        )
        for of, (least, most) in asked.items()
        if (least, most) != (None, None)
    }


def _among(column: NDArray[Any], codes: NDArray[np.intp]) -> Test:
    found = one_of(codes)
    return lambda rows: found(column[rows])


def _marked_from(marked: NDArray[np.bool_], first: int) -> Test:
    return lambda rows: marked[
        slice(rows.start - first, rows.stop - first) if isinstance(rows, slice) else rows - first
    ]


def _classes(aggregates: Aggregates, selection: Selection) -> NDArray[np.bool_]:
    """Which classes of calls are kept: what a class does not tell of its calls is tested besides."""
    calls = aggregates.calls
    kept = np.ones(len(aggregates.codes.classes), dtype=bool)
    for wanted, flags in ((selection.answered, calls.answered), (selection.resolved, calls.resolved)):
        if wanted:
            kept &= np.isin(flags, [_FLAGS[word] for word in wanted])
    for of, (least, _) in _spans(aggregates.codes.step_ms, selection).items():
        if least <= 0:  # else the unknown ones, which stand as 0, fall out by themselves
            kept &= calls.known[of]
    return kept & _offered(calls, selection.offered)


def _offered(calls: CallRows, variant: ServiceLevelVariant | None) -> NDArray[np.bool_]:
    """Which classes of calls may be what a service level divides by."""
    known = calls.answered != _FLAGS["null"]
    match variant:
        case None:
            return np.ones_like(known)
        case "standard":
            return known & ~calls.short_abandon
        case "answered_only":
            return calls.answered == _FLAGS["true"]
        case "all_offered" | "abandon_after_threshold":
            return known


def _between(column: NDArray[Any], least: int, most: int | None) -> Test:
    return lambda rows: column[rows] >= least if most is None else within(column[rows], least, most)


def _waited_beyond(aggregates: Aggregates, seconds: float) -> Test:
    """Answered, or known to have waited longer than `seconds`: an unknown wait stands as 0."""
    answered = aggregates.calls.answered == _FLAGS["true"]
    limit = _steps(seconds, aggregates.codes.step_ms, upwards=False)
    classes, wait = aggregates.codes.columns["class"], aggregates.codes.columns["wait_steps"]
    return lambda rows: answered[classes[rows]] | (wait[rows] > limit)


def _steps(seconds: float, step_ms: int, *, upwards: bool) -> int:
    """The least (or the most) whole steps that, as seconds, are at least (or at most) `seconds`."""
    nearest = round(seconds * 1000 / step_ms)
    over = nearest * step_ms / 1000 - seconds
    return nearest + (over < 0) if upwards else nearest - (over > 0)
