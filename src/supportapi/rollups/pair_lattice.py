"""The lattice of agents and regions: as the dense ones, without the many days on which a pair has no calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from supportapi.measures.tally import CALLS, COUNTS, SUMS, Tally
from supportapi.rollups.lattice import narrowed
from supportapi.rollups.questions import PAIR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.rollups.lattice import Selection

_WORD: Final = 64


class PairLattice:
    """The tallies of each pair, day by day; the slot after the last pair stands for all of them.

    A cell is a day on which a slot has calls (for the last slot, any day); cells go by slot, then by day. One running
    total goes through all of them, so that any window of any pair is one subtraction: entry `n` of `counts` and `sums`
    (one more than there are cells) is the total of the cells before cell `n`. `longest` is each cell's longest wait in
    milliseconds plus one, 0 where none is known, and a last 0 after all of them.

    Cells are found by a bitmap: `marks`, shape `(slots, words)`, has a bit for each day, 64 in a word, and `before`,
    likewise, the number of cells before the word's first day.
    """

    __slots__ = ("before", "counts", "longest", "marks", "sums")

    dims = (PAIR,)

    def __init__(
        self,
        marks: NDArray[np.uint64],
        before: NDArray[np.int64],
        counts: NDArray[Any],
        sums: NDArray[np.int64],
        longest: NDArray[Any],
    ) -> None:
        self.marks = marks
        self.before = before
        self.counts = counts
        self.sums = sums
        self.longest = longest

    @classmethod
    def of_cells(
        cls,
        days: int,
        pairs: int,
        at: tuple[NDArray[np.intp], NDArray[np.intp]],
        measures: tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]],
    ) -> PairLattice:
        """The lattice of cells `at` (pair, day) with their `measures`: counts, sums, and longest waits plus one."""
        pair, day = at
        of_day = [_by_day(values, day, days) for values in measures[:2]]
        longest_of_day = np.zeros(days, np.int64)
        np.maximum.at(longest_of_day, day, measures[2])
        order = np.argsort(pair * days + day)
        counts, sums = (
            _running(np.concatenate([values[order], total])) for values, total in zip(measures[:2], of_day, strict=True)
        )
        longest = np.concatenate([measures[2][order], longest_of_day, [0]])
        slots, every = np.append(pair, np.full(days, pairs)), np.append(day, np.arange(days))
        return cls(*_index(slots, every, (pairs + 1, days // _WORD + 1)), counts, sums, narrowed(longest))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many slots there are."""
        return self.marks.shape[:1]

    def between(self, selection: Selection, edges: NDArray[np.intp]) -> Tally:
        """The tallies between neighbouring day `edges`, shape `(selected, len(edges) - 1)`."""
        at = self._at(selection, edges)
        return Tally(np.diff(self.counts[at], axis=1).astype(np.int64, copy=False), np.diff(self.sums[at], axis=1))

    def calls_between(self, selection: Selection, edges: NDArray[np.intp]) -> NDArray[np.int64]:
        """The number of calls of each of `between` alone."""
        return np.diff(self.counts[self._at(selection, edges), CALLS], axis=1).astype(np.int64, copy=False)

    def longest_between(self, selection: Selection, edges: NDArray[np.intp]) -> NDArray[np.float64]:
        """The longest wait in seconds between neighbouring `edges`, NaN without one; shape as in `between`."""
        at = self._at(selection, edges)
        starts, ends = at[:, :-1].ravel(), at[:, 1:].ravel()
        filled = np.flatnonzero(ends > starts)
        found = np.zeros(starts.size, np.int64)
        if filled.size:
            # Every second step of reduceat is one of ours; those between, which it wants too, are thrown away.
            bounds = np.column_stack([starts[filled], ends[filled]]).ravel()
            found[filled] = np.maximum.reduceat(self.longest, bounds)[::2]
        return np.where(found > 0, (found - 1) / 1000, np.nan).reshape(at.shape[0], at.shape[1] - 1)

    def _at(self, selection: Selection, edges: NDArray[np.intp]) -> NDArray[np.intp]:
        """The first cell at or after each edge of each selected slot; a slot's end is the next one's beginning."""
        (slots,) = selection
        word, bit = np.divmod(edges, _WORD)
        at = (slots[:, None], word)
        earlier = self.marks[at] & ((np.uint64(1) << bit.astype(np.uint64)) - np.uint64(1))
        return self.before[at] + np.bitwise_count(earlier)


def pair_bytes(pairs: int, cells: int, days: int) -> int:
    """What a lattice of `pairs` with so many `cells` takes."""
    index = (pairs + 1) * (days // _WORD + 1) * 16
    return index + (cells + days) * (4 * len(COUNTS) + 8 * len(SUMS) + 4)


def _index(
    slot: NDArray[np.intp], day: NDArray[np.intp], shape: tuple[int, int]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The bitmap of cells, and how many there are before each of its words."""
    word = slot * shape[1] + day // _WORD
    marks = np.zeros(shape[0] * shape[1], np.uint64)
    np.bitwise_or.at(marks, word, np.uint64(1) << (day % _WORD).astype(np.uint64))
    filled = np.bincount(word, minlength=len(marks))
    return marks.reshape(shape), (np.cumsum(filled) - filled).reshape(shape)


def _by_day(values: NDArray[Any], day: NDArray[np.intp], days: int) -> NDArray[Any]:
    total = np.zeros((days, values.shape[1]), values.dtype)
    np.add.at(total, day, values)
    return total


def _running(values: NDArray[Any]) -> NDArray[Any]:
    running = np.zeros((len(values) + 1, values.shape[1]), values.dtype)
    np.cumsum(values, axis=0, out=running[1:])
    return running
