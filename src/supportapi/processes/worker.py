"""The worker process: runs builds and refreshes, each in a fork of its own."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from redis.exceptions import RedisError

from supportapi import tracing
from supportapi.answers.prepared import prepare
from supportapi.errors import ShelfUnavailable
from supportapi.processes.redis_server import redis_for
from supportapi.processes.store import pinned_of, source_of
from supportapi.refresh.job import run_build, run_refresh
from supportapi.refresh.queue import BUILD, REFRESH, BuildQueue
from supportapi.refresh.records import Records
from supportapi.refresh.worker import BuildWorker, Task
from supportapi.refresh.workshop import Workshop
from supportapi.snapshots.arrays import Arrays
from supportapi.snapshots.client import connect, memory_problem, require_writes
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis

    from supportapi.settings import Settings

_LOG: Final = structlog.get_logger()
_AGAIN_SECONDS: Final = 0.5


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; a build that runs is handed back. Redis may come later, and go away.

    Raises `SystemExit(70)` when forking is not safe any more: start the process again.
    """
    with redis_for(settings) as redis_url:
        redis, queue_url = connect(redis_url), settings.queue_url(redis_url)
        shop = workshop(settings, redis, connect(queue_url))
        _leave_on_signals()
        tasks: dict[str, Task] = {BUILD: partial(run_build, shop), REFRESH: partial(run_refresh, shop)}
        if settings.tracing_enabled:
            tasks = {name: partial(_traced, task) for name, task in tasks.items()}
        while not _work(queue_url, redis, shop, tasks):
            # RQ ends its loop on a Redis that hangs; nothing of ours is lost by beginning again.
            _LOG.warning("worker.interrupted")
            _leave_on_signals()
            time.sleep(_AGAIN_SECONDS)


def _work(queue_url: str, redis: Redis, shop: Workshop, tasks: Mapping[str, Task]) -> bool:
    """Work until RQ's loop ends; whether somebody asked for that."""
    _wait_for_redis(redis)
    worker: BuildWorker | None = None
    try:
        # A client of its own: RQ sets the time-outs that its blocking calls need.
        worker = BuildWorker(connect(queue_url), tasks, shop.shelf, shop.records, shop.queue)
        _LOG.info("worker.started", worker=worker.name, zones=shop.zones)
        worker.work(logging_level="WARNING")
    except (RedisError, ShelfUnavailable) as cause:  # it went away while RQ said hello or goodbye
        _LOG.warning("worker.redis_lost", error=type(cause).__name__)
    if worker is None:
        return False
    if worker.horse_pid:  # RQ left while its job ran; somebody will be asked to do that again
        worker.kill_horse()
        worker.wait_for_horse()
    if worker.stop_asked:
        _LOG.info("worker.stopped", worker=worker.name)
    return worker.stop_asked


def _traced(task: Task, job_id: str, attempt: int, *, worker: str) -> None:
    # In the fork that does the job: it has none of its parent's threads, and is gone when the job is done.
    tracing.start("worker")
    try:
        task(job_id, attempt, worker=worker)
    finally:
        tracing.stop()


def workshop(settings: Settings, redis: Redis, queue: Redis) -> Workshop:
    """The doors and settings of the builds of this machine; `queue` is the Redis in which jobs wait."""
    source = source_of(settings)
    records = Records(redis, clock=lambda: datetime.now(UTC))
    shelf = Shelf(redis, settings.snapshots_kept)
    return Workshop(
        source=source,
        pinned=pinned_of(settings, source),
        shelf=shelf,
        arrays=Arrays(settings.supportapi_home),
        records=records,
        queue=BuildQueue(queue, records, shelf, settings.job_timeout_seconds),
        prepare=prepare,
        zones=settings.reporting_timezones,
        rollup_budget_mb=settings.rollup_budget_mb,
        audit_queries=settings.audit_queries,
        refresh_command=settings.refresh_command,
        command_timeout_seconds=settings.job_timeout_seconds,
    )


def _wait_for_redis(redis: Redis) -> None:
    waited = False
    while True:
        try:
            require_writes(redis)
            problem = memory_problem(redis)
        except ShelfUnavailable as cause:
            if not waited:
                _LOG.warning("worker.waits_for_redis", reason=cause.message)
            waited = True
            time.sleep(_AGAIN_SECONDS)
            continue
        if problem is not None:
            _LOG.warning("redis.may_evict", problem=problem)
        return


def _leave_on_signals() -> None:
    # As long as RQ has not set its own handlers, which see to a running job first.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(0 if number == signal.SIGTERM else 130)
