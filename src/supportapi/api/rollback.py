"""`POST /api/versions/{version}/activate`: back to a version that is kept, or forth again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import structlog
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.api.doors import Doors, doors_of
from supportapi.api.operation import Operation, Success, acting
from supportapi.api.plain import json_response
from supportapi.api.trace import trace_of
from supportapi.api.versions import RolledBack, card_of, rolled_back_of
from supportapi.errors import NotFound, PublishRefused, ShelfUnavailable, SnapshotIncomplete, VersionGone
from supportapi.snapshots.pointer import Rollback, VersionCard
from supportapi.snapshots.shelf import Outcome

_log = structlog.get_logger(__name__)

if TYPE_CHECKING:
    from supportapi.snapshots.pointer import Pointer


class Activated(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force now. Each process tells its listeners (`version.published`) as soon as it serves it."""

    version: str
    outcome: Annotated[Outcome, Doc(description="`unchanged`: it was in force already.")]
    sequence: Annotated[int, Doc(description="Orders publishes.")]
    replaced: Annotated[
        str | None, Doc(description="The version that was in force before.", examples=["3f9c1d0a55b2e871"])
    ]
    rolled_back: Annotated[
        RolledBack | None, Doc(description="What is held off from now on; null when this is the version of the data.")
    ]


class ActivatedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A version in force."""

    data: Activated


OPERATION: Final = Operation(
    id="activateVersion",
    tag="versions",
    summary="Put a kept version in force",
    description="In every process, by the same step as a publish. The version that the live dataset makes is then held "
    "off (`stale_reason` `rolled_back`) until the dataset changes, a version is activated again, or an admin asks for "
    "a refresh that runs no command. A version has to be named by its own name: `previous` would mean another one "
    "after the first of two requests.",
    role="admin",
    path_parameters={"version": "The name of a kept version: 16 hexadecimal digits, as in `/api/versions`."},
    successes={200: Success(description="It is in force.", body=ActivatedAnswer)},
    errors=(NotFound, VersionGone, SnapshotIncomplete, PublishRefused, ShelfUnavailable),
)


@acting("/api/versions/{version:str}/activate", OPERATION)
async def activate_version(request: Request[Any, Any, Any]) -> ASGIApp:
    """Flip the pointer. Raises as the operation says."""
    doors, trace = doors_of(request), trace_of(request.scope)
    card = card_of(request.path_params["version"], await doors.shelf.history(), names=())
    by = trace.principal.username if trace.principal else "unknown"
    activated = await asyncio.to_thread(_activate, doors, card, by)
    _log.info(
        "version.activated",
        version=card.version,
        replaced=activated.replaced,
        outcome=activated.outcome,
        held_off=activated.rolled_back.over if activated.rolled_back else None,
        by=by,
        request_id=trace.request_id.decode("latin-1"),
    )
    return json_response(ActivatedAnswer(data=activated))


def _activate(doors: Doors, card: VersionCard, by: str) -> Activated:
    from supportapi.refresh.difference import (  # noqa: PLC0415 - Polars, which the start of the API does without
        compared_parts,
        difference,
    )

    shelf = doors.publishing_shelf
    current, version = shelf.current(), card.version
    over = _wanted(doors, current)
    rollback = None if over in (None, version) else Rollback(by=by, at=doors.now(), over=over)
    told = difference(shelf, compared_parts(shelf, version))
    sequence = shelf.next_sequence()
    outcome = shelf.activate(version, sequence, card.dataset_hash, told, rollback)
    return Activated(
        version=version,
        outcome=outcome,
        sequence=sequence,
        replaced=current.version if current else None,
        rolled_back=rolled_back_of(rollback),
    )


def _wanted(doors: Doors, current: Pointer | None) -> str | None:
    """The version that the manifest asks for; while it cannot be read, the one that it asked for last."""
    seen = doors.publishing_shelf.manifest()
    if seen is not None and seen.version is not None:
        return seen.version
    if current is None:
        return None
    return current.rollback.over if current.rollback else current.version
