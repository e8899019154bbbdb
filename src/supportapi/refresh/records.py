"""The history of builds and refreshes: one bounded list of job records in Redis, written by us and not by RQ.

A record outlives the RQ jobs that worked on it: a build that failed for a passing reason is tried again under the same
record (`attempts` counts), so that a flapping disk does not push every other reason out of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import msgspec
from redis.exceptions import WatchError

from supportapi.errors import ShelfUnavailable
from supportapi.snapshots import keys
from supportapi.snapshots.client import reaching_redis

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

RECORDS_KEPT: Final = 200
_RECORD_SECONDS: Final = int(timedelta(days=7).total_seconds())
_TRIES: Final = 50
_CHANGES_KEPT: Final = 256
_RECORD: Final = b"record"
REFRESH_SUBJECT: Final = "refresh"

Clock = Callable[[], datetime]
JobKind = Literal["build", "refresh"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed or was cancelled: a stable code (of `errors.py`, or of `build.CalledOff`), and its facts."""

    code: str
    message: str
    facts: dict[str, Any] = {}


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One build or refresh.

    `progress` is 0..1. `next_attempt_at` is set on a failed build that will be tried again. `stage_seconds` are those
    of the last attempt; `worker` is the process that runs it; `queued_at` is when the last attempt was asked for;
    `traceparent` names the span in which the job was asked for, where traces are on.
    """

    id: str
    kind: JobKind
    state: JobState
    requested_by: str
    created_at: datetime
    queued_at: datetime
    attempts: int = 1
    stage: str | None = None
    progress: float = 0.0
    reason: Reason | None = None
    result: dict[str, Any] | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    next_attempt_at: datetime | None = None
    dataset_hash: str | None = None
    version: str | None = None
    worker: str | None = None
    stage_seconds: dict[str, float] = {}
    traceparent: str | None = None

    @property
    def open(self) -> bool:
        """Whether somebody still works on it, or will."""
        return self.state in {"queued", "running"}

    @property
    def outcome(self) -> str:
        """How it ended: the code of its reason, or its state where nothing went wrong."""
        return self.state if self.reason is None else self.reason.code

    @property
    def subject(self) -> str:
        """What at most one open record exists for: the version of a build, or the refresh."""
        return self.version if self.kind == "build" and self.version is not None else REFRESH_SUBJECT

    @property
    def attempt_id(self) -> str:
        """The id of the RQ job that works on this attempt. Never used twice."""
        return f"{self.id}-{self.attempts}"


def job_of(attempt_id: str) -> str:
    """The id of the record that an attempt is of."""
    return attempt_id.rpartition("-")[0]


# Given the latest record of a subject, the one to write; None to leave everything as it is.
Decide = Callable[[JobRecord | None], JobRecord | None]


class Records:
    """The records, for those who write them. Every method raises `ShelfUnavailable` when Redis does not answer."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        # Typed loosely: redis-py declares each reply as maybe awaitable.
        self._redis: Any = redis
        self.clock = clock

    def get(self, job_id: str) -> JobRecord | None:
        with reaching_redis():
            return _decode(self._redis.get(keys.job_key(job_id)))

    def latest(self, subject: str) -> JobRecord | None:
        """The newest record of a version's build, or of `REFRESH_SUBJECT`."""
        with reaching_redis():
            job_id = cast("bytes | None", self._redis.get(keys.latest_key(subject)))
        return None if job_id is None else self.get(job_id.decode())

    def list(self, limit: int = RECORDS_KEPT) -> list[JobRecord]:
        """The newest records first."""
        with reaching_redis():
            ids = cast("list[bytes]", self._redis.zrange(keys.JOBS, 0, limit - 1, desc=True))
            documents = self._redis.mget([keys.job_key(job_id.decode()) for job_id in ids]) if ids else ()
        return _present(documents)

    def claim(self, subject: str, decide: Decide) -> JobRecord | None:
        """Write the record that `decide` makes of the latest one of `subject`, unless somebody else was faster.

        `decide` is asked again when the latest record changed meanwhile, so that of any number of callers one wins.
        It answers None to write nothing. Returns what was written, or None.
        """
        with reaching_redis():
            for _ in range(_TRIES):
                with self._redis.pipeline(transaction=True) as pipe:
                    try:
                        written = self._try_claim(pipe, subject, decide)
                    except WatchError:
                        continue
                if written is not None:
                    self._trim()
                return written
        raise ShelfUnavailable("The record of a job changes faster than it can be read.", subject=subject)

    def change(self, job_id: str, attempt: int, **changes: object) -> JobRecord | None:
        """Change an open record, on behalf of the one who works on `attempt`. Returns the new one.

        None, and nothing changed, when the record is gone, ended, or in the hands of a later attempt: the caller was
        given up for lost and has nothing to say any more. An attempt that ends is counted in the same step, with the
        seconds of its stages.
        """
        key = keys.job_key(job_id)
        with reaching_redis():
            for _ in range(_TRIES):
                with self._redis.pipeline(transaction=True) as pipe:
                    try:
                        pipe.watch(key)
                        held = _decode(pipe.get(key))
                        if held is None or not held.open or held.attempts != attempt:
                            return None
                        changed = msgspec.structs.replace(held, **changes)
                        pipe.multi()
                        _write(pipe, changed)
                        if not changed.open:
                            _count(pipe, changed)
                        pipe.execute()
                    except WatchError:
                        continue
                return changed
        raise ShelfUnavailable("The record of a job changes faster than it can be written.", job=job_id)

    def _try_claim(self, pipe: Any, subject: str, decide: Decide) -> JobRecord | None:
        latest_key = keys.latest_key(subject)
        pipe.watch(latest_key)
        job_id = cast("bytes | None", pipe.get(latest_key))
        held = None
        if job_id is not None:
            pipe.watch(keys.job_key(job_id.decode()))
            held = _decode(pipe.get(keys.job_key(job_id.decode())))
        record = decide(held)
        if record is None:
            return None
        pipe.multi()
        pipe.set(latest_key, record.id, ex=_RECORD_SECONDS)
        _write(pipe, record)
        pipe.zadd(keys.JOBS, {record.id: record.created_at.timestamp()})
        pipe.execute()
        return record

    def _trim(self) -> None:
        old = cast("list[bytes]", self._redis.zrange(keys.JOBS, 0, -(RECORDS_KEPT + 1)))
        if old:
            self._redis.zrem(keys.JOBS, *old)
            self._redis.delete(*(keys.job_key(job_id.decode()) for job_id in old))


class AsyncRecords:
    """The reading side, for the API. Every method raises `ShelfUnavailable` when Redis does not answer."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis: Any = redis

    async def get(self, job_id: str) -> JobRecord | None:
        with reaching_redis():
            return _decode(await self._redis.get(keys.job_key(job_id)))

    async def list(self, limit: int = RECORDS_KEPT) -> list[JobRecord]:
        """The newest records first."""
        with reaching_redis():
            ids = cast("list[bytes]", await self._redis.zrange(keys.JOBS, 0, limit - 1, desc=True))
            documents = await self._redis.mget([keys.job_key(job_id.decode()) for job_id in ids]) if ids else ()
        return _present(documents)

    async def last_change(self) -> str:
        """Where those who are interested in what comes begin to listen."""
        with reaching_redis():
            entries = await self._redis.xrevrange(keys.JOB_CHANGES, count=1)
        return entries[0][0].decode() if entries else "0-0"

    async def changes(self, after: str, block_ms: int = 1000) -> tuple[str, list[JobRecord]]:
        """The records as they were after each change since `after`, and where to listen on; none after `block_ms`.

        `block_ms` must be below the client's socket timeout.
        """
        with reaching_redis():
            streams = await self._redis.xread({keys.JOB_CHANGES: after}, block=block_ms)
        if not streams:
            return after, []
        ((_, entries),) = streams
        return entries[-1][0].decode(), _present(fields[_RECORD] for _, fields in entries)


def _write(pipe: Any, record: JobRecord) -> None:
    """Write a record, and tell those who listen, in one step."""
    document = msgspec.json.encode(record)
    pipe.set(keys.job_key(record.id), document, ex=_RECORD_SECONDS)
    pipe.xadd(keys.JOB_CHANGES, {_RECORD: document}, maxlen=_CHANGES_KEPT, approximate=True)


def _count(pipe: Any, ended: JobRecord) -> None:
    pipe.hincrby(keys.OUTCOMES, f"{ended.kind} {ended.outcome}", 1)
    for stage, seconds in ended.stage_seconds.items():
        pipe.hincrby(keys.STAGE_RUNS, stage, 1)
        pipe.hincrbyfloat(keys.STAGE_SECONDS, stage, seconds)


def _decode(document: bytes | None) -> JobRecord | None:
    return None if document is None else msgspec.json.decode(document, type=JobRecord)


def _present(documents: Iterable[bytes | None]) -> list[JobRecord]:
    return [record for document in documents if (record := _decode(document)) is not None]
