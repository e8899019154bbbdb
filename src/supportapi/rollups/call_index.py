"""Any page of any selection of calls in any order, by arrays alone: page 10,000 costs what page 1 does."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from supportapi.rollups.chosen import MOST_LISTED, Chosen, choose
from supportapi.rollups.ordered import Narrowed, Run, Sorted, Upwards, in_order, sorted_by
from supportapi.rollups.walk import Marked, Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Asked = tuple["Selection", bool, tuple[int, ...] | None]

    from supportapi.calls.selection import Order, Selection, SortColumn
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.call_rows import CallRows

REMEMBERED_BYTES: Final = 64 << 20

Sequenced = Upwards | Sorted | Narrowed


class Remembered:
    """What was made of the questions asked last, up to so many bytes. Several threads may ask."""

    def __init__(self, most_bytes: int = REMEMBERED_BYTES) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def find(self, key: Any) -> Any:
        """What is remembered under `key`, or None."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def keep(self, key: Any, value: Any, size: int) -> None:
        """Remember `value`, unless it alone is too much, and forget what was not asked for the longest."""
        if size > self._most:
            return
        with self._lock:
            self._bytes += size - self._held.pop(key, (None, 0))[1]
            self._held[key] = (value, size)
            while self._bytes > self._most:
                _, (_, freed) = self._held.popitem(last=False)
                self._bytes -= freed


class Listed:
    """The calls of a selection in an order: how many, which rows stand at which places, and what is in them."""

    def __init__(self, calls: CallRows, chosen: Chosen, sequence: Sequenced, *, descending: bool) -> None:
        self._calls = calls
        self._sequence = sequence
        self._descending = descending
        self.total = chosen.total
        self.at_least = chosen.at_least

    def rows(self, offset: int, limit: int) -> NDArray[Any]:
        """The row numbers of `limit` calls from `offset` on."""
        end = min(offset + limit, self.total)
        if offset >= end:
            return np.array([], np.uint32)
        return self._sequence.part(offset, end, descending=self._descending)

    def page(self, offset: int, limit: int, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """`limit` calls from `offset` on."""
        values = self._calls.take(self.rows(offset, limit), names)
        return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


class CallIndex:
    """Lists the calls of one version."""

    def __init__(self, aggregates: Aggregates) -> None:
        self._aggregates = aggregates
        self._calls = aggregates.calls
        view = aggregates.view
        self.remembered = Remembered() if view is None else view.remembered
        self._shown = None if view is None else tuple(view.regions.tolist())

    def listed(self, selection: Selection, order: Order, *, whole: bool = False) -> Listed:
        """The calls that `selection` leaves, in `order`; `whole` as `choose` has it."""
        asked = (selection, whole, self._shown)
        chosen = self._chosen(asked)
        return Listed(self._calls, chosen, self._sequence(asked, chosen, order), descending=order.descending)

    def find(self, call_id: str) -> dict[str, Any] | None:
        """The call with this id, or None."""
        row = self._calls.find(call_id)
        if row is None or not self._aggregates.shows(row):
            return None
        return {name: values[0] for name, values in self._calls.take(np.array([row])).items()}

    def _chosen(self, asked: Asked) -> Chosen:
        found: Chosen | None = self.remembered.find(asked)
        if found is None:
            selection, whole, _ = asked
            found = choose(self._aggregates, selection, whole=whole)
            self.remembered.keep(asked, found, found.nbytes)
        return found

    def _sequence(self, asked: Asked, chosen: Chosen, order: Order) -> Sequenced:
        key = (asked, order if order.then else order.column)
        found: Sequenced | None = self.remembered.find(key)
        if found is None:
            found, size = self._sorted(chosen, order, key) if order.then else self._sequenced(chosen, order.column)
            self.remembered.keep(key, found, size)
        return found

    def _sorted(self, chosen: Chosen, order: Order, key: Any) -> tuple[Sequenced, int]:
        """By several columns; as `_sequenced`. It is remembered under `key` again when it has grown."""
        if chosen.total > MOST_LISTED:
            first, size = self._sequenced(chosen, order.column)
            remember = partial(self.remembered.keep, key)
            return Narrowed(self._calls, order, first, lambda grown, more: remember(grown, size + more)), size
        rows = sorted_by(self._calls, order, chosen.listed())
        return Sorted(rows), rows.nbytes

    def _sequenced(self, chosen: Chosen, column: SortColumn) -> tuple[Upwards, int]:
        """The sequence, and how many bytes it holds that nobody else does."""
        calls, whole = self._calls, len(self._calls)
        if column == "started_at":
            if chosen.mask is None:
                return Run(chosen.rows, chosen.total, chosen.total, chosen.first), 0
            return Walk(Run(None, whole, whole), Marked(calls, column, chosen, chosen.mask)), 0
        if chosen.total <= MOST_LISTED:
            rows, known = in_order(calls, column, chosen.listed())
            return Run(rows, len(rows), known), rows.nbytes
        run = Run(calls.parts.ordered[column], whole, calls.parts.known[column])
        if chosen.mask is not None:
            return Walk(run, Marked(calls, column, chosen, chosen.mask)), 0
        if chosen.total == whole:
            return run, 0
        mask = np.zeros(whole, dtype=bool)
        mask[chosen.first : chosen.end] = True
        return Walk(run, Marked(calls, column, chosen, mask)), mask.nbytes
