"""Watcher and worker as the real processes that they are: a manifest comes in, a version is published."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

from supportapi.processes.redis_server import embedded_redis
from supportapi.snapshots.client import connect
from supportapi.snapshots.keys import shape_of, version_of
from supportapi.snapshots.shelf import Shelf
from tests.refresh.datasets import put, some_calls

if TYPE_CHECKING:
    from pathlib import Path

    from supportapi.refresh.queue import BuildQueue
    from supportapi.refresh.records import JobRecord, Records
    from tests.refresh.conftest import Until

Run = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[bytes]], redis_url: str, tmp_path: Path, data: Path) -> Run:
    """Starts the watcher or the worker of this test's folders."""

    def run_process(role: str, **variables: str) -> subprocess.Popen[bytes]:
        settings = {
            "APP_ENV": "test", "REDIS_URL": redis_url, "SUPPORTAPI_HOME": str(tmp_path / "home"), "AUDIT_QUERIES": "5",
            "MANIFEST_PATH": str(data / "manifest.json"), "SECRET_KEY": "of these tests, and of nobody else",
            "WATCH_INTERVAL_SECONDS": "2",
        }  # fmt: skip
        return start("tests.refresh.run_process", role, **(settings | variables))

    return run_process


def _is(shelf: Shelf, dataset_hash: str) -> bool:
    current = shelf.current()
    return current is not None and current.dataset_hash == dataset_hash


def _newest(records: Records) -> JobRecord:
    return records.list()[0]


def test_a_replaced_file_is_published_a_moment_later(
    run: Run, data: Path, shelf: Shelf, until: Until, records: Records
) -> None:
    first = put(data, {"calls.parquet": some_calls(40)})
    run("worker")
    run("watcher")
    until(lambda: _is(shelf, first))

    second = put(data, {"calls.parquet": some_calls(41)})

    until(lambda: _is(shelf, second))
    until(lambda: {record.state for record in records.list()} == {"succeeded"})


def test_of_a_burst_of_ten_the_last_is_served(
    run: Run, data: Path, shelf: Shelf, until: Until, records: Records
) -> None:
    first = put(data, {"calls.parquet": some_calls(40)})
    run("worker")
    run("watcher")
    run("watcher")
    until(lambda: _is(shelf, first))

    hashes = [put(data, {f"{count}.parquet": some_calls(count)}) for count in range(41, 51)]

    until(lambda: _is(shelf, hashes[-1]))
    until(lambda: not any(record.open for record in records.list()))
    assert _is(shelf, hashes[-1])
    builds = [record.version for record in records.list() if record.state == "succeeded"]
    assert len(builds) == len(set(builds))


def test_bad_data_leaves_the_old_version_and_good_data_heals(
    run: Run, data: Path, shelf: Shelf, until: Until, records: Records
) -> None:
    good = put(data, {"calls.parquet": some_calls(40)})
    run("worker")
    run("watcher")
    until(lambda: _is(shelf, good))

    put(data, {"calls.parquet": b"not parquet"})
    until(lambda: _newest(records).state == "failed")
    until(lambda: (seen := shelf.manifest()) is not None and seen.error_code == "DATA_CORRUPT")
    assert _is(shelf, good)

    better = put(data, {"calls.parquet": some_calls(41)})
    until(lambda: _is(shelf, better))


def test_a_worker_killed_in_the_middle_of_a_build_is_replaced_and_the_build_is_done(
    run: Run, data: Path, shelf: Shelf, until: Until, records: Records
) -> None:
    dataset_hash = put(data, {"calls.parquet": some_calls(3000)})
    worker = run("worker", AUDIT_QUERIES="10000")
    run("watcher")
    until(lambda: records.list() and _newest(records).stage == "audit")

    worker.send_signal(signal.SIGKILL)
    run("worker")

    until(lambda: _is(shelf, dataset_hash))
    assert _newest(records).attempts == 2


def test_a_job_killed_in_the_middle_of_a_build_is_done_again(
    run: Run, data: Path, shelf: Shelf, until: Until, records: Records
) -> None:
    dataset_hash = put(data, {"calls.parquet": some_calls(3000)})
    worker = run("worker", AUDIT_QUERIES="600")
    run("watcher")
    until(lambda: records.list() and _newest(records).stage == "audit")

    psutil.Process(worker.pid).children()[0].kill()

    until(lambda: _newest(records).state == "succeeded")  # said a moment after the version is published
    assert _newest(records).attempts == 2
    assert _is(shelf, dataset_hash)


def test_a_build_that_takes_too_long_is_ended_and_not_begun_again(
    run: Run, data: Path, until: Until, records: Records
) -> None:
    put(data, {"calls.parquet": some_calls(3000)})
    run("worker", AUDIT_QUERIES="10000", JOB_TIMEOUT_SECONDS="1")
    run("watcher", JOB_TIMEOUT_SECONDS="1")

    until(lambda: records.list() and _newest(records).state == "failed")

    ended = _newest(records)
    assert ended.reason is not None
    assert (ended.reason.code, ended.next_attempt_at) == ("JOB_TIMED_OUT", None)


def test_everything_may_come_before_redis_and_outlive_it(run: Run, data: Path, tmp_path: Path, until: Until) -> None:
    dataset_hash = put(data, {"calls.parquet": some_calls(40)})
    with embedded_redis(tmp_path / "redis") as probe:
        url = probe.url
    run("worker", REDIS_URL=url)
    run("watcher", REDIS_URL=url)
    time.sleep(2)

    with embedded_redis(tmp_path / "redis") as first:
        assert first.url == url
        until(lambda: _is(Shelf(connect(url)), dataset_hash))
        assert first.process is not None
        first.process.kill()
        first.process.wait()
    time.sleep(1)

    with embedded_redis(tmp_path / "redis"):
        until(lambda: _is(Shelf(connect(url)), dataset_hash))


def test_both_end_when_they_are_asked_to(run: Run, data: Path, shelf: Shelf, until: Until) -> None:
    put(data, {"calls.parquet": some_calls(40)})
    processes = [run("worker"), run("watcher")]
    until(shelf.current)

    for process in processes:
        process.terminate()

    assert [process.wait(20) for process in processes] == [0, 0]


@pytest.mark.faults
@pytest.mark.timeout(500)  # some 40 s of processor time; a child that hangs is seen after 45 s
def test_two_hundred_builds_in_a_row_do_not_hang(
    run: Run, data: Path, shelf: Shelf, until: Until, records: Records, queue: BuildQueue
) -> None:
    run("worker", AUDIT_QUERIES="1")
    shape = shape_of(("UTC",), 512)
    calls = some_calls(220)

    def build(first: int) -> JobRecord:
        dataset_hash = put(data, {"calls.parquet": calls.slice(first, 20)})
        asked = queue.request_build(version_of(dataset_hash, shape), dataset_hash, "test")
        until(lambda: (record := records.get(asked.id)) is not None and not record.open)
        assert _is(shelf, dataset_hash)
        return records.get(asked.id) or asked

    built = [build(first) for first in range(200)]

    assert [(record.state, record.attempts) for record in built] == [("succeeded", 1)] * 200
    assert len({record.worker for record in built}) == 1
