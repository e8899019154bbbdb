"""Dense arrays of measures, prefix-summed along the days: any window is one subtraction, whatever its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.measures.tally import CALLS, COUNTS, SUMS, Tally

Selection = Sequence[NDArray[np.intp]]
"""For each dimension of a lattice the slots to add up; its last slot, `all`, where the dimension is not limited."""


class Lattice(msgspec.Struct, frozen=True):
    """The tallies of every combination of members of `dims`, day by day.

    `counts` has shape `(n1 + 1, ..., days + 1, columns)` and `sums` likewise: entry `d` along the days holds the total
    of the days before `d`. `column_of` says which column is that of each of `COUNTS`, see `columns`. `longest`, shape
    `(n1 + 1, ..., days)`, is each day's longest wait in milliseconds plus one, 0 where none is known. The last slot of
    each dimension stands for all of its members.
    """

    dims: tuple[str, ...]
    column_of: NDArray[np.intp]
    counts: NDArray[Any]
    sums: NDArray[np.int64]
    longest: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many slots each dimension has."""
        return self.counts.shape[:-2]

    def between(self, selection: Selection, edges: NDArray[np.intp]) -> Tally:
        """The tallies between neighbouring day `edges`, shape `(*selected, len(edges) - 1)`."""
        at = np.ix_(*selection, edges)
        counts = np.diff(self.counts[at], axis=-2).astype(np.int64, copy=False)
        return Tally(np.take(counts, self.column_of, axis=-1), np.diff(self.sums[at], axis=-2))

    def calls_between(self, selection: Selection, edges: NDArray[np.intp]) -> NDArray[np.int64]:
        """The number of calls of each of `between` alone."""
        found = self.counts[..., self.column_of[CALLS]][np.ix_(*selection, edges)]
        return np.diff(found, axis=-1).astype(np.int64, copy=False)

    def longest_between(self, selection: Selection, edges: NDArray[np.intp]) -> NDArray[np.float64]:
        """The longest wait in seconds between neighbouring `edges`, NaN without one; shape as in `between`."""
        slots, steps = np.ix_(*selection), len(edges) - 1
        shape = (*(len(slot) for slot in selection), steps)
        if edges[-1] <= edges[0]:
            return np.full(shape, np.nan)
        days = (
            self.longest[(*slots, slice(int(edges[0]), int(edges[-1])))]
            if selection
            else self.longest[int(edges[0]) : int(edges[-1])]
        )
        # reduceat gives the element itself for an empty step, so empty steps are cut out and stay unknown.
        starts = edges[:-1] - edges[0]
        filled = np.flatnonzero(edges[1:] > edges[:-1])
        found = np.zeros(shape, dtype=np.int64)
        found[..., filled] = np.maximum.reduceat(days, starts[filled], axis=-1)
        return np.where(found > 0, (found - 1) / 1000, np.nan)


class HistogramLattice:
    """Histograms of waits or durations of every combination of members, prefix-summed at every `step` days.

    `counts` has shape `(n1 + 1, ..., checkpoints, buckets)`: entry `k` holds the days before day `k * step`. Only the
    buckets from the first used one, `first`, to the last are kept.
    """

    __slots__ = ("counts", "dims", "first", "step")

    def __init__(self, dims: tuple[str, ...], step: int, first: int, counts: NDArray[Any]) -> None:
        self.dims = dims
        self.step = step
        self.first = first
        self.counts = counts

    def whole_steps(self, start: int, end: int) -> tuple[int, int]:
        """The days `[a, b)` inside `[start, end)` that begin and end at checkpoints; `a == b` when there are none."""
        last = self.counts.shape[-2] - 1
        first, stop = -(-start // self.step), min(end // self.step, last)
        return (first * self.step, stop * self.step) if first < stop else (start, start)

    def between(self, selection: Selection, edges: NDArray[np.intp]) -> NDArray[np.int64]:
        """The histograms between neighbouring day `edges`, all checkpoints; shape `(*selected, steps, buckets)`."""
        kept = self.counts[np.ix_(*selection, edges // self.step)]
        steps, buckets = kept.shape[-2] - 1, kept.shape[-1]
        found = np.zeros((*kept.shape[:-2], steps, self.first + buckets), np.int64)
        found[..., self.first :] = np.diff(kept, axis=-2)
        return found


def columns(classes: NDArray[np.int8]) -> tuple[list[int], NDArray[np.intp]]:
    """Which of `COUNTS` to keep, and which of these each of them is: those that count the same calls are kept once."""
    number: dict[bytes, int] = {}
    column_of = [number.setdefault(counted.tobytes(), len(number)) for counted in classes.T]
    return [column_of.index(column) for column in range(len(number))], np.array(column_of, np.intp)


def lattice_bytes(sizes: Sequence[int], days: int) -> int:
    """What a lattice over dimensions of `sizes` members takes."""
    slots = int(np.prod([size + 1 for size in sizes], dtype=np.int64))
    return slots * (days + 1) * (4 * len(COUNTS) + 8 * len(SUMS) + 4)


def histogram_bytes(sizes: Sequence[int], days: int, step: int, buckets: int) -> int:
    """What a histogram lattice takes."""
    return int(np.prod([size + 1 for size in sizes], dtype=np.int64)) * (days // step + 1) * buckets * 4


def narrowed(numbers: NDArray[np.int64]) -> NDArray[Any]:
    """The same in two bytes each, or in four, where they fit; none is negative."""
    highest = int(numbers.max(initial=0))
    return numbers.astype(np.uint16 if highest < 2**16 else np.uint32) if highest < 2**32 else numbers


def fold_all(dense: NDArray[Any], axes: int, *, maximum: bool = False) -> None:
    """Fill, in place, the last slot of each of the first `axes` axes with the others' sum, or with their maximum."""
    for axis in range(axes):
        others = tuple(slice(None, -1) if at == axis else slice(None) for at in range(dense.ndim))
        slot = tuple(-1 if at == axis else slice(None) for at in range(dense.ndim))
        if dense.shape[axis] > 1:
            dense[slot] = dense[others].max(axis=axis) if maximum else dense[others].sum(axis=axis, dtype=dense.dtype)
