"""Pages of calls by plain Polars: the reference for every faster way, and the path for any filter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import polars as pl

from supportapi.calls.filter import DIMENSIONS, UNKNOWN, Filter, ServiceLevelVariant, value_of
from supportapi.calls.shown import SERVICE_LEVEL_SECONDS, SHORT_ABANDON_SECONDS
from supportapi.calls.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    if total is None:
        total = count(calls, selection)
    if offset >= total:
        return Listing([], total)
    page = _sorted(selected(calls, selection), order).slice(offset, limit)
    return Listing(page.collect(engine="streaming").to_dicts(), total)


def slices(calls: pl.LazyFrame, selection: Selection, order: Order, *, rows: int) -> Iterator[pl.DataFrame]:
    """All calls that `selection` leaves, in `order`, about `rows` of them at a time: for who reads them all.

    In order of time the calls of whole hours come together, so that none is looked at twice; an hour is never parted.
    In any other order each slice is what follows the last call of the one before.
    """
    chosen = selected(calls, selection)
    if order.column != "started_at":
        yield from _following(chosen, order, rows)
        return
    spans = _hours(chosen, rows)
    for first, end in reversed(spans) if order.descending else spans:
        started = pl.col("started_at")
        yield _sorted(chosen.filter(started >= first, started < end), order).collect(engine="streaming")


def _sorted(calls: pl.LazyFrame, order: Order) -> pl.LazyFrame:
    descending = [key.descending for key in order.keys]
    by = [key.column for key in order.keys]
    return calls.sort(*by, "call_id", descending=[*descending, descending[-1]], nulls_last=True)


def _hours(calls: pl.LazyFrame, rows: int) -> list[tuple[datetime, datetime]]:
    """Spans of whole hours with at most `rows` calls each, but for a single hour that has more."""
    hour = pl.col("started_at").dt.truncate("1h").alias("hour")
    counted: list[tuple[datetime, int]] = calls.group_by(hour).len().sort("hour").collect(engine="streaming").rows()
    spans: list[tuple[datetime, datetime]] = []
    held = 0
    for start, count in counted:
        end = start + timedelta(hours=1)
        if spans and held + count <= rows:
            spans[-1] = (spans[-1][0], end)
            held += count
        else:
            spans.append((start, end))
            held = count
    return spans


def _following(calls: pl.LazyFrame, order: Order, rows: int) -> Iterator[pl.DataFrame]:
    rest = calls
    while True:
        found = _sorted(rest, order).head(rows).collect(engine="streaming")
        if found.height:
            yield found
        if found.height < rows:
            return
        rest = calls.filter(_after(order, found.row(-1, named=True)))


def _after(order: Order, last: dict[str, Any]) -> pl.Expr:
    """What comes after the call `last` in `order`."""
    keys = [(key.column, key.descending) for key in order.keys]
    after = pl.lit(value=False)
    for name, descending in reversed([*keys, ("call_id", keys[-1][1])]):
        column, value = pl.col(name), last[name]
        if value is None:
            after = column.is_null() & after
        else:
            beyond = column < value if descending else column > value
            after = beyond | column.is_null() | ((column == value) & after)
    return after


def count(calls: pl.LazyFrame, selection: Selection) -> int:
    """How many calls `selection` leaves."""
    return int(selected(calls, selection).select(pl.len()).collect(engine="streaming").item())


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
