"""The worker process: runs builds and refreshes, each in a fork of its own."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from redis.exceptions import RedisError

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
    from redis import Redis

    from supportapi.settings import Settings

_LOG: Final = structlog.get_logger()
_AGAIN_SECONDS: Final = 0.5


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; a job that runs is finished first. Redis may come later, and go away.

    Raises `SystemExit(70)` when forking is not safe any more: start the process again.
    """
    with redis_for(settings) as redis_url:
        redis = connect(redis_url)
        shop = workshop(settings, redis)
        _leave_on_signals()
        while not _work(redis_url, redis, shop):
            # RQ ends its loop on a Redis that hangs; nothing of ours is lost by beginning again.
            _LOG.warning("worker.interrupted")
            _leave_on_signals()
            time.sleep(_AGAIN_SECONDS)


def _work(redis_url: str, redis: Redis, shop: Workshop) -> bool:
    """Work until RQ's loop ends; whether somebody asked for that."""
    _wait_for_redis(redis)
    tasks: dict[str, Task] = {BUILD: partial(run_build, shop), REFRESH: partial(run_refresh, shop)}
    worker: BuildWorker | None = None
    try:
        # A client of its own: RQ sets the time-outs that its blocking calls need.
        worker = BuildWorker(connect(redis_url), tasks, shop.shelf, shop.records)
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


def workshop(settings: Settings, redis: Redis) -> Workshop:
    """The doors and settings of the builds of this machine."""
    source = source_of(settings)
    records = Records(redis, clock=lambda: datetime.now(UTC))
    shelf = Shelf(redis, settings.snapshots_kept)
    return Workshop(
        source=source,
        pinned=pinned_of(settings, source),
        shelf=shelf,
        arrays=Arrays(settings.supportapi_home),
        records=records,
        queue=BuildQueue(redis, records, shelf, settings.job_timeout_seconds),
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
    # As long as RQ has not set its own handlers, which finish a running job first.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(0 if number == signal.SIGTERM else 130)
