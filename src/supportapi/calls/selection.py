"""Which calls are asked for, and in which order."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from supportapi.calls.filter import Filter, ServiceLevelVariant
from supportapi.calls.shown import SERVICE_LEVEL_SECONDS
from supportapi.calls.window import Window

SortColumn = Literal["started_at", "duration_seconds", "wait_seconds", "rating", "agent_name"]
Known = Literal["true", "false", "null"]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls: started on the days of `window` in `zone`, of these members, with these values.

    Tuples hold keys (see `filter.key_of`) and keep any of their members; empty ones keep all calls.
    Durations and waits are seconds, inclusive on both ends. `weekday` (0 for Monday) and `hour` are those of the clock
    on the wall of `zone`; `started_from` and `started_to` are instants, half-open as the window is. `offered` keeps the
    calls that a service level of `threshold_seconds` divides by. `text` is looked for in ids and names, whatever its
    case.
    """

    window: Window
    zone: str
    filter: Filter = Filter()
    customer_id: tuple[str, ...] = ()
    rating: tuple[str, ...] = ()
    answered: tuple[Known, ...] = ()
    resolved: tuple[Known, ...] = ()
    min_duration_seconds: float | None = None
    max_duration_seconds: float | None = None
    min_wait_seconds: float | None = None
    max_wait_seconds: float | None = None
    weekday: tuple[int, ...] = ()
    hour: tuple[int, ...] = ()
    started_from: datetime | None = None
    started_to: datetime | None = None
    offered: ServiceLevelVariant | None = None
    threshold_seconds: float = SERVICE_LEVEL_SECONDS
    text: str | None = None


class Order(msgspec.Struct, frozen=True):
    """By which column, and `then` by which others where it has the same value.

    Last ties are broken by `call_id`, in the direction of the last column. Unknown values come last either way.
    """

    column: SortColumn = "started_at"
    descending: bool = True
    then: tuple[Order, ...] = ()

    @property
    def keys(self) -> tuple[Order, ...]:
        """The columns one by one."""
        return (self, *self.then)
