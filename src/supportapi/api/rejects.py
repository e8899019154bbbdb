"""`GET /api/settings/rejects`: what the last ingest did with every row, and which ones it could not take."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.query_string import decode
from supportapi.api.doors import doors_of
from supportapi.api.envelope import Envelope
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import json_response
from supportapi.dataset.last_ingest import LastIngest
from supportapi.errors import DataCorrupt, Overloaded, ValidationFailed


class RejectsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`GET /api/settings/rejects`."""

    reason: Annotated[
        Annotated[str, Doc(max_length=100)] | None,
        Doc(
            description="Only rows of this reason, as in `rejected_by_reason`.",
            examples=["started_at_missing"],
        ),
    ] = None
    limit: Annotated[int, Doc(ge=1, le=200, description="How many rejected rows, the first ones.")] = 20


class RejectsAnswer(Envelope[LastIngest | None], frozen=True, kw_only=True):
    """The last ingest; null when no ingest has left its report beside the manifest."""


OPERATION: Final = Operation(
    id="getRejects",
    tag="settings",
    summary="The last ingest, and the rows that it rejected",
    description="From `ingest-report.json` and `rejects.parquet` beside the manifest; after an ingest that was refused "
    "because too many rows were rejected, from `rejects.failed.parquet`. Rejected rows are shown as they stood in "
    "the raw file, with everything that it says of people: for admins alone.",
    role="admin",
    query=RejectsQuery,
    successes={200: Success(description="What is known of it.", body=RejectsAnswer)},
    errors=(ValidationFailed, DataCorrupt, Overloaded),
)


@reading("/api/settings/rejects", OPERATION)
async def rejects(request: Request[Any, Any, Any]) -> ASGIApp:
    """Read from the dataset's folder, beside the loop. Raises `DataCorrupt`, `Overloaded`."""
    query = decode(request.scope["query_string"], RejectsQuery)
    doors = doors_of(request)
    found = await doors.calls_desk.run(lambda: doors.last_ingest(query.reason, query.limit))
    return json_response(RejectsAnswer(data=found))
