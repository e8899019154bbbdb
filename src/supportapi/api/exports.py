"""`GET …/export`: calls, breakdowns and the leaderboard as files."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Annotated, Any, Final, get_args

from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.query import BoardQuery, BreakdownsQuery
from supportapi.answers.query_string import decode
from supportapi.answers.tables import board_table, breakdowns_table
from supportapi.api.calls import asked
from supportapi.api.calls_query import SortedCallsQuery, StoredField, order_of, refuse_empty_spans, selection_of
from supportapi.api.doors import doors_of
from supportapi.api.download import Download
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.trace import trace_of
from supportapi.calls.window import Window
from supportapi.errors import ExportTooLarge, Overloaded, ValidationFailed, WarmingUp
from supportapi.exports.formats import FORMATS, FormatName

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from supportapi.answers.meta import Truth
    from supportapi.answers.tables import Table
    from supportapi.api.download import Make
    from supportapi.rollups.aggregates import Aggregates

SLICE_ROWS: Final = 50_000
"""So many calls are held at once, about."""

FormatField = Annotated[FormatName, Doc(description="The format of the file.")]


class CallsExportQuery(SortedCallsQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`GET /api/calls/export`."""

    fields: Annotated[
        tuple[StoredField, ...],
        Doc(
            description="Of each call these columns and `call_id` alone; all of them when none is named.",
            examples=[["started_at", "duration_seconds"]],
        ),
    ] = ()
    format: FormatField = "csv"


class BoardExportQuery(BoardQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`GET /api/agents/export`."""

    format: FormatField = "csv"


class BreakdownsExportQuery(BreakdownsQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`GET /api/metrics/export`."""

    format: FormatField = "csv"


_HEADERS: Final = {
    "Content-Disposition": "A file name with the window (half-open days) and the version.",
    "X-Total-Count": "How many rows the file has, beside a header.",
    "X-Version": "The version that the rows are of, from the first to the last.",
}
_FILE: Final = {
    200: Success(
        description="The file, made while it is sent. One that ends without its last chunk is not complete.",
        media_type="text/csv",
        headers=_HEADERS,
        other_media_types=tuple(each.media_type for name, each in FORMATS.items() if name != "csv"),
    )
}
_ERRORS: Final = (ValidationFailed, ExportTooLarge, WarmingUp, Overloaded)
_SPREADSHEETS: Final = (
    "In CSV a text that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe before it, so that no "
    "spreadsheet takes it for a formula; in xlsx it is a text as it is. Numbers stay numbers."
)

CALLS: Final = Operation(
    id="exportCalls",
    tag="calls",
    summary="Calls as a file",
    description="All calls that `GET /api/calls` would list, in the same order, with the columns of the dataset; of a "
    "text that is found so often that its `total` is a lower bound, all the same. " + _SPREADSHEETS,
    query=CallsExportQuery,
    reach="own",
    successes=_FILE,
    errors=_ERRORS,
)
BOARD: Final = Operation(
    id="exportAgents",
    tag="agents",
    summary="The leaderboard as a file",
    description="Every row of `GET /api/agents`, with the absolute move of each metric in `<metric>_delta`. "
    + _SPREADSHEETS,
    query=BoardExportQuery,
    reach="own",
    successes=_FILE,
    errors=_ERRORS,
)
BREAKDOWNS: Final = Operation(
    id="exportMetrics",
    tag="metrics",
    summary="Breakdowns as a file",
    description="The rows of the breakdowns of `GET /api/metrics`, below one another. The members beyond `top` are a "
    "row without a key. " + _SPREADSHEETS,
    query=BreakdownsExportQuery,
    reach="own",
    successes=_FILE,
    errors=_ERRORS,
)


@reading("/api/calls/export", CALLS)
async def export_calls(request: Request[Any, Any, Any]) -> ASGIApp:
    """The calls of the version that the request took: its arrays stay mapped until the end."""
    doors, current = doors_of(request), trace_of(request.scope).current
    query = decode(request.scope["query_string"], CallsExportQuery)
    refuse_empty_spans(query)
    snapshot = current.require()
    zone, window = asked(snapshot.aggregates, query)
    selection, order = selection_of(query, window, zone), order_of(query)
    listed = await doors.calls_desk.run(lambda: snapshot.aggregates.call_index.listed(selection, order, whole=True))
    refuse_too_many(listed.total, query.format, doors.export_rows_max)
    columns = [name for name in get_args(StoredField) if not query.fields or name == "call_id" or name in query.fields]

    def make(out: IO[bytes], stopped: Event) -> None:
        from supportapi.exports.write import write  # noqa: PLC0415 - Polars, which the start of the API does without
        from supportapi.rollups.call_frames import call_frames  # noqa: PLC0415 - as above

        frames, schema = call_frames(snapshot.aggregates.calls, listed, columns, SLICE_ROWS)
        write(frames, schema, query.format, out, stopped)

    name = _name("calls", window, snapshot.card.version, query.format)
    return _download(request, make, name, query.format, listed.total, source="scan")


@reading("/api/agents/export", BOARD)
async def export_agents(request: Request[Any, Any, Any]) -> ASGIApp:
    """The leaderboard."""
    query = decode(request.scope["query_string"], BoardExportQuery)
    return await _table(request, "agents", query.format, lambda found, truth: board_table(found, query, truth))


@reading("/api/metrics/export", BREAKDOWNS)
async def export_metrics(request: Request[Any, Any, Any]) -> ASGIApp:
    """The breakdowns."""
    query = decode(request.scope["query_string"], BreakdownsExportQuery)
    return await _table(request, "metrics", query.format, lambda found, truth: breakdowns_table(found, query, truth))


async def _table(
    request: Request[Any, Any, Any], name: str, form: FormatName, answer: Callable[[Aggregates, Truth], Table]
) -> Download:
    doors, current = doors_of(request), trace_of(request.scope).current
    snapshot, truth = current.require(), current.truth()
    table = await doors.desk.run(lambda: answer(snapshot.aggregates, truth))
    refuse_too_many(len(table.rows), form, doors.export_rows_max)

    def make(out: IO[bytes], stopped: Event) -> None:
        import polars as pl  # noqa: PLC0415 - which the start of the API does without

        from supportapi.exports.write import write  # noqa: PLC0415 - as above

        frame = pl.DataFrame(table.rows, schema=dict(table.columns))
        write([frame], frame.schema, form, out, stopped)

    days = Window(table.meta.window.from_, table.meta.window.to)
    file_name = _name(name, days, truth.version, form)
    return _download(request, make, file_name, form, len(table.rows), source=table.meta.source)


def refuse_too_many(rows: int, form: FormatName, most: int) -> None:
    """Raise `ExportTooLarge` for more rows than may be exported, or than the format has."""
    limit = min(most, FORMATS[form].most_rows or most)
    if rows > limit:
        other = "; other formats hold more" if limit < most else ""
        message = (
            f"This would be {rows:,} rows, and as '{form}' at most {limit:,} are exported at once{other}. "
            "Take a shorter window or more filters."
        )
        raise ExportTooLarge(message, field="format" if other else None, rows=rows, limit=limit)


def _name(what: str, window: Window, version: str, form: FormatName) -> str:
    return f"{what}_{window.start}_{window.end}_{version}.{form}"


def _download(
    request: Request[Any, Any, Any], make: Make, name: str, form: FormatName, rows: int, *,
    source: str,
) -> Download:  # fmt: skip
    trace = trace_of(request.scope)
    trace.source, trace.version = source, name.rpartition("_")[2].partition(".")[0]
    head = {
        "content-type": FORMATS[form].media_type,
        "content-disposition": f'attachment; filename="{name}"',
        "x-total-count": str(rows),
        "x-version": trace.version,
    }
    return Download(doors_of(request).downloads, make, [(key.encode(), text.encode()) for key, text in head.items()])
