"""`GET /api/versions/{version}/audit`: what was asked of a version, in two ways, before it was published."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp

from supportapi.answers.query_string import decode
from supportapi.api.doors import doors_of
from supportapi.api.envelope import Envelope
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import json_response
from supportapi.api.versions import NoQuery, card_of
from supportapi.errors import NotFound, ShelfUnavailable, SnapshotIncomplete, ValidationFailed, VersionGone
from supportapi.rollups.audit_report import AuditReport


class AuditAnswer(Envelope[AuditReport], frozen=True, kw_only=True):
    """An audit."""


OPERATION: Final = Operation(
    id="getAudit",
    tag="versions",
    summary="How a version was audited",
    description="Every random question that the rollup and the plain rows were both asked before the version was "
    "published: counts, sums and longest waits were equal, percentiles within 1 %. A version of which one value "
    "disagreed was never published; the reason of its job lists what did.",
    path_parameters={"version": "A version's name; `current` and `previous` stand for the two published last."},
    query=NoQuery,
    successes={200: Success(description="The audit.", body=AuditAnswer)},
    errors=(ValidationFailed, NotFound, VersionGone, ShelfUnavailable, SnapshotIncomplete),
)


@reading("/api/versions/{version:str}/audit", OPERATION)
async def audit(request: Request[Any, Any, Any]) -> ASGIApp:
    """Read from the shelf, where the version stands."""
    decode(request.scope["query_string"], NoQuery)
    shelf = doors_of(request).shelf
    card = card_of(request.path_params["version"], await shelf.history())
    document = (await shelf.read(card.version, "audit"))["audit"]
    return json_response(AuditAnswer(data=msgspec.json.decode(document, type=AuditReport)))
