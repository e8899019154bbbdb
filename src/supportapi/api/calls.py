"""`GET /api/calls`: the rows behind the numbers, of the version that the request took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.access.principal import EVERYTHING
from supportapi.answers.agents import PagedMeta
from supportapi.answers.meta import Meta, meta
from supportapi.answers.query import window_of, zone_of
from supportapi.answers.query_string import canonical, decode
from supportapi.api.answer import Answer, tag_of
from supportapi.api.call_links import PATH, PageLinks, header, link, links_of
from supportapi.api.calls_query import SortedCallsQuery, StoredField, order_of, refuse_empty_spans, selection_of
from supportapi.api.current import Current
from supportapi.api.cursor import Cursor
from supportapi.api.doors import Doors, doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.trace import trace_of
from supportapi.calls.shown import ListedCall, chosen_fields, columns_of, shown
from supportapi.errors import (
    CursorExpired,
    DataMissing,
    Overloaded,
    ShelfUnavailable,
    SnapshotIncomplete,
    ValidationFailed,
    VersionGone,
    WarmingUp,
)

if TYPE_CHECKING:
    from supportapi.answers.meta import Truth
    from supportapi.api.current import Snapshot
    from supportapi.calls.window import Window
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.call_index import Listed

CallField = Literal[StoredField, "duration_label", "started_at_local", "ended_at_local", "service_level_met"]
CursorWord = Annotated[str, Doc(max_length=100)]


class CallsQuery(
    SortedCallsQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="calls"
):
    """`GET /api/calls`."""

    fields: Annotated[
        tuple[CallField, ...],
        Doc(
            description="Of each call these fields and `call_id` alone; all of them when none is named.",
            examples=[["started_at", "duration_label"]],
        ),
    ] = ()
    page: Annotated[int, Doc(ge=1, le=1_000_000)] = 1
    per_page: Annotated[int, Doc(ge=1, le=200)] = 50
    cursor: Annotated[
        CursorWord | None,
        Doc(
            description="In place of `page`: where `links.cursor` of an earlier answer leads. It reads the version "
            "of that answer to its end, each call once, whatever is published meanwhile; the other parameters stay as "
            "they were, but for `fields` and `per_page`.",
        ),
    ] = None


class CallsMeta(PagedMeta, frozen=True, kw_only=True):
    """What is known of the list."""

    total_is_lower_bound: Annotated[
        bool,
        Doc(description="Whether `q` was found so often that the search ended early: of the newest calls alone."),
    ]


class CallList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of calls."""

    data: Annotated[list[ListedCall], Doc(description="With `fields` each has those and `call_id` alone.")]
    meta: CallsMeta
    links: PageLinks


LIST: Final = Operation(
    id="listCalls",
    tag="calls",
    summary="A page of calls",
    description="Filtered and sorted on the rows of the version that is served; last ties are broken by `call_id`, and "
    "unknown values come last. Page 10,000 costs what page 1 does. By `page` each request is answered by the version "
    "that is then current; by `cursor` all of them by one.",
    query=CallsQuery,
    reach="own",
    successes={
        200: Success(
            description="One page, with the number of calls on all of them.",
            body=CallList,
            headers={"Link": "`links` once more, as RFC 8288 has them: `first`, `prev`, `next`, `last`."},
        )
    },
    errors=(ValidationFailed, CursorExpired, WarmingUp, DataMissing, Overloaded, ShelfUnavailable, SnapshotIncomplete),
    cached=True,
)


@reading(PATH, LIST)
async def list_calls(request: Request[Any, Any, Any]) -> ASGIApp:
    """A page."""
    scope = request.scope
    return await page_of_calls(doors_of(request), trace_of(scope).current, decode(scope["query_string"], CallsQuery))


async def page_of_calls(doors: Doors, current: Current, query: CallsQuery) -> Answer:
    """The page that `query` asks for. Not kept among the hot answers: who walks through them would push others out."""
    _refuse_contradictions(query)
    order = order_of(query)
    offset = (query.page - 1) * query.per_page
    if query.cursor is not None:
        cursor = doors.cursors.read(query.cursor, _question(query, current.scope))
        current, offset = await _pinned(doors, current, query, cursor), cursor.offset
    snapshot, truth = current.require(), current.truth()

    def work() -> tuple[bytes, bytes]:
        zone, window = asked(snapshot.aggregates, query)
        listed = snapshot.aggregates.call_index.listed(selection_of(query, window, zone), order)
        meta = CallsMeta(
            **msgspec.structs.asdict(scanned(truth, snapshot, zone, window)),
            page=offset // query.per_page + 1,
            per_page=query.per_page,
            total=listed.total,
            total_is_lower_bound=listed.at_least,
        )
        links = links_of(
            query, listed.total, offset, lambda to: _walking(doors, query, current.scope, Cursor(truth.version, to))
        )
        rows: list[Any] = _rows(listed, offset, query, zone)
        return msgspec.json.encode(CallList(data=rows, meta=meta, links=links)), header(links)

    spelled = canonical(query)
    key = (truth.version, truth.stale_reason, current.scope, "calls", spelled)
    body, header_line = await doors.calls_desk.run_once(key, work)
    tag = tag_of(current.scope, truth.version, truth.stale_reason, PATH, spelled)
    return Answer(body, tag, route=PATH, source="scan", version=truth.version, link=header_line)


async def _pinned(doors: Doors, current: Current, query: CallsQuery, cursor: Cursor) -> Current:
    """The version that `cursor` walks through. Raises `CursorExpired` when it is not kept any longer."""
    try:
        snapshot = await doors.kept_versions.snapshot(cursor.version, current)
    except VersionGone as gone:
        message = f"Version {cursor.version}, which this cursor walks through, is not kept any longer. Begin again."
        links = {"first": link(query, page=1)}
        raise CursorExpired(message, field="cursor", version=cursor.version, links=links) from gone
    return current if snapshot is current.snapshot else Current(snapshot, None, current.hot, named=True)


def _rows(listed: Listed, offset: int, query: CallsQuery, zone: str) -> list[Any]:
    if not query.fields:
        return [shown(row, zone) for row in listed.page(offset, query.per_page)]
    rows = listed.page(offset, query.per_page, columns_of(query.fields))
    return [chosen_fields(row, zone, query.fields) for row in rows]


def _refuse_contradictions(query: CallsQuery) -> None:
    refuse_empty_spans(query)
    if query.cursor is not None and query.page != 1:
        raise ValidationFailed([{"field": "page", "message": "Give either 'page' or 'cursor', not both."}])


def asked(aggregates: Aggregates, query: SortedCallsQuery) -> tuple[str, Window]:
    """The zone and the window of `query`. Raises `ValidationFailed` for what cannot be answered."""
    zone = zone_of(query.timezone, aggregates.zones)
    return zone, window_of(query, aggregates.data_window(zone))


def scanned(truth: Truth, snapshot: Snapshot, zone: str, window: Window) -> Meta:
    """The truth block of an answer that rows were read for."""
    return meta(truth, "scan", zone, window, snapshot.aggregates.data_window(zone))


def _question(query: CallsQuery, scope: str) -> str:
    """What a cursor is bound to: everything but where in the list it stands, and how much is shown of it at once."""
    asked = canonical(msgspec.structs.replace(query, cursor=None, page=1, per_page=50, fields=()))
    return asked if scope == EVERYTHING else f"{scope}\n{asked}"


def _walking(doors: Doors, query: CallsQuery, scope: str, cursor: Cursor) -> str:
    return link(query, page=1, cursor=doors.cursors.spell(cursor, _question(query, scope)))
