"""What the jobs of all processes add up to: how many wait, how attempts ended, how long stages took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from rq import Queue

from supportapi.refresh.queue import QUEUE_NAME
from supportapi.snapshots import keys
from supportapi.snapshots.client import reaching_redis

if TYPE_CHECKING:
    from redis.asyncio import Redis


class StageTotal(msgspec.Struct, frozen=True):
    """How often a stage was run to its end, and for how many seconds in all."""

    runs: int
    seconds: float


class JobTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Since Redis was last empty. `outcomes` is by kind of job and outcome: `succeeded`, or a code."""

    queued: int
    outcomes: dict[tuple[str, str], int]
    stages: dict[str, StageTotal]


class AsyncTotals:
    """Reads them for an API process. `queue` is the client of the database in which jobs wait."""

    def __init__(self, redis: Redis, queue: Redis) -> None:
        # Typed loosely: redis-py declares each reply as maybe awaitable.
        self._redis: Any = redis
        self._queue: Any = queue

    async def read(self) -> JobTotals:
        """Raises `ShelfUnavailable` when Redis does not answer."""
        with reaching_redis():
            queued = await self._queue.llen(f"{Queue.redis_queue_namespace_prefix}{QUEUE_NAME}")
            outcomes = await self._redis.hgetall(keys.OUTCOMES)
            runs = await self._redis.hgetall(keys.STAGE_RUNS)
            seconds = await self._redis.hgetall(keys.STAGE_SECONDS)
        counts: dict[tuple[str, str], int] = {}
        for name, count in outcomes.items():
            kind, _, outcome = name.decode().partition(" ")
            counts[kind, outcome] = int(count)
        stages = {
            stage.decode(): StageTotal(runs=int(count), seconds=float(seconds.get(stage, 0)))
            for stage, count in runs.items()
        }
        return JobTotals(queued=queued, outcomes=counts, stages=stages)
