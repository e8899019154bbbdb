"""Pages of calls by plain Polars: the reference for every faster way, and the path for any filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import polars as pl

from supportapi.calls.filter import DIMENSIONS, UNKNOWN, Filter, value_of
from supportapi.calls.window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

SortColumn = Literal["started_at", "duration_seconds", "wait_seconds", "rating", "agent_name"]
Known = Literal["true", "false", "null"]

_SEARCHED: Final = ("call_id", "customer_id", "agent_id", "agent_name")


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls: started on the days of `window` in `zone`, of these members, with these values.

    Tuples hold keys (see `filter.key_of`) and keep any of their members; empty ones keep all calls.
    Durations are seconds, inclusive on both ends. `text` is looked for in ids and names, whatever its case.
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


class Listing(msgspec.Struct, frozen=True):
    """One page of rows (by column name), and how many calls there are on all pages."""

    rows: list[dict[str, Any]]
    total: int


def listing(
    calls: pl.LazyFrame, selection: Selection, order: Order, *, offset: int, limit: int, total: int | None = None
) -> Listing:
    """The `limit` calls from `offset` on, of those that `selection` leaves, in `order`.

    `total` is taken as it is where the caller knows it, else counted here.
    """
    chosen = selected(calls, selection)
    if total is None:
        total = int(chosen.select(pl.len()).collect(engine="streaming").item())
    if offset >= total:
        return Listing([], total)
    page = _sorted(chosen, order).slice(offset, limit)
    return Listing(page.collect(engine="streaming").to_dicts(), total)


def _sorted(calls: pl.LazyFrame, order: Order) -> pl.LazyFrame:
    descending = [key.descending for key in order.keys]
    by = [key.column for key in order.keys]
    return calls.sort(*by, "call_id", descending=[*descending, descending[-1]], nulls_last=True)


class PlainListed:
    """A listing that is asked for page after page."""

    at_least = False

    def __init__(self, calls: pl.LazyFrame, selection: Selection, order: Order) -> None:
        self._asked = (calls, selection, order)
        self.total = listing(*self._asked, offset=0, limit=0).total

    def page(self, offset: int, limit: int, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """`limit` calls from `offset` on, with the columns `names` or all of them."""
        rows = listing(*self._asked, offset=offset, limit=limit, total=self.total).rows
        return [{name: row[name] for name in names} for row in rows] if names else rows


def selected(calls: pl.LazyFrame, selection: Selection) -> pl.LazyFrame:
    """The calls that `selection` leaves."""
    return calls.filter(*_conditions(selection))


def find(calls: pl.LazyFrame, call_id: str) -> dict[str, Any] | None:
    """The call with this id, or None."""
    found = calls.filter(pl.col("call_id") == call_id).head(1).collect(engine="streaming").to_dicts()
    return found[0] if found else None


def _conditions(selection: Selection) -> list[pl.Expr]:
    duration = pl.col("duration_seconds")
    conditions = _started_in(selection.window, selection.zone)
    conditions += [
        _one_of(pl.col(dimension), members)
        for dimension in DIMENSIONS
        if (members := selection.filter.members(dimension))
    ]
    if selection.customer_id:
        conditions.append(_one_of(pl.col("customer_id"), selection.customer_id))
    if selection.rating:
        conditions.append(_one_of(pl.col("rating").cast(pl.String), selection.rating))
    for column, wanted in (("answered", selection.answered), ("resolved", selection.resolved)):
        if wanted:
            # A boolean as text is "true" or "false".
            conditions.append(_one_of(pl.col(column).cast(pl.String), wanted))
    if selection.min_duration_seconds is not None:
        conditions.append(duration >= selection.min_duration_seconds)
    if selection.max_duration_seconds is not None:
        conditions.append(duration <= selection.max_duration_seconds)
    if selection.text:
        conditions.append(_holds(selection.text))
    return conditions


def _started_in(window: Window, zone: str) -> list[pl.Expr]:
    started = pl.col("started_at")
    begin, end = window.instants(zone)
    conditions = [started >= begin, started < end]
    if not window.exact(zone):
        day = started.dt.convert_time_zone(zone).dt.date()
        conditions += [day >= window.start, day < window.end]
    return conditions


def _one_of(column: pl.Expr, members: tuple[str, ...]) -> pl.Expr:
    kept = column.is_in([value for member in members if (value := value_of(member)) is not None])
    return kept | column.is_null() if UNKNOWN in members else kept


def _holds(text: str) -> pl.Expr:
    wanted = text.lower()
    return pl.any_horizontal(
        pl.col(column).str.to_lowercase().str.contains(wanted, literal=True) for column in _SEARCHED
    )
