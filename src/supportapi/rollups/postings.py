"""The rows of each member, or of each combination of them, so that few rows are found without looking at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

POSTED: Final[tuple[tuple[str, ...], ...]] = (("agent_id",), ("region", "issue_type", "channel"))
"""The dimensions of the postings that a version has, those that leave the fewest rows first."""

_MOST_CELLS: Final = 1 << 16
_MOST_LOOKS: Final = 512
"""Above so many cells it is quicker to look at every row of the window."""


class Postings(msgspec.Struct, frozen=True):
    """The rows of every combination of members of `dims`, one after the other, each in order of time.

    `ends`, with an axis for each dimension, says where in `rows` those of a combination end and the next one's begin.
    """

    dims: tuple[str, ...]
    rows: NDArray[np.uint32]
    ends: NDArray[np.int64]

    def count(self, members: Mapping[str, NDArray[np.intp]]) -> int | None:
        """How many rows have one of `members` in each of `dims`; None where none of `dims` is limited."""
        if members.keys().isdisjoint(self.dims):
            return None
        sizes = np.diff(self.ends.ravel(), prepend=0).reshape(self.ends.shape)
        return int(sizes[np.ix_(*self._kept(members))].sum())

    def between(self, first: int, end: int, members: Mapping[str, NDArray[np.intp]]) -> NDArray[np.intp] | None:
        """The rows from `first` up to `end` that have one of `members` in each of `dims`, by combination.

        None where none of `dims` is limited, or where so many combinations are left that looking at rows is quicker.
        """
        kept = self._kept(members)
        if members.keys().isdisjoint(self.dims) or np.prod([len(codes) for codes in kept]) > _MOST_LOOKS:
            return None
        return np.concatenate([*self._runs(first, end, kept), np.array([], np.uint32)]).astype(np.intp)

    def _kept(self, members: Mapping[str, NDArray[np.intp]]) -> list[NDArray[np.intp]]:
        sizes = zip(self.dims, self.ends.shape, strict=True)
        return [members[dim] if dim in members else np.arange(size, dtype=np.intp) for dim, size in sizes]

    def _runs(self, first: int, end: int, kept: Sequence[NDArray[np.intp]]) -> Iterator[NDArray[Any]]:
        cells = np.ravel_multi_index(np.ix_(*kept), self.ends.shape).ravel()
        ends = self.ends.ravel()
        starts = np.where(cells > 0, ends[cells - 1], 0)
        bounds = np.array((first, end), dtype=np.uint32)
        for start, stop in zip(starts.tolist(), ends[cells].tolist(), strict=True):
            rows = self.rows[start:stop]
            low, high = rows.searchsorted(bounds)
            yield rows[low:high]


def postings(dims: tuple[str, ...], columns: Mapping[str, NDArray[Any]], sizes: Mapping[str, int]) -> Postings | None:
    """The postings of `columns` of member codes below `sizes`; None where there are too many combinations."""
    shape = tuple(sizes[dim] for dim in dims)
    cells = int(np.prod(shape, dtype=np.int64))
    if cells > _MOST_CELLS:
        return None
    cell = np.ravel_multi_index(tuple(columns[dim] for dim in dims), shape).astype(np.uint16)
    ends = np.cumsum(np.bincount(cell, minlength=cells)).reshape(shape)
    return Postings(dims, np.argsort(cell, kind="stable").astype(np.uint32), ends)
