"""`/api/settings`: the dataset behind the numbers, and asking for a newer one."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.access.principal import EVERYTHING
from supportapi.answers.meta import StaleReason
from supportapi.answers.query_string import decode
from supportapi.api.body import read_body
from supportapi.api.doors import doors_of
from supportapi.api.jobs import JobAnswer, job_of
from supportapi.api.operation import Operation, Success, acting, reading
from supportapi.api.plain import json_response
from supportapi.api.trace import trace_of
from supportapi.api.versions import NoQuery, RolledBack, rolled_back_of
from supportapi.errors import (
    ManifestInvalid,
    ManifestMissing,
    RefreshDisabled,
    ShelfUnavailable,
    ValidationFailed,
    WarmingUp,
)

if TYPE_CHECKING:
    from supportapi.refresh.records import JobRecord


class SeenManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest as the watcher saw it last, and the version that is served. Null where it is not known."""

    path: Annotated[str | None, Doc(description="Where the manifest is.", examples=["data/manifest.json"])]
    hash: Annotated[str | None, Doc(description="SHA-256 that names the live dataset.")]
    size_bytes: int | None
    rows: int | None
    updated_at: datetime | None
    min_started_at: datetime | None
    max_started_at: Annotated[datetime | None, Doc(description="Start of the newest call (watermark).")]
    seen_at: Annotated[datetime | None, Doc(description="When the watcher looked last.")]
    wanted_version: Annotated[str | None, Doc(description="The version that this dataset makes.")]
    served_version: str | None
    served_dataset_hash: str | None
    stale: bool
    stale_reason: StaleReason | None
    rolled_back: Annotated[
        RolledBack | None, Doc(description="Who went back to an older version, and when; null while nobody did.")
    ]
    error_code: Annotated[str | None, Doc(description="Why it cannot be read, or why its build failed.")]
    error_message: str | None
    error_job: str | None


class ManifestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The live dataset."""

    data: SeenManifest


class RefreshRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do."""

    run_command: Annotated[
        bool, Doc(description="Run `REFRESH_COMMAND` first. Else only the manifest is read again.")
    ] = True


MANIFEST: Final = Operation(
    id="getManifest",
    tag="settings",
    summary="The live dataset, and whether it is what is served",
    description="To who may see the calls of some regions only, how much there is in all, from when to when, and what "
    "an error quotes of it, is not known.",
    query=NoQuery,
    reach="nothing",
    successes={200: Success(description="What is known of it.", body=ManifestAnswer)},
    errors=(ValidationFailed, WarmingUp),
)
REFRESH: Final = Operation(
    id="refreshDataset",
    tag="settings",
    summary="Ask for a refresh",
    description="Runs `REFRESH_COMMAND` in a worker and builds what it made; or reads the manifest again and builds "
    "its dataset, which also ends a rollback (`activateVersion`). Whoever asks while it is under way gets the same "
    "job.",
    role="admin",
    body=RefreshRequest,
    body_required=False,
    successes={
        202: Success(
            description="The job that does it.", body=JobAnswer, headers={"Location": "The job's own resource."}
        )
    },
    errors=(RefreshDisabled, ManifestMissing, ManifestInvalid, ShelfUnavailable),
)


@reading("/api/settings/manifest", MANIFEST)
async def manifest(request: Request[Any, Any, Any]) -> ASGIApp:
    """What the follower knows: no file is read, and Redis is not asked."""
    decode(request.scope["query_string"], NoQuery)
    trace = trace_of(request.scope)
    current, known = trace.current, doors_of(request).follower.seen
    seen, pointer = known.manifest, known.pointer
    told = seen if trace.principal is not None and trace.principal.scope == EVERYTHING else None
    card = current.snapshot.card if current.snapshot else None
    return json_response(
        ManifestAnswer(
            data=SeenManifest(
                path=seen.location if seen else None,
                hash=seen.dataset_hash if seen else None,
                size_bytes=told.size_bytes if told else None,
                rows=told.row_count if told else None,
                updated_at=seen.updated_at if seen else None,
                min_started_at=told.min_started_at if told else None,
                max_started_at=told.max_started_at if told else None,
                seen_at=seen.seen_at if seen else None,
                wanted_version=seen.version if seen else None,
                served_version=card.version if card else None,
                served_dataset_hash=card.dataset_hash if card else None,
                stale=current.stale_reason is not None,
                stale_reason=current.stale_reason,
                rolled_back=rolled_back_of(pointer.rollback if pointer else None),
                error_code=seen.error_code if seen else None,
                error_message=told.error_message if told else None,
                error_job=seen.error_job if seen else None,
            )
        )
    )


@acting("/api/settings/refresh", REFRESH)
async def refresh(request: Request[Any, Any, Any]) -> ASGIApp:
    """Ask. Raises `RefreshDisabled`, and what keeps the manifest from being read."""
    doors = doors_of(request)
    if not doors.refresh_enabled:
        raise RefreshDisabled("Refreshing over HTTP is switched off (ENABLE_REFRESH_ENDPOINT).")
    wanted = await read_body(request, RefreshRequest, required=False)
    principal = trace_of(request.scope).principal
    asker = principal.username if principal else "unknown"

    def ask() -> JobRecord:
        if wanted.run_command:
            return doors.queue.request_refresh(asker)
        live = doors.source.read()
        doors.publishing_shelf.end_rollback()
        return doors.queue.request_build(doors.wanted(live), live.hash, asker)

    # RQ's client is not for the loop.
    record = await asyncio.to_thread(ask)
    location = f"/api/settings/jobs/{record.id}"
    return json_response(JobAnswer(data=job_of(record)), status=202, headers={"location": location})
