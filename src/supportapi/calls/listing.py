"""Pages of calls by plain Polars: slow, plain to see, and what every faster way is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from supportapi.calls.filter import DIMENSIONS, UNKNOWN, ServiceLevelVariant, value_of
from supportapi.calls.shown import SHORT_ABANDON_SECONDS

if TYPE_CHECKING:
    from supportapi.calls.selection import Order, Selection
    from supportapi.calls.window import Window

_SEARCHED: Final = ("call_id", "customer_id", "agent_id", "agent_name")


def page(calls: pl.LazyFrame, selection: Selection, order: Order, *, offset: int, limit: int) -> list[dict[str, Any]]:
    """The `limit` calls from `offset` on, of those that `selection` leaves, in `order`, by column name."""
    descending = [key.descending for key in order.keys]
    by = [key.column for key in order.keys]
    ordered = selected(calls, selection).sort(*by, "call_id", descending=[*descending, descending[-1]], nulls_last=True)
    return ordered.slice(offset, limit).collect(engine="streaming").to_dicts()


def count(calls: pl.LazyFrame, selection: Selection) -> int:
    """How many calls `selection` leaves."""
    return int(selected(calls, selection).select(pl.len()).collect(engine="streaming").item())


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
