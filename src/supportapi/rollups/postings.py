"""The rows of each member, or of each combination of them, so that few rows are found without looking at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.rollups.questions import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

POSTED: Final[tuple[tuple[str, ...], ...]] = (("agent_id",), ("region", "issue_type", "channel"))
"""The dimensions of the postings that a version has, those that leave the fewest rows first."""

BUCKETED: Final = ("region", "issue_type", "channel")
"""Those of the postings with the buckets of their rows: of a few members of these many rows are left to be counted."""

_MOST_CELLS: Final = 1 << 16
_MOST_LOOKS: Final = 512
"""Above so many cells it is quicker to look at every row of the window."""


class Postings(msgspec.Struct, frozen=True):
    """The rows of every combination of members of `dims`, one after the other, each in order of time.

    `starts` and `ends`, with an axis for each dimension, say where in `rows` those of a combination begin and end.
    `buckets` has the `wait` and the `duration` bucket of each of `rows` in the same order, or nothing.
    """

    dims: tuple[str, ...]
    rows: NDArray[np.uint32]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    buckets: Mapping[Measured, NDArray[np.uint16]]

    def count(self, members: Mapping[str, NDArray[np.intp]]) -> int | None:
        """How many rows have one of `members` in each of `dims`; None where none of `dims` is limited."""
        if members.keys().isdisjoint(self.dims):
            return None
        cells = np.ix_(*self._kept(members))
        return int((self.ends[cells] - self.starts[cells]).sum())

    def between(self, first: int, end: int, members: Mapping[str, NDArray[np.intp]]) -> NDArray[np.intp] | None:
        """The rows from `first` up to `end` that have one of `members` in each of `dims`, by combination.

        None where none of `dims` is limited, or where so many combinations are left that looking at rows is quicker.
        """
        places = self._places((first, end), members)
        return None if places is None else _joined(self.rows, places).astype(np.intp)

    def histograms(
        self, bounds: Sequence[int], members: Mapping[str, NDArray[np.intp]], widths: Mapping[Measured, int]
    ) -> dict[Measured, NDArray[np.int64]] | None:
        """The histograms, shape `(len(bounds) - 1, width)`, of the rows between neighbours of `bounds`, as `between`.

        None as there, and where a dimension is limited that is none of `dims`, or the buckets are not kept.
        """
        places = self._places(bounds, members) if self.buckets and members.keys() <= set(self.dims) else None
        if places is None:
            return None
        steps = len(bounds) - 1
        found: dict[Measured, NDArray[np.int64]] = {}
        for of, width in widths.items():
            # Unknown values have a bucket of their own here: cheaper than leaving their rows out.
            cell = np.minimum(_joined(self.buckets[of], places), width)
            if steps > 1:
                offsets = np.tile(np.arange(steps, dtype=np.uint32) * (width + 1), len(places))
                cell = cell + np.repeat(offsets, np.diff(places, axis=1).ravel())
            found[of] = np.bincount(cell, minlength=steps * (width + 1)).reshape(steps, width + 1)[:, :width]
        return found

    def _kept(self, members: Mapping[str, NDArray[np.intp]]) -> list[NDArray[np.intp]]:
        """The codes that are left along each of `dims`."""
        sizes = zip(self.dims, self.ends.shape, strict=True)
        return [members[dim] if dim in members else np.arange(size, dtype=np.intp) for dim, size in sizes]

    def _places(self, bounds: Sequence[int], members: Mapping[str, NDArray[np.intp]]) -> NDArray[np.intp] | None:
        """Where in `rows` those from each of `bounds` begin, shape `(combinations, len(bounds))`; None as `between`."""
        kept = self._kept(members)
        if members.keys().isdisjoint(self.dims) or np.prod([len(codes) for codes in kept]) > _MOST_LOOKS:
            return None
        cells = np.ravel_multi_index(np.ix_(*kept), self.ends.shape).ravel()
        wanted = np.array(bounds, dtype=np.uint32)
        runs = zip(self.starts.ravel()[cells].tolist(), self.ends.ravel()[cells].tolist(), strict=True)
        found = [start + self.rows[start:stop].searchsorted(wanted) for start, stop in runs]
        return np.array(found, dtype=np.intp).reshape(len(found), len(wanted))


def postings(
    dims: tuple[str, ...],
    columns: Mapping[str, NDArray[Any]],
    sizes: Mapping[str, int],
    layout: NDArray[np.intp] | None = None,
) -> Postings | None:
    """The postings of `columns` of member codes below `sizes`; None where there are too many combinations.

    `layout` lists the combinations in the order in which their rows are to follow each other.
    """
    shape = tuple(sizes[dim] for dim in dims)
    cells = int(np.prod(shape, dtype=np.int64))
    if cells > _MOST_CELLS:
        return None
    cell = np.ravel_multi_index(tuple(columns[dim] for dim in dims), shape).astype(np.uint16)
    place = np.arange(cells, dtype=np.uint16)
    if layout is not None:
        place[layout] = np.arange(cells, dtype=np.uint16)
    ends = np.cumsum(np.bincount(place[cell], minlength=cells))
    starts = np.append(0, ends[:-1])
    rows = np.argsort(place[cell], kind="stable").astype(np.uint32)
    kept: tuple[Measured, ...] = ("wait", "duration") if dims == BUCKETED else ()
    return Postings(
        dims,
        rows,
        starts[place].reshape(shape),
        ends[place].reshape(shape),
        {of: columns[f"{of}_bucket"][rows] for of in kept},
    )


def _joined(column: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    """The parts of `column` from the first to the last of each row of `places`, one after the other."""
    ends: list[list[int]] = places[:, [0, -1]].tolist()
    return np.concatenate([*(column[start:stop] for start, stop in ends), column[:0]])
