"""Asking for work: exactly one build for a version, however many ask, and one refresh at a time.

The claim is a record of ours, taken in a transaction; RQ only carries it to a worker. RQ's own ids are used once, so
that nothing it remembers of an earlier attempt can block or end a later one.
"""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import structlog
from rq import Queue

from supportapi import tracing
from supportapi.errors import WorkerLost
from supportapi.refresh.records import REFRESH_SUBJECT, Decide, JobRecord, Reason, Records
from supportapi.refresh.retry import next_attempt_at
from supportapi.snapshots.client import reaching_redis
from supportapi.snapshots.keys import FORMAT

if TYPE_CHECKING:
    from datetime import datetime

    from redis import Redis

    from supportapi.errors import SupportApiError
    from supportapi.snapshots.shelf import Shelf

_LOG: Final = structlog.get_logger()
# One queue for each format: during a release an old worker never takes a build that only the new one understands.
QUEUE_NAME: Final = f"supportapi-{FORMAT}"
SERIALIZER: Final = "json"
# Names in a table of the worker's, not import paths: what is not in the table is not run.
BUILD: Final = "supportapi.build"
REFRESH: Final = "supportapi.refresh"
_FAILURE_SECONDS: Final = 60
# How long a record may be neither in the queue nor in a worker's hands before its worker counts as lost.
_LIMBO_SECONDS: Final = 5.0
_SWEPT: Final = 50


class BuildQueue:
    """Where watcher, admins and refreshes ask. Every method raises `ShelfUnavailable` when Redis does not answer."""

    def __init__(self, redis: Redis, records: Records, shelf: Shelf, timeout_seconds: int) -> None:
        self._redis: Any = redis
        self._records = records
        self._shelf = shelf
        self._timeout_seconds = timeout_seconds
        self._queue = Queue(QUEUE_NAME, connection=redis, serializer=SERIALIZER)
        self._limbo: dict[str, float] = {}

    def request_build(self, version: str, dataset_hash: str, requested_by: str) -> JobRecord:
        """The record of the build of `version`: the one that is queued or running, else a new one, enqueued.

        A build that failed for a passing reason goes on under its old record.
        """

        def decide(held: JobRecord | None) -> JobRecord | None:
            if held is not None and held.open:
                return None
            now = self._records.clock()
            if held is not None and held.next_attempt_at is not None:
                return msgspec.structs.replace(held, **_afresh(held, now))
            return JobRecord(
                id=f"build-{version}-{secrets.token_hex(4)}",
                kind="build",
                state="queued",
                requested_by=requested_by,
                created_at=now,
                queued_at=now,
                dataset_hash=dataset_hash,
                version=version,
                traceparent=tracing.traceparent(),
            )

        return self._request(version, decide, BUILD)

    def request_refresh(self, requested_by: str) -> JobRecord:
        """The record of the refresh: the one that is queued or running, else a new one, enqueued."""

        def decide(held: JobRecord | None) -> JobRecord | None:
            if held is not None and held.open:
                return None
            now = self._records.clock()
            return JobRecord(
                id=f"refresh-{secrets.token_hex(6)}",
                kind="refresh",
                state="queued",
                requested_by=requested_by,
                created_at=now,
                queued_at=now,
                traceparent=tracing.traceparent(),
            )

        return self._request(REFRESH_SUBJECT, decide, REFRESH)

    def hand_back(self, job_id: str, attempt: int) -> JobRecord | None:
        """Put a build under way back into the queue, for whoever comes: its worker has been told to end.

        The record stays open, so that nobody asks for the build meanwhile. None, and nothing done, when the attempt
        is not the caller's any more.
        """
        held = self._records.get(job_id)
        if held is None:
            return None
        record = self._records.change(job_id, attempt, **_afresh(held, self._records.clock()))
        if record is not None:
            self._enqueue(record, BUILD)
        return record

    def sweep(self) -> None:
        """End the open records that nobody works on any more: with `WORKER_LOST`, unless their work was done.

        Call it every second or so: a record must be in limbo for a while before it counts as lost.
        """
        doubtful: dict[str, float] = {}
        for record in self._records.list(_SWEPT):
            if record.open and self._lost(record, doubtful):
                lost = WorkerLost("The process that ran this job is gone.", worker=record.worker, stage=record.stage)
                end_lost(self._shelf, self._records, record, lost)
        self._limbo = doubtful

    def length(self) -> int:
        """How many jobs wait."""
        with reaching_redis():
            return cast("int", self._redis.llen(self._queue.key))

    def _request(self, subject: str, decide: Decide, function: str) -> JobRecord:
        while True:
            with tracing.span(f"{function.removeprefix('supportapi.')}.request", kind="producer"):
                record = self._records.claim(subject, decide)
                if record is not None:
                    self._enqueue(record, function)
                    return record
            held = self._records.latest(subject)
            if held is not None:  # else it expired between the two looks
                return held

    def _enqueue(self, record: JobRecord, function: str) -> None:
        enqueue = partial(self._queue.enqueue_call, function, args=[record.id, record.attempts])
        with reaching_redis():
            enqueue(
                job_id=record.attempt_id,
                unique=True,
                timeout=self._timeout_seconds,
                result_ttl=0,
                failure_ttl=_FAILURE_SECONDS,
                description=record.attempt_id,
            )
        _LOG.info(
            f"{record.kind}.requested",
            job=record.id,
            version=record.version,
            attempt=record.attempts,
            requested_by=record.requested_by,
        )

    def _lost(self, record: JobRecord, doubtful: dict[str, float]) -> bool:
        if record.state == "running" and record.worker is not None:
            return not self._shelf.works_on(record.worker, record.attempt_id)
        with reaching_redis():
            if self._redis.lpos(self._queue.key, record.attempt_id) is not None:
                return False
        # Between the queue and the first word of its worker, or never enqueued because the asker was killed.
        now = time.monotonic()
        doubtful[record.attempt_id] = self._limbo.get(record.attempt_id, now)
        return now - doubtful[record.attempt_id] >= _LIMBO_SECONDS


def end_lost(shelf: Shelf, records: Records, record: JobRecord, error: SupportApiError) -> None:
    """End an attempt that nobody works on any more: with `error`, unless its version is published."""
    current = shelf.current()
    if record.kind == "build" and current is not None and current.version == record.version:
        result = {"outcome": "published", "sequence": current.sequence}
        ended = {"state": "succeeded", "ended_at": records.clock(), "progress": 1.0, "result": result}
        records.change(record.id, record.attempts, **ended)
        return
    end_with(records, record, error)


def end_with(records: Records, record: JobRecord, error: SupportApiError) -> JobRecord | None:
    """End an attempt as failed, with the time of the next one if there is to be one. None if it is not ours any more.

    A refresh is never tried again by itself: a command may do harm when it runs twice.
    """
    now = records.clock()
    again = next_attempt_at(error, record.attempts, now) if record.kind == "build" else None
    ended = records.change(
        record.id,
        record.attempts,
        state="failed",
        ended_at=now,
        reason=Reason(code=error.code, message=error.message, facts=plain(error.facts)),
        next_attempt_at=again,
    )
    if ended is not None:
        _LOG.warning(
            f"{record.kind}.failed",
            job=record.id,
            version=record.version,
            code=error.code,
            reason=error.message,
            attempt=record.attempts,
            next_attempt_at=None if again is None else again.isoformat(),
        )
    return ended


def plain(facts: dict[str, object]) -> dict[str, Any]:
    """Facts as JSON values, whatever they were."""
    return msgspec.json.decode(msgspec.json.encode(facts, enc_hook=str))


def _afresh(held: JobRecord, now: datetime) -> dict[str, Any]:
    """What the record of a build says when it waits for its next attempt."""
    return {
        "state": "queued",
        "attempts": held.attempts + 1,
        "queued_at": now,
        "next_attempt_at": None,
        "started_at": None,
        "ended_at": None,
        "stage": None,
        "progress": 0.0,
        "worker": None,
        "stage_seconds": {},
    }
