"""Which rows a selection of calls leaves: few of them listed, many of them marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.calls.filter import value_of
from supportapi.rollups.codes import Rows, among
from supportapi.rollups.text_search import holding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportapi.calls.listing import Selection
    from supportapi.rollups.aggregates import Aggregates

MOST_LISTED: Final = 500_000
"""Up to so many rows are listed and sorted; more of them are marked, and kept orders are walked."""

_CHUNK: Final = 1 << 18
_SELECTIVE: Final = 16
"""Rows are looked up when they are at most one of so many."""

_FLAGS: Final = {"null": 0, "true": 1, "false": 2}

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
        return (np.flatnonzero(self.mask[self.first : self.end]) + self.first).astype(np.uint32)


def choose(aggregates: Aggregates, selection: Selection) -> Chosen:
    """The rows that `selection` leaves."""
    zone = aggregates.zone_of[selection.zone]
    window = selection.window.intersect(zone.data)
    origin = zone.data.start
    days = ((window.start - origin).days, (window.end - origin).days) if window.days else (0, 0)
    first, end = aggregates.codes.span(zone.position, days) if window.days else (0, 0)
    limits = selection.filter
    members = {name: aggregates.codes_of(name, limits.members(name)) for name in limits.limited}
    few = _posted(aggregates, first, end, members)
    at_least = False
    tests = [*_clock_tests(aggregates, zone.position, days), *_tests(aggregates, selection, members)]
    if selection.text:
        marked, at_least = holding(aggregates.calls, selection.text, first, end)
        if few is None and np.count_nonzero(marked) * _SELECTIVE <= len(marked):
            few = (np.flatnonzero(marked) + first).astype(np.uint32)
        else:
            tests.append(lambda rows: _marks(marked, first, rows))
    if few is not None:
        return _listed(first, end, few, tests, at_least=at_least)
    if not tests:
        return Chosen(first, end, end - first, at_least=at_least)
    return _marked(first, end, len(aggregates.calls), tests, at_least=at_least)


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
    for start in range(first, end, _CHUNK):
        chunk = slice(start, min(start + _CHUNK, end))
        kept = tests[0](chunk)
        for test in tests[1:]:
            kept = kept & test(chunk)
        mask[chunk] = kept
    total = int(np.count_nonzero(mask))
    if total > MOST_LISTED:
        return Chosen(first, end, total, mask=mask, at_least=at_least)
    rows = (np.flatnonzero(mask[first:end]) + first).astype(np.uint32)
    return Chosen(first, end, total, rows=rows, at_least=at_least)


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
        yield _among(words.codes, np.array([code for code in found if code is not None], np.intp))
    classes = _classes(aggregates, selection)
    if classes is not None:
        yield lambda rows: np.take(classes, columns["class"][rows], mode="clip")
    yield from _between(columns["duration_ms"], selection.min_duration_seconds, selection.max_duration_seconds)


def _among(column: NDArray[Any], codes: NDArray[np.intp]) -> Test:
    return lambda rows: among(column[rows], codes)


def _marks(marked: NDArray[np.bool_], first: int, rows: Rows) -> NDArray[np.bool_]:
    return marked[slice(rows.start - first, rows.stop - first) if isinstance(rows, slice) else rows - first]


def _classes(aggregates: Aggregates, selection: Selection) -> NDArray[np.bool_] | None:
    """Which classes of calls are kept, or None for all of them."""
    calls = aggregates.calls
    kept = np.ones(len(aggregates.codes.classes), dtype=bool)
    for wanted, flags in ((selection.answered, calls.answered), (selection.resolved, calls.resolved)):
        if wanted:
            kept &= np.isin(flags, [_FLAGS[word] for word in wanted])
    if selection.rating:
        kept &= np.isin(calls.rating, [0 if word == "null" else int(word) for word in selection.rating])
    return None if kept.all() else kept


def _between(duration: NDArray[Any], least: float | None, most: float | None) -> Iterator[Test]:
    if least is not None or most is not None:
        # An unknown one stands as 0, and a known one is never so short.
        low = max(_milliseconds(least or 0.0, upwards=True), 1)
        yield lambda rows: duration[rows] >= low
    if most is not None:
        high = _milliseconds(most, upwards=False)
        yield lambda rows: duration[rows] <= high


def _milliseconds(seconds: float, *, upwards: bool) -> int:
    """The least (or the most) whole milliseconds that, as seconds, are at least (or at most) `seconds`."""
    nearest = round(seconds * 1000)
    if upwards:
        return nearest if nearest / 1000 >= seconds else nearest + 1
    return nearest if nearest / 1000 <= seconds else nearest - 1
