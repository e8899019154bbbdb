"""`GET /api/settings/queue`: what waits to be done, who does it, and who watches."""

from __future__ import annotations

import asyncio
from datetime import datetime
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
from supportapi.api.versions import NoQuery
from supportapi.errors import ShelfUnavailable, ValidationFailed
from supportapi.refresh.records import job_of
from supportapi.snapshots.sightings import ManifestSighting, WorkerBeat

SeenAt = Annotated[datetime, Doc(description="When it said so last.")]


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that lives: one that has not said so for ten seconds is not listed."""

    name: Annotated[str, Doc(description="Its name: host, process and a random end.", examples=["web1-4711-9f3c1d"])]
    host: Annotated[str, Doc(description="The machine that it runs on.", examples=["web1"])]
    process_id: Annotated[int, Doc(description="Its process there.", examples=[4711])]
    seen_at: SeenAt
    job_id: Annotated[str | None, Doc(description="What it works on, for `/api/settings/jobs/{id}`; null: nothing.")]


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """The watcher that has looked last."""

    name: Annotated[str, Doc(description="Its name: host and process.", examples=["web1-4712"])]
    location: Annotated[str, Doc(description="Where it looks for the manifest.", examples=["data/manifest.json"])]
    seen_at: SeenAt
    interval_seconds: Annotated[float, Doc(description="How often it looks, beside events.", examples=[15])]
    silent: Annotated[bool, Doc(description="Whether it has missed several turns: nobody may be watching.")]


class WorkQueue(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, and who is there."""

    waiting: Annotated[int, Doc(ge=0, description="Jobs that no worker has taken yet.", examples=[0])]
    workers: Annotated[list[Worker], Doc(description="Those that live, by name.")]
    watcher: Annotated[Watching | None, Doc(description="Null when none has looked since Redis was empty.")]


class QueueAnswer(Envelope[WorkQueue], frozen=True, kw_only=True):
    """The queue and its workers."""


OPERATION: Final = Operation(
    id="getQueue",
    tag="settings",
    summary="Queue, workers and watcher",
    description="What the processes say of themselves in Redis. The jobs themselves are in `/api/settings/jobs`.",
    role="admin",
    query=NoQuery,
    successes={200: Success(description="What waits, and who is there.", body=QueueAnswer)},
    errors=(ValidationFailed, ShelfUnavailable),
)


@reading("/api/settings/queue", OPERATION)
async def queue(request: Request[Any, Any, Any]) -> ASGIApp:
    """Read from Redis as it is now. Raises `ShelfUnavailable`."""
    decode(request.scope["query_string"], NoQuery)
    doors = doors_of(request)
    # RQ's client is not for the loop.
    waiting, workers, sighting = await asyncio.gather(
        asyncio.to_thread(doors.queue.length), doors.shelf.workers(), doors.shelf.manifest()
    )
    crew = WorkQueue(
        waiting=waiting,
        workers=[_worker(beat) for beat in sorted(workers, key=lambda beat: beat.name)],
        watcher=None if sighting is None else _watching(sighting, silent=doors.follower.seen.watcher_silent),
    )
    return json_response(QueueAnswer(data=crew))


def _worker(beat: WorkerBeat) -> Worker:
    return Worker(
        name=beat.name,
        host=beat.host,
        process_id=beat.pid,
        seen_at=beat.seen_at,
        job_id=None if beat.job is None else job_of(beat.job),
    )


def _watching(sighting: ManifestSighting, *, silent: bool) -> Watching:
    return Watching(
        name=sighting.watcher,
        location=sighting.location,
        seen_at=sighting.seen_at,
        interval_seconds=sighting.interval_seconds,
        silent=silent,
    )
