"""`GET /api/calls`: the rows behind the numbers, of the version that the request took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.agents import PagedMeta
from supportapi.answers.meta import Meta, meta
from supportapi.answers.query import FilteredQuery, window_of, zone_of
from supportapi.answers.query_string import canonical, decode
from supportapi.api.answer import Answer, tag_of
from supportapi.api.calls_query import SortedCallsQuery, order_of, refuse_empty_spans, selection_of
from supportapi.api.doors import Doors, doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.trace import trace_of
from supportapi.calls.shown import CallRow, shown
from supportapi.errors import DataMissing, Overloaded, ValidationFailed, WarmingUp
from supportapi.rollups.aggregates import Aggregates, Question

if TYPE_CHECKING:
    from supportapi.answers.meta import Truth
    from supportapi.api.current import Current, Snapshot
    from supportapi.calls.window import Window

_COUNTED: Final = frozenset({*FilteredQuery.__struct_fields__, "answered", "threshold", "sort", "page", "per_page"})
"""The parameters under which the rollup knows how many calls there are."""


class CallsQuery(
    SortedCallsQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="calls"
):
    """`GET /api/calls`."""

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
    refuse_empty_spans(query)
    snapshot, truth = current.require(), current.truth()
    machine = doors.machine

    def work() -> bytes:
        from supportapi.calls import listing  # noqa: PLC0415 - Polars, which the start of the API does without

        zone, window = asked(snapshot.aggregates, query)
        found = listing.listing(
            machine.calls(snapshot.card),
            selection_of(query, window, zone),
            order_of(query),
            offset=(query.page - 1) * query.per_page,
            limit=query.per_page,
            total=known_total(snapshot.aggregates, query, zone, window),
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


def asked(aggregates: Aggregates, query: SortedCallsQuery) -> tuple[str, Window]:
    """The zone and the window of `query`. Raises `ValidationFailed` for what cannot be answered."""
    zone = zone_of(query.timezone, aggregates.zones)
    return zone, window_of(query, aggregates.data_window(zone))


def known_total(aggregates: Aggregates, query: SortedCallsQuery, zone: str, window: Window) -> int | None:
    """The exact number of calls from the rollup, when it knows every filter that is set; else None."""
    if "null" in query.answered or any(
        getattr(query, field.name) != field.default
        for field in msgspec.structs.fields(query)
        if field.name not in _COUNTED
    ):
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
