"""Pages of calls by plain Polars: the reference for every faster way, and the path for any filter."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec
import polars as pl

from supportapi.calls.filter import DIMENSIONS, UNKNOWN, Filter, ServiceLevelVariant, value_of
from supportapi.calls.shown import SERVICE_LEVEL_SECONDS, SHORT_ABANDON_SECONDS
from supportapi.calls.window import Window

SortColumn = Literal["started_at", "duration_seconds", "wait_seconds", "rating", "agent_name"]
Known = Literal["true", "false", "null"]

_SEARCHED: Final = ("call_id", "customer_id", "agent_id", "agent_name")


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
    """By which column. Ties are broken by `call_id`, upwards; unknown values come last either way."""

    column: SortColumn = "started_at"
    descending: bool = True


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
    page = chosen.sort(
        order.column, "call_id", descending=[order.descending, False], nulls_last=True, maintain_order=False
    ).slice(offset, limit)
    return Listing(page.collect(engine="streaming").to_dicts(), total)


def selected(calls: pl.LazyFrame, selection: Selection) -> pl.LazyFrame:
    """The calls that `selection` leaves."""
    return calls.filter(*_conditions(selection))


def find(calls: pl.LazyFrame, call_id: str) -> dict[str, Any] | None:
    """The call with this id, or None."""
    found = calls.filter(pl.col("call_id") == call_id).head(1).collect(engine="streaming").to_dicts()
    return found[0] if found else None


def _conditions(selection: Selection) -> list[pl.Expr]:
    limits = [
        *((dimension, selection.filter.members(dimension)) for dimension in DIMENSIONS),
        ("customer_id", selection.customer_id),
        ("rating", selection.rating),
        # A boolean as text is "true" or "false".
        ("answered", selection.answered),
        ("resolved", selection.resolved),
    ]
    conditions = _started_in(selection.window, selection.zone)
    conditions += [_one_of(pl.col(column).cast(pl.String), members) for column, members in limits if members]
    conditions += _between("duration_seconds", selection.min_duration_seconds, selection.max_duration_seconds)
    conditions += _between("wait_seconds", selection.min_wait_seconds, selection.max_wait_seconds)
    conditions += _on_the_clock(selection)
    if selection.offered is not None:
        conditions.append(_offered(selection.offered, selection.threshold_seconds))
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


def _on_the_clock(selection: Selection) -> list[pl.Expr]:
    started = pl.col("started_at")
    local = started.dt.convert_time_zone(selection.zone)
    conditions: list[pl.Expr] = []
    if selection.weekday:
        conditions.append((local.dt.weekday() - 1).is_in(selection.weekday))
    if selection.hour:
        conditions.append(local.dt.hour().is_in(selection.hour))
    if selection.started_from is not None:
        conditions.append(started >= selection.started_from)
    if selection.started_to is not None:
        conditions.append(started < selection.started_to)
    return conditions


def _between(column: str, least: float | None, most: float | None) -> list[pl.Expr]:
    bounds = [] if least is None else [pl.col(column) >= least]
    return bounds if most is None else [*bounds, pl.col(column) <= most]


def _offered(variant: ServiceLevelVariant, threshold_seconds: float) -> pl.Expr:
    """What the service level divides by: of a call that is neither answered nor known to be given up, null."""
    answered, wait = pl.col("answered"), pl.col("wait_seconds")
    match variant:
        case "standard":
            return answered.is_not_null() & (answered | (wait >= SHORT_ABANDON_SECONDS) | wait.is_null())
        case "answered_only":
            return answered
        case "abandon_after_threshold":
            return answered.is_not_null() & (answered | (wait > threshold_seconds))
        case "all_offered":
            return answered.is_not_null()


def _one_of(column: pl.Expr, members: tuple[str, ...]) -> pl.Expr:
    kept = column.is_in([value for member in members if (value := value_of(member)) is not None])
    return kept | column.is_null() if UNKNOWN in members else kept


def _holds(text: str) -> pl.Expr:
    wanted = text.lower()
    return pl.any_horizontal(
        pl.col(column).str.to_lowercase().str.contains(wanted, literal=True) for column in _SEARCHED
    )
