"""Rows in the order of a column, and any page of them: of few rows by sorting, of many by walking a kept order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from supportapi.calls.selection import Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from supportapi.calls.selection import SortColumn
    from supportapi.rollups.call_rows import CallRows

_EIGHT_BYTES: Final = 64


def in_order(calls: CallRows, column: SortColumn, rows: NDArray[Any]) -> tuple[NDArray[np.uint32], int]:
    """`rows` upwards by `column`, ties by id, unknown values last; and how many are known."""
    known = np.count_nonzero(calls.sort_values(column, rows)[1])
    return sorted_by(calls, Order(column, descending=False), rows), int(known)


def sorted_by(calls: CallRows, order: Order, rows: NDArray[Any]) -> NDArray[np.uint32]:
    """`rows` by all columns of `order`."""
    *keys, last = order.keys
    if last.column == "started_at":
        # As rows stand: by time, then by id.
        tied, at = rows, None
    else:
        keys.append(last)
        tied, at = calls.rank(rows), calls.at_rank
    fields = [_field(*calls.sort_values(key.column, rows), descending=key.descending) for key in keys]
    lowest, highest = int(np.min(tied, initial=len(calls))), int(np.max(tied, initial=0))
    width = max(highest - lowest, 0).bit_length()
    ties = highest - tied if last.descending else tied - lowest
    if sum(bits for _, bits in fields) + width > _EIGHT_BYTES:
        return rows[np.lexsort([ties, *(numbers for numbers, _ in reversed(fields))])].astype(np.uint32)
    # Sorting numbers that hold all of it is many times as fast as sorting places by one after the other.
    packed = np.zeros(len(rows), np.uint64)
    for numbers, bits in (*fields, (ties, width)):
        packed <<= np.uint64(bits)
        packed |= numbers.astype(np.uint64)
    packed.sort()
    packed &= np.uint64((1 << width) - 1)
    found = highest - packed.astype(np.int64) if last.descending else packed.astype(np.int64) + lowest
    return (found if at is None else at(found)).astype(np.uint32)


def _field(values: NDArray[Any], known: NDArray[np.bool_], *, descending: bool) -> tuple[NDArray[Any], int]:
    """Numbers that rise in the order of `values`, or fall; those of the unknown are the largest. And their bits."""
    every = bool(known.all())
    told = values if every else values[known]
    low, high = (int(told.min()), int(told.max())) if len(told) else (0, 0)
    numbers = high - values if descending else values - low
    if every:
        return numbers, (high - low).bit_length()
    return np.where(known, numbers, np.uint64(high - low + 1)), (high - low + 1).bit_length()


class Upwards:
    """`count` rows upwards with the unknown ones last, to be read upwards or downwards."""

    def __init__(self, count: int) -> None:
        self.count = count

    @property
    def known(self) -> int:
        """How many have a value."""
        raise NotImplementedError

    def upwards(self, start: int, end: int) -> NDArray[Any]:
        """The rows at the places from `start` up to `end`."""
        raise NotImplementedError

    def part(self, start: int, end: int, *, descending: bool) -> NDArray[Any]:
        """As `upwards`, or read downwards; the unknown ones come last as well."""
        if not descending:
            return self.upwards(start, end)
        known, count = self.known, self.count
        above = self.upwards(known - min(end, known), known - min(start, known))[::-1]
        unknown = self.upwards(count - max(end, known) + known, count - max(start, known) + known)[::-1]
        return np.concatenate([above, unknown]) if len(above) and len(unknown) else above if len(above) else unknown


class Run(Upwards):
    """Rows one after the other. `rows` None are those from `first` on, as they stand."""

    def __init__(self, rows: NDArray[np.uint32] | None, count: int, known: int, first: int = 0) -> None:
        super().__init__(count)
        self._known = known
        self._rows = rows
        self._first = first

    @property
    def known(self) -> int:
        """How many have a value."""
        return self._known

    def upwards(self, start: int, end: int) -> NDArray[Any]:
        """The rows at the places from `start` up to `end`."""
        if self._rows is None:
            return np.arange(self._first + start, self._first + end, dtype=np.uint32)
        return self._rows[start:end]

    def marks(self, mask: NDArray[np.bool_], start: int, end: int, step: int = 1) -> NDArray[np.bool_]:
        """What `mask` says of the rows of `upwards`, or of one of so many of them."""
        if self._rows is None:
            return mask[self._first + start : self._first + end : step]
        return np.take(mask, self._rows[start:end:step], mode="clip")


class Sorted:
    """Rows that stand in their order already."""

    def __init__(self, rows: NDArray[np.uint32]) -> None:
        self._rows = rows

    def part(self, start: int, end: int, *, descending: bool) -> NDArray[Any]:
        """The rows at the places from `start` up to `end`; they have one direction only."""
        del descending
        return self._rows[start:end]


class Narrowed:
    """Many rows by several columns: they stand in the order of the first, and who shares its value is sorted by all.

    The calls that were sorted last are remembered: `remember` is told how many bytes they take.
    """

    def __init__(
        self, calls: CallRows, order: Order, first: Upwards, remember: Callable[[Narrowed, int], None]
    ) -> None:
        self._calls = calls
        self._order = order
        self._first = first
        self._remember = remember
        self._sorted = (0, 0, np.array([], np.uint32))

    def part(self, start: int, end: int, *, descending: bool) -> NDArray[Any]:
        """The rows at the places from `start` up to `end`; `descending` is that of the first column."""
        low, high, rows = self._sorted
        if start < low or end > high:
            low, high = self._tied(start, end, descending=descending)
            rows = sorted_by(self._calls, self._order, self._first.part(low, high, descending=descending))
            self._sorted = (low, high, rows)
            self._remember(self, rows.nbytes)
        return rows[start - low : end - low]

    def _tied(self, start: int, end: int, *, descending: bool) -> tuple[int, int]:
        """From where to where others share the first column's value with those from `start` up to `end`."""

        def place_of(place: int) -> tuple[bool, int]:
            row = self._first.part(place, place + 1, descending=descending)
            values, known = self._calls.sort_values(self._order.column, row)
            return (False, -int(values[0]) if descending else int(values[0])) if known[0] else (True, 0)

        places = range(self._first.count)
        return (
            bisect_left(places, place_of(start), hi=start, key=place_of),
            bisect_right(places, place_of(end - 1), lo=end - 1, key=place_of),
        )
