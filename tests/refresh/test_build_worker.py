"""The worker class with real forks: what it runs, what it refuses, and what happens when it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
from rq import Queue

from supportapi.refresh.queue import QUEUE_NAME, SERIALIZER, BuildQueue
from supportapi.refresh.worker import UNSAFE_TO_FORK
from tests.refresh.stand_in import DEADLY, POLARS, STUCK

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from supportapi.refresh.records import JobRecord, Records
    from supportapi.snapshots.shelf import Shelf
    from tests.refresh.conftest import Until

Start = Callable[..., subprocess.Popen[bytes]]
_WORKER = "tests.refresh.stand_in"
_V = "a" * 16


def _hash(kind: str) -> str:
    return kind + "0" * 63


def _state(records: Records, record: JobRecord) -> str:
    found = records.get(record.id)
    return "" if found is None else found.state


def test_it_builds_what_was_asked_for_and_says_that_it_lives(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, shelf: Shelf, until: Until
) -> None:
    record = queue.request_build(_V, _hash("0"), "watcher")
    start(_WORKER, redis_url, "none")

    until(lambda: _state(records, record) == "succeeded")

    current, ended = shelf.current(), records.get(record.id)
    assert current is not None
    assert ended is not None
    assert current.version == _V
    assert ended.worker in {beat.name for beat in shelf.workers()}


def test_nothing_of_a_job_that_ended_stays_in_rq(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, until: Until, redis: Redis
) -> None:
    record = queue.request_build(_V, _hash("0"), "watcher")
    start(_WORKER, redis_url, "none")

    until(lambda: _state(records, record) == "succeeded")

    until(lambda: redis.keys("rq:job:*") == [])


def test_it_takes_only_jobs_of_its_table_and_imports_nothing_that_redis_names(
    start: Start, redis_url: str, redis: Redis, tmp_path: Path, until: Until
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("here")
    evil = Queue(QUEUE_NAME, connection=redis, serializer=SERIALIZER).enqueue_call(
        "os.unlink", args=[str(victim)], job_id="evil", failure_ttl=60
    )
    redis.hset(evil.key, "success_callback_name", "os.abort")
    start(_WORKER, redis_url, "none")

    until(lambda: evil.get_status() == "failed")

    assert victim.exists()


def test_a_killed_child_is_noticed_by_its_worker_and_the_next_attempt_succeeds(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, until: Until
) -> None:
    start(_WORKER, redis_url, "none")
    record = queue.request_build(_V, _hash(DEADLY), "watcher")

    until(lambda: _state(records, record) == "failed")  # nobody sweeps: it is the worker that has noticed
    failed = records.get(record.id)
    again = queue.request_build(_V, _hash(DEADLY), "watcher")
    until(lambda: _state(records, record) == "succeeded")

    assert failed is not None
    assert failed.reason is not None
    assert failed.reason.code == "WORKER_LOST"
    assert failed.next_attempt_at is not None
    assert (again.id, again.attempts) == (record.id, 2)


def test_a_worker_killed_with_its_job_is_missed_and_another_does_the_job(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, until: Until
) -> None:
    first = start(_WORKER, redis_url, "none")
    record = queue.request_build(_V, _hash(STUCK), "watcher")
    until(lambda: _state(records, record) == "running")
    children = psutil.Process(first.pid).children()

    first.send_signal(signal.SIGKILL)
    start(_WORKER, redis_url, "none")

    def lost() -> bool:
        queue.sweep()
        return _state(records, record) == "failed"

    until(lost)
    queue.request_build(_V, _hash(STUCK), "watcher")
    until(lambda: _state(records, record) == "succeeded")
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []


def test_a_child_can_run_polars_when_its_parent_has_only_imported_it(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, until: Until
) -> None:
    start(_WORKER, redis_url, "import")

    record = queue.request_build(_V, _hash(POLARS), "watcher")

    until(lambda: _state(records, record) == "succeeded")


def test_a_worker_that_has_run_polars_refuses_to_fork_and_leaves_the_job_to_others(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, redis: Redis, until: Until
) -> None:
    record = queue.request_build(_V, _hash("0"), "watcher")

    spoilt = start(_WORKER, redis_url, "ran")

    assert spoilt.wait(20) == UNSAFE_TO_FORK
    assert redis.llen(f"rq:queue:{QUEUE_NAME}") == 1
    start(_WORKER, redis_url, "import")
    until(lambda: _state(records, record) == "succeeded")


def test_asked_to_stop_it_hands_its_build_back_and_another_worker_does_it_at_once(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, shelf: Shelf, until: Until
) -> None:
    worker = start(_WORKER, redis_url, "none")
    record = queue.request_build(_V, _hash(STUCK), "watcher")
    until(lambda: _state(records, record) == "running")

    worker.terminate()

    assert worker.wait(20) == 0
    waiting = records.get(record.id)
    assert waiting is not None
    assert (waiting.state, waiting.attempts, waiting.worker, queue.length()) == ("queued", 2, None, 1)
    assert shelf.workers() == []
    start(_WORKER, redis_url, "none")
    until(lambda: _state(records, record) == "succeeded")


def test_asked_to_stop_it_finishes_a_refresh_first(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, until: Until
) -> None:
    worker = start(_WORKER, redis_url, "none")
    record = queue.request_refresh("somebody")
    until(lambda: _state(records, record) == "running")

    worker.terminate()

    assert worker.wait(20) == 0
    assert _state(records, record) == "succeeded"


def test_an_idle_worker_stops_when_it_is_asked_to(start: Start, redis_url: str, shelf: Shelf, until: Until) -> None:
    worker = start(_WORKER, redis_url, "none")
    until(shelf.workers)

    worker.terminate()

    assert worker.wait(20) == 0


def test_a_worker_finds_its_way_back_when_redis_lost_everything(
    start: Start, redis_url: str, queue: BuildQueue, records: Records, shelf: Shelf, until: Until, redis: Redis
) -> None:
    start(_WORKER, redis_url, "none")
    until(shelf.workers)

    redis.flushall()

    record = queue.request_build(_V, _hash("0"), "watcher")
    until(lambda: _state(records, record) == "succeeded")
    until(shelf.workers)


def test_the_pool_guard_sees_started_threads_and_no_others() -> None:
    code = (
        "import polars as pl; from supportapi.refresh.worker import pool_started; print(pool_started());"
        "pl.DataFrame({'a': [1]}).lazy().group_by('a').len().collect(); print(pool_started())"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert shown == ["False", "True"]
