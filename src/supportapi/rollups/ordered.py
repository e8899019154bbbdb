"""Rows in the order of a column, and any page of them: of few rows by sorting, of many by walking a kept order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.calls.selection import Order
    from supportapi.rollups.call_rows import CallRows

_BLOCK: Final = 1 << 16
_FOUR_BYTES: Final = 4


def in_order(calls: CallRows, column: str, rows: NDArray[Any]) -> tuple[NDArray[np.uint32], int]:
    """`rows` upwards by `column`, ties by id, unknown values last; and how many are known."""
    values, known = calls.sort_values(column, rows)
    if values.itemsize > _FOUR_BYTES:
        # Rare: waits or durations of more than 49 days.
        order = np.lexsort((calls.rank(rows), values, ~known))
        return rows[order].astype(np.uint32), int(np.count_nonzero(known))
    # Sorting numbers that hold value and rank is several times as fast as sorting places by either.
    ranks = calls.rank(rows).astype(np.uint64)
    keys = np.sort((values[known].astype(np.uint64) << np.uint64(32)) | ranks[known])
    sorted_ranks = np.concatenate([keys & np.uint64(0xFFFF_FFFF), np.sort(ranks[~known])])
    return calls.at_rank(sorted_ranks).astype(np.uint32), len(keys)


def sorted_by(calls: CallRows, order: Order, rows: NDArray[Any]) -> NDArray[np.uint32]:
    """`rows` by all columns of `order`."""
    rank = calls.rank(rows).astype(np.int64)
    sort_keys: list[NDArray[Any]] = [-rank if order.keys[-1].descending else rank]
    for key in reversed(order.keys):
        values, known = calls.sort_values(key.column, rows)
        whole = np.where(known, values, 0).astype(np.int64)
        sort_keys += [-whole if key.descending else whole, ~known]
    return rows[np.lexsort(sort_keys)].astype(np.uint32)


class Run:
    """Rows one after the other, upwards with the unknown ones last, to be read upwards or downwards.

    `rows` None are the rows from `first` on, as they stand; `known` of them have a value.
    """

    def __init__(self, rows: NDArray[np.uint32] | None, count: int, known: int, first: int = 0) -> None:
        self._rows = rows
        self._first = first
        self.count = count
        self._known = known

    def part(self, start: int, end: int, *, descending: bool) -> NDArray[Any]:
        """The rows at the places from `start` up to `end`; downwards, the unknown ones come last as well."""
        if not descending:
            return self._slice(start, end)
        known, count = self._known, self.count
        above = self._slice(known - min(end, known), known - min(start, known))[::-1]
        unknown = self._slice(count - max(end, known) + known, count - max(start, known) + known)[::-1]
        return np.concatenate([above, unknown]) if len(above) and len(unknown) else above if len(above) else unknown

    def marks(self, mask: NDArray[np.bool_], start: int, end: int, *, descending: bool) -> NDArray[np.bool_]:
        """What `mask` says of the rows of `part`."""
        if self._rows is None and self._known == self.count:
            # Rows as they stand: nothing is looked up.
            low, high = (self.count - end, self.count - start) if descending else (start, end)
            stretch = mask[self._first + low : self._first + high]
            return stretch[::-1] if descending else stretch
        return mask[self.part(start, end, descending=descending)]

    def _slice(self, start: int, end: int) -> NDArray[Any]:
        if self._rows is None:
            return np.arange(self._first + start, self._first + end, dtype=np.uint32)
        return self._rows[start:end]


class Walk:
    """The rows of a run that `mask` keeps. How many a block keeps is counted once, from the end that is nearer."""

    def __init__(self, run: Run, mask: NDArray[np.bool_], kept: int) -> None:
        self._run = run
        self._mask = mask
        self._kept = kept
        self._counts: dict[tuple[int, bool], int] = {}

    def part(self, start: int, end: int, *, descending: bool) -> NDArray[Any]:
        """The rows at the places from `start` up to `end` of those that are kept."""
        blocks = -(-self._run.count // _BLOCK)
        block, before = self._block_of(start, blocks, descending=descending)
        found: list[NDArray[Any]] = []
        have, wanted = before, min(end, self._kept)
        while have < wanted and block < blocks:
            rows = self._rows(block, descending=descending)
            found.append(rows)
            have += len(rows)
            block += 1
        return np.concatenate(found)[start - before : wanted - before] if found else np.array([], np.uint32)

    def _block_of(self, place: int, blocks: int, *, descending: bool) -> tuple[int, int]:
        """The block that holds the kept row at `place`, and how many kept rows stand before that block."""
        if place <= self._kept // 2:
            before = 0
            for block in range(blocks):
                count = self._count(block, descending=descending)
                if before + count > place:
                    return block, before
                before += count
            return blocks, before
        before = self._kept
        for block in reversed(range(blocks)):
            before -= self._count(block, descending=descending)
            if before <= place:
                return block, before
        return 0, 0

    def _count(self, block: int, *, descending: bool) -> int:
        key = (block, descending)
        if key not in self._counts:
            self._counts[key] = int(np.count_nonzero(self._marks(*key)))
        return self._counts[key]

    def _marks(self, block: int, descending: bool) -> NDArray[np.bool_]:  # noqa: FBT001 - half of a key
        return self._run.marks(self._mask, *self._places(block), descending=descending)

    def _rows(self, block: int, *, descending: bool) -> NDArray[Any]:
        kept: NDArray[Any] = self._run.part(*self._places(block), descending=descending)[self._marks(block, descending)]
        return kept

    def _places(self, block: int) -> tuple[int, int]:
        return block * _BLOCK, min((block + 1) * _BLOCK, self._run.count)


class Sorted:
    """Rows that stand in their order already."""

    def __init__(self, rows: NDArray[np.uint32]) -> None:
        self._rows = rows

    def part(self, start: int, end: int, *, descending: bool) -> NDArray[Any]:
        """The rows at the places from `start` up to `end`; they have one direction only."""
        del descending
        return self._rows[start:end]


class Narrowed:
    """Many rows by several columns: they stand in the order of the first, and who shares its value is sorted by all."""

    def __init__(self, calls: CallRows, order: Order, first: Run | Walk, count: int) -> None:
        self._calls = calls
        self._order = order
        self._first = first
        self._count = count

    def part(self, start: int, end: int, *, descending: bool) -> NDArray[Any]:
        """The rows at the places from `start` up to `end`; `descending` is that of the first column."""

        def place_of(place: int) -> tuple[bool, int]:
            row = self._first.part(place, place + 1, descending=descending)
            values, known = self._calls.sort_values(self._order.column, row)
            return (False, -int(values[0]) if descending else int(values[0])) if known[0] else (True, 0)

        places = range(self._count)
        low = bisect_left(places, place_of(start), hi=start, key=place_of)
        high = bisect_right(places, place_of(end - 1), lo=end - 1, key=place_of)
        tied = self._first.part(low, high, descending=descending)
        return sorted_by(self._calls, self._order, tied)[start - low : end - low]
