"""The lattice of agents and regions: as the dense ones, without the many days on which a pair has no calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.measures.tally import CALLS, COUNTS, SUMS, Tally
from supportapi.rollups.lattice import narrowed
from supportapi.rollups.questions import PAIR

if TYPE_CHECKING:
    from supportapi.rollups.lattice import Selection

_WORD: Final = 64


class PairLattice(msgspec.Struct, frozen=True):
    """The tallies of each pair, day by day.

    A cell is a day on which a slot (a pair) has calls; cells go by slot, then by day. They are found by a bitmap:
    `marks`, shape `(slots, words)`, has a bit for each day, 64 in a word, and `before`, likewise, the number of cells
    before the word's first day.

    `total_counts` and `total_sums`, shape `(slots, words, ...)`, are running totals through all cells, up to a word's
    first day; `counts` and `sums`, which are so small that fewer bytes hold them, those from there on: entry `n` (one
    more than there are cells) up to and with cell `n - 1`. `column_of` is that of `Lattice`. `longest` is each cell's
    longest wait in milliseconds plus one, 0 where none is known, and a last 0 after all of them.
    """

    dims: ClassVar[tuple[str, ...]] = (PAIR,)

    column_of: NDArray[np.intp]
    marks: NDArray[np.uint64]
    before: NDArray[np.int64]
    total_counts: NDArray[Any]
    total_sums: NDArray[Any]
    counts: NDArray[Any]
    sums: NDArray[Any]
    longest: NDArray[Any]

    @classmethod
    def of_cells(
        cls,
        days: int,
        pairs: int,
        at: tuple[NDArray[np.intp], NDArray[np.intp]],
        measures: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
        column_of: NDArray[np.intp],
    ) -> PairLattice:
        """The lattice of cells `at` (pair, day) with their `measures`: counts, sums, and longest waits plus one."""
        order = np.argsort(at[0] * days + at[1])
        slot, day = (each[order] for each in at)
        counts, sums, longest = (values[order] for values in measures)
        marks, before = _index(slot, day, (pairs, days // _WORD + 1))
        total_counts, counts = _running(counts, before, (slot, day // _WORD))
        total_sums, sums = _running(sums, before, (slot, day // _WORD))
        return cls(
            column_of=column_of,
            marks=marks,
            before=before,
            total_counts=total_counts,
            total_sums=total_sums,
            counts=narrowed(counts),
            sums=narrowed(sums),
            longest=narrowed(np.append(longest, 0)),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """How many slots there are."""
        return self.marks.shape[:1]

    def between(self, selection: Selection, edges: NDArray[np.intp]) -> Tally:
        """The tallies between neighbouring day `edges`, shape `(selected, len(edges) - 1)`."""
        words, _, cells = self._at(selection, edges)
        counts = np.diff(_totals(self.total_counts, self.counts, words, cells), axis=1)
        sums = np.diff(_totals(self.total_sums, self.sums, words, cells), axis=1)
        return Tally(
            np.take(counts, self.column_of, axis=-1).astype(np.int64, copy=False), sums.astype(np.int64, copy=False)
        )

    def calls_between(self, selection: Selection, edges: NDArray[np.intp]) -> NDArray[np.int64]:
        """The number of calls of each of `between` alone."""
        words, _, cells = self._at(selection, edges)
        column = self.column_of[CALLS]
        totals = self.total_counts.reshape(-1, self.total_counts.shape[-1])[words, column].astype(np.int64, copy=False)
        return np.diff(totals + self.counts[cells, column], axis=1)

    def longest_between(self, selection: Selection, edges: NDArray[np.intp]) -> NDArray[np.float64]:
        """The longest wait in seconds between neighbouring `edges`, NaN without one; shape as in `between`."""
        _, at, _ = self._at(selection, edges)
        starts, ends = at[:, :-1].ravel(), at[:, 1:].ravel()
        filled = np.flatnonzero(ends > starts)
        found = np.zeros(starts.size, np.int64)
        if filled.size:
            # Every second step of reduceat is one of ours; those between, which it wants too, are thrown away.
            bounds = np.column_stack([starts[filled], ends[filled]]).ravel()
            found[filled] = np.maximum.reduceat(self.longest, bounds)[::2]
        return np.where(found > 0, (found - 1) / 1000, np.nan).reshape(at.shape[0], at.shape[1] - 1)

    def _at(
        self, selection: Selection, edges: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Of each edge of each selected slot: its word, the first cell from it on, and the entry up to that cell.

        The entry is that of the word's cells alone: the first of all, which is 0, where there are none of them.
        """
        (slots,) = selection
        word, bit = np.divmod(edges, _WORD)
        words = slots[:, None] * self.marks.shape[1] + word
        days = (np.uint64(1) << bit.astype(np.uint64)) - np.uint64(1)
        earlier: NDArray[np.uint8] = np.bitwise_count(self.marks.ravel()[words] & days)
        cells: NDArray[np.intp] = self.before.ravel()[words] + earlier
        return words, cells, np.where(earlier > 0, cells, 0)


def _totals(totals: NDArray[Any], rest: NDArray[Any], words: NDArray[np.intp], cells: NDArray[np.intp]) -> NDArray[Any]:
    """The running totals up to some cells."""
    # `take` gathers rows several times as fast as an index does.
    found = np.take(totals.reshape(-1, totals.shape[-1]), words, axis=0)
    found += np.take(rest, cells, axis=0).astype(found.dtype, copy=False)
    return found


def pair_bytes(pairs: int, cells: int, days: int) -> int:
    """What a lattice of `pairs` with so many `cells` takes."""
    index = pairs * (days // _WORD + 1) * (16 + 8 * len(COUNTS) + 8 * len(SUMS))
    return index + cells * (2 * len(COUNTS) + 4 * len(SUMS) + 4)


def _index(
    slot: NDArray[np.intp], day: NDArray[np.intp], shape: tuple[int, int]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The bitmap of cells, and how many there are before each of its words."""
    word = slot * shape[1] + day // _WORD
    marks = np.zeros(shape[0] * shape[1], np.uint64)
    np.bitwise_or.at(marks, word, np.uint64(1) << (day % _WORD).astype(np.uint64))
    filled = np.bincount(word, minlength=len(marks))
    return marks.reshape(shape), (np.cumsum(filled) - filled).reshape(shape)


def _running(
    values: NDArray[np.int64], before: NDArray[np.int64], word: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The running totals of cells up to each word, and from the cell's `word` on, with a 0 in front."""
    running = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=running[1:])
    highest = int(running[-1].max())
    totals = running[before]
    running[1:] -= totals[word]
    return totals.astype(np.int32) if highest < 2**31 else totals, running
