"""`GET /api/calls`: the rows behind the numbers, of the version that the request took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.agents import PagedMeta
from supportapi.answers.meta import Meta, meta
from supportapi.answers.query import FilteredQuery, Members, window_of, zone_of
from supportapi.answers.query_string import canonical, decode
from supportapi.api.answer import Answer, tag_of
from supportapi.api.doors import Doors, doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.trace import trace_of
from supportapi.calls.shown import CallRow, shown
from supportapi.errors import DataMissing, Overloaded, ValidationFailed, WarmingUp
from supportapi.rollups.aggregates import Aggregates, Question

if TYPE_CHECKING:
    from supportapi.answers.meta import Truth
    from supportapi.api.current import Current, Snapshot
    from supportapi.calls.listing import Order, Selection, SortColumn
    from supportapi.calls.window import Window

CallSort = Literal[
    "started_at",
    "-started_at",
    "duration",
    "-duration",
    "wait",
    "-wait",
    "rating",
    "-rating",
    "agent",
    "-agent",
]
Known = Literal["true", "false", "null"]
Seconds = Annotated[float, Doc(ge=0)]
SearchText = Annotated[str, Doc(min_length=1, max_length=100)]
RatingMember = Literal["1", "2", "3", "4", "5", "null"]

_KNOWN: Final = "Keep these; repeated or comma-separated. `null` keeps the calls where it is not known."
_COLUMNS: Final[dict[str, SortColumn]] = {
    "started_at": "started_at",
    "duration": "duration_seconds",
    "wait": "wait_seconds",
    "rating": "rating",
    "agent": "agent_name",
}


class CallsQuery(FilteredQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="calls"):
    """`GET /api/calls`."""

    customer_id: Members = ()
    answered: Annotated[tuple[Known, ...], Doc(description=_KNOWN)] = ()
    resolved: Annotated[tuple[Known, ...], Doc(description=_KNOWN)] = ()
    rating: Annotated[
        tuple[RatingMember, ...],
        Doc(description="Keep these ratings; repeated or comma-separated. `null` keeps unrated calls."),
    ] = ()
    min_duration: Annotated[Seconds | None, Doc(description="At least so many seconds.", examples=[30])] = None
    max_duration: Annotated[Seconds | None, Doc(description="At most so many seconds.", examples=[600])] = None
    q: Annotated[SearchText | None, Doc(description="Part of a call, customer or agent id, or of an agent's name.")] = (
        None
    )
    sort: Annotated[CallSort, Doc(description="A leading `-` sorts downwards; unknown values come last.")] = (
        "-started_at"
    )
    page: Annotated[int, Doc(ge=1, le=1_000_000)] = 1
    per_page: Annotated[int, Doc(ge=1, le=200)] = 50


class PageLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the other pages are; null where there is none."""

    self: str
    first: str
    prev: str | None
    next: str | None
    last: str


class CallList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of calls."""

    data: list[CallRow]
    meta: PagedMeta
    links: PageLinks


LIST: Final = Operation(
    id="listCalls",
    tag="calls",
    summary="A page of calls",
    description="Filtered and sorted on the rows of the version that is served; ties are broken by `call_id`.",
    query=CallsQuery,
    successes={200: Success(description="One page, with the number of calls on all of them.", body=CallList)},
    errors=(ValidationFailed, WarmingUp, DataMissing, Overloaded),
    cached=True,
)


@reading("/api/calls", LIST)
async def list_calls(request: Request[Any, Any, Any]) -> ASGIApp:
    """A page."""
    scope = request.scope
    return await page_of_calls(doors_of(request), trace_of(scope).current, decode(scope["query_string"], CallsQuery))


async def page_of_calls(doors: Doors, current: Current, query: CallsQuery) -> Answer:
    """The page that `query` asks for. Not kept among the hot answers: who walks through them would push others out."""
    if query.min_duration is not None and query.max_duration is not None and query.min_duration > query.max_duration:
        raise ValidationFailed([{"field": "min_duration", "message": "'min_duration' is above 'max_duration'."}])
    snapshot, truth = current.require(), current.truth()
    machine = doors.machine

    def work() -> bytes:
        from supportapi.calls import listing  # noqa: PLC0415 - Polars, which the start of the API does without

        zone, window = _asked(snapshot.aggregates, query)
        found = listing.listing(
            machine.calls(snapshot.card),
            _selection(query, window, zone),
            _order(query),
            offset=(query.page - 1) * query.per_page,
            limit=query.per_page,
            total=_known_total(snapshot.aggregates, query, zone, window),
        )
        page = PagedMeta(
            **msgspec.structs.asdict(scanned(truth, snapshot, zone, window)),
            page=query.page,
            per_page=query.per_page,
            total=found.total,
        )
        rows = [shown(row, zone) for row in found.rows]
        return msgspec.json.encode(CallList(data=rows, meta=page, links=_links(query, found.total)))

    body = await doors.calls_desk.run_once((id(current), "calls", canonical(query)), work)
    tag = tag_of(truth.version, truth.stale_reason, "/api/calls", canonical(query))
    return Answer(body, tag, route="/api/calls", source="scan", version=truth.version)


def _asked(aggregates: Aggregates, query: CallsQuery) -> tuple[str, Window]:
    zone = zone_of(query.timezone, aggregates.zones)
    return zone, window_of(query, aggregates.data_window(zone))


def _selection(query: CallsQuery, window: Window, zone: str) -> Selection:
    from supportapi.calls.listing import Selection  # noqa: PLC0415 - Polars, see above

    return Selection(
        window=window,
        zone=zone,
        filter=query.filter,
        customer_id=query.customer_id,
        rating=query.rating,
        answered=query.answered,
        resolved=query.resolved,
        min_duration_seconds=query.min_duration,
        max_duration_seconds=query.max_duration,
        text=query.q,
    )


def _order(query: CallsQuery) -> Order:
    from supportapi.calls.listing import Order  # noqa: PLC0415 - Polars, see above

    return Order(_COLUMNS[query.sort.removeprefix("-")], query.sort.startswith("-"))


def _known_total(aggregates: Aggregates, query: CallsQuery, zone: str, window: Window) -> int | None:
    """The exact number of calls from the rollup, when it knows every filter that is set; else None."""
    if query.customer_id or query.q or query.min_duration is not None or query.max_duration is not None:
        return None
    if query.resolved or query.rating or "null" in query.answered:
        return None
    tally = aggregates.tally(Question(zone, window, query.filter)).tally
    counted = {"true": "answered", "false": "unanswered"}
    return sum(int(tally[counted[value]]) for value in query.answered) if query.answered else int(tally["calls"])


def scanned(truth: Truth, snapshot: Snapshot, zone: str, window: Window) -> Meta:
    """The truth block of an answer that rows were read for."""
    return meta(truth, "scan", zone, window, snapshot.aggregates.data_window(zone))


def _links(query: CallsQuery, total: int) -> PageLinks:
    pages = max(-(-total // query.per_page), 1)

    def to(page: int) -> str:
        return f"/api/calls?{canonical(msgspec.structs.replace(query, page=page))}"

    return PageLinks(
        self=to(query.page),
        first=to(1),
        prev=to(min(query.page - 1, pages)) if query.page > 1 else None,
        next=to(query.page + 1) if query.page < pages else None,
        last=to(pages),
    )
