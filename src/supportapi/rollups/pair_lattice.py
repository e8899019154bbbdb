"""The lattice of agents and regions: as the dense ones, without the many days on which a pair has no calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from supportapi.measures.tally import COUNTS, SUMS, Tally
from supportapi.rollups.questions import PAIR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.rollups.lattice import Selection

CELL_BYTES: Final = 8 + 4 * len(COUNTS) + 8 * len(SUMS) + 8


class PairLattice:
    """The tallies of each pair, day by day; the slot after the last pair stands for all of them.

    `cell`, sorted, names the days that have calls: slot * `days` + day. One running total goes through all cells, so
    that any window of any pair is one subtraction: entry `n` of `counts` and `sums` (one more than there are cells) is
    the total of the cells before cell `n`. `longest` is each cell's longest wait in milliseconds plus one, 0 where
    none is known, and a last 0 after all of them.
    """

    __slots__ = ("cell", "counts", "days", "longest", "shape", "sums")

    dims = (PAIR,)

    def __init__(
        self,
        days: int,
        slots: int,
        cell: NDArray[np.int64],
        counts: NDArray[Any],
        sums: NDArray[np.int64],
        longest: NDArray[np.int64],
    ) -> None:
        self.days = days
        self.shape = (slots,)
        self.cell = cell
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
        cell = np.concatenate([(pair * days + day)[order], pairs * days + np.arange(days)])
        counts, sums = (
            _running(np.concatenate([values[order], total])) for values, total in zip(measures[:2], of_day, strict=True)
        )
        return cls(days, pairs + 1, cell, counts, sums, np.concatenate([measures[2][order], longest_of_day, [0]]))

    def between(self, selection: Selection, edges: NDArray[np.intp]) -> Tally:
        """The tallies between neighbouring day `edges`, shape `(selected, len(edges) - 1)`."""
        at = self._at(selection, edges)
        return Tally(np.diff(self.counts[at], axis=1).astype(np.int64, copy=False), np.diff(self.sums[at], axis=1))

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
        return np.searchsorted(self.cell, slots[:, None] * self.days + edges)


def _by_day(values: NDArray[Any], day: NDArray[np.intp], days: int) -> NDArray[Any]:
    total = np.zeros((days, values.shape[1]), values.dtype)
    np.add.at(total, day, values)
    return total


def _running(values: NDArray[Any]) -> NDArray[Any]:
    running = np.zeros((len(values) + 1, values.shape[1]), values.dtype)
    np.cumsum(values, axis=0, out=running[1:])
    return running
