"""The rows of a kept order that a selection leaves, without walking it from its beginning."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from supportapi.rollups.ordered import Run, Upwards
from supportapi.rollups.stretches import total

if TYPE_CHECKING:
    from supportapi.calls.selection import SortColumn
    from supportapi.rollups.call_rows import CallRows
    from supportapi.rollups.chosen import Chosen
    from supportapi.rollups.codes import Rows

_BLOCK: Final = 1 << 15
_WALKED: Final = 1 << 18
"""So many places, some blocks of them, are walked sooner than it is counted what stands before the last of them."""

_SAMPLED: Final = 1 << 14

Test = Callable[[slice], NDArray[np.bool_]]


class Marked:
    """The rows of `mask` (of all rows), counted in the order of a column: unknown values last, ties by id.

    `chosen` says how many there are, and between which rows they lie.
    """

    def __init__(self, calls: CallRows, column: SortColumn, chosen: Chosen, mask: NDArray[np.bool_]) -> None:
        self._calls = calls
        self._column: SortColumn = column
        self._first, self._end = chosen.first, chosen.end
        self.mask = mask
        self.count = chosen.total

    def known(self) -> int:
        """How many have a value."""
        return total(self._first, self._end, lambda rows: self._kept(rows, self._values(rows)[1]))

    def before(self, row: int) -> int:
        """How many stand before `row`, be it one of them or not."""
        if self._column == "started_at":
            return int(np.count_nonzero(self.mask[:row]))
        rank = self._calls.parts.id_rank
        if len(rank):
            return self._earlier(self._first, self._end, row, lambda rows: rank[rows] < rank[row])
        # Ids rise with rows: of those with the same value the ones in front of this one are earlier.
        middle = min(max(row, self._first), self._end)
        return self._earlier(self._first, middle, row, _all) + self._earlier(middle, self._end, row, _none)

    def _earlier(self, first: int, end: int, than: int, by_id: Test) -> int:
        """How many of those from row `first` up to `end` have less, or, where that is the same, are so `by_id`."""
        value, known = (found[0] for found in self._values(np.array([than])))

        def earlier(rows: slice) -> NDArray[np.bool_]:
            values, told = self._values(rows)
            if not known:
                return told | by_id(rows)
            if by_id is _all:
                return told & (values <= value)
            less = told & (values < value)
            return less if by_id is _none else less | (told & (values == value) & by_id(rows))

        return total(first, end, lambda rows: self._kept(rows, earlier(rows)))

    def _kept(self, rows: slice, marks: NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(self.mask[rows] & marks))

    def _values(self, rows: Rows) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        return self._calls.sort_values(self._column, rows)


class Walk(Upwards):
    """The rows of a run that are marked.

    How many stand before a place of the run is counted where that is wanted first, and remembered. The rows of a run
    lie anywhere in memory. So no more than a few of them are looked up, which tells where about the wanted ones stand,
    and those before that place are counted by their values, from the first row to the last.
    """

    def __init__(self, run: Run, marked: Marked) -> None:
        super().__init__(marked.count)
        self._run = run
        self._marked = marked
        self._told = [(0, 0), (self.count, run.count)]
        self._known = marked.count if run.known == run.count else None

    @property
    def known(self) -> int:
        """How many have a value."""
        if self._known is None:
            self._known = self._marked.known()
            self._tell(self._known, self._run.known)
        return self._known

    def upwards(self, start: int, end: int) -> NDArray[Any]:
        """The rows at the places from `start` up to `end` of those that are kept."""
        if start >= end:
            return np.array([], np.uint32)
        have, place = self._near(start)
        found: list[NDArray[Any]] = []
        before = have
        while have < end:
            until = min(place + _BLOCK, self._run.count)
            marks = self._run.marks(self._marked.mask, place, until)
            after = have + int(np.count_nonzero(marks))
            if after > start:
                found.append(self._run.upwards(place, until)[marks])
            else:
                before = after
            have, place = after, until
            self._tell(have, place)
        return np.concatenate(found)[start - before : end - before]

    def _near(self, wanted: int) -> tuple[int, int]:
        """How many kept rows stand before a place of the run, and the place: shortly before the `wanted` one."""
        while True:
            at = bisect_right(self._told, wanted, key=lambda told: told[0])
            (before, low), (after, high) = self._told[at - 1 : at + 1]
            guess = low if high - low <= _WALKED else self._guess((wanted - before) / (after - before), low, high)
            if guess - low <= _WALKED:
                return before, low
            if high - guess > _WALKED:
                self._tell(self._marked.before(int(self._run.upwards(guess, guess + 1)[0])), guess)
            else:
                start = max(high - _BLOCK, low)
                self._tell(after - int(np.count_nonzero(self._run.marks(self._marked.mask, start, high))), start)

    def _guess(self, share: float, low: int, high: int) -> int:
        """Where about between `low` and `high` so large a share of the kept rows is reached."""
        step = -(-(high - low) // _SAMPLED)
        reached = np.cumsum(self._run.marks(self._marked.mask, low, high, step), dtype=np.intp)
        if not reached[-1]:
            return (low + high) // 2
        at = int(reached.searchsorted(share * int(reached[-1]), side="right"))
        return min(low + at * step, high - 1)

    def _tell(self, before: int, place: int) -> None:
        at = bisect_left(self._told, (before, place))
        if at == len(self._told) or self._told[at] != (before, place):
            self._told.insert(at, (before, place))


def _all(rows: slice[int, int, None]) -> NDArray[np.bool_]:
    return np.ones(int(rows.stop - rows.start), dtype=bool)


def _none(rows: slice[int, int, None]) -> NDArray[np.bool_]:
    return np.zeros(int(rows.stop - rows.start), dtype=bool)
