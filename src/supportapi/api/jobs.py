"""`/api/settings/jobs`: builds and refreshes, what they do and how they ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.query_string import decode
from supportapi.api.doors import doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import json_response
from supportapi.errors import NotFound, ShelfUnavailable, ValidationFailed
from supportapi.refresh.records import JobKind, JobRecord, JobState


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`GET /api/settings/jobs`."""

    limit: Annotated[int, Doc(ge=1, le=200, description="How many, the newest first.")] = 50


class JobReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed or was cancelled."""

    code: Annotated[str, Doc(examples=["DATA_CORRUPT"])]
    message: str
    facts: dict[str, Any]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One build or refresh."""

    id: str
    kind: JobKind
    state: JobState
    stage: Annotated[str | None, Doc(description="What it is doing, or did last.", examples=["states"])]
    progress: Annotated[float, Doc(ge=0, le=1)]
    reason: JobReason | None
    result: dict[str, Any] | None
    requested_by: str
    dataset_hash: str | None
    version: str | None
    attempts: int
    next_attempt_at: Annotated[datetime | None, Doc(description="Set when it failed and will be tried again.")]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    stage_seconds: dict[str, float]


class JobsMeta(msgspec.Struct, frozen=True, kw_only=True):
    """How many are in the list."""

    total: int


class JobList(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs."""

    data: list[Job]
    meta: JobsMeta


class JobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One job."""

    data: Job


LIST: Final = Operation(
    id="listJobs",
    tag="settings",
    summary="Builds and refreshes, the newest first",
    role="admin",
    query=JobsQuery,
    successes={200: Success(description="The jobs.", body=JobList)},
    errors=(ValidationFailed, ShelfUnavailable),
)
ONE: Final = Operation(
    id="getJob",
    tag="settings",
    summary="One build or refresh",
    role="admin",
    path_parameters={"job_id": "The job's id."},
    successes={200: Success(description="The job.", body=JobAnswer)},
    errors=(NotFound, ShelfUnavailable),
)


@reading("/api/settings/jobs", LIST)
async def list_jobs(request: Request[Any, Any, Any]) -> ASGIApp:
    """The newest jobs. Raises `ShelfUnavailable`."""
    query = decode(request.scope["query_string"], JobsQuery)
    found = [job_of(record) for record in await doors_of(request).records.list(query.limit)]
    return json_response(JobList(data=found, meta=JobsMeta(total=len(found))))


@reading("/api/settings/jobs/{job_id:str}", ONE)
async def get_job(request: Request[Any, Any, Any]) -> ASGIApp:
    """One job. Raises `NotFound`, `ShelfUnavailable`."""
    job_id: str = request.path_params["job_id"]
    record = await doors_of(request).records.get(job_id)
    if record is None:
        raise NotFound(f"There is no job '{job_id[:100]}'.")
    return json_response(JobAnswer(data=job_of(record)))


def job_of(record: JobRecord) -> Job:
    """What a client is shown of a record."""
    reason = record.reason
    return Job(
        id=record.id,
        kind=record.kind,
        state=record.state,
        stage=record.stage,
        progress=record.progress,
        reason=None if reason is None else JobReason(code=reason.code, message=reason.message, facts=reason.facts),
        result=record.result,
        requested_by=record.requested_by,
        dataset_hash=record.dataset_hash,
        version=record.version,
        attempts=record.attempts,
        next_attempt_at=record.next_attempt_at,
        created_at=record.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        stage_seconds=record.stage_seconds,
    )
