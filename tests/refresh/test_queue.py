"""However many ask, one build: with real processes, threads and a real server."""

from __future__ import annotations

import multiprocessing
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from supportapi.errors import DataCorrupt, DataMissing
from supportapi.refresh.queue import QUEUE_NAME, BuildQueue, end_with
from supportapi.refresh.records import Records
from supportapi.snapshots.client import connect
from supportapi.snapshots.shelf import Shelf
from supportapi.snapshots.sightings import WorkerBeat

if TYPE_CHECKING:
    from multiprocessing.queues import Queue as Answers

    from redis import Redis

_V, _HASH = "a" * 16, "0" * 64


def _ask(url: str, version: str, answers: Answers[str]) -> None:
    redis = connect(url)
    records = Records(redis, lambda: datetime.now(UTC))
    mine = BuildQueue(redis, records, Shelf(redis), 60)
    answers.put(",".join(mine.request_build(version, _HASH, "watcher").id for _ in range(5)))


def test_many_processes_that_ask_get_one_and_the_same_build(redis_url: str, redis: Redis) -> None:
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    askers = [spawn.Process(target=_ask, args=(redis_url, _V, answers)) for _ in range(4)]
    for asker in askers:
        asker.start()
    ids = {job_id for _ in askers for job_id in answers.get(timeout=30).split(",")}
    for asker in askers:
        asker.join()

    assert len(ids) == 1
    assert redis.llen(f"rq:queue:{QUEUE_NAME}") == 1


def test_another_version_is_another_build(queue: BuildQueue) -> None:
    one, other = queue.request_build(_V, _HASH, "watcher"), queue.request_build("b" * 16, _HASH, "watcher")

    assert one.id != other.id
    assert queue.length() == 2


def test_a_build_that_ended_well_can_be_asked_for_again(queue: BuildQueue, records: Records) -> None:
    first = queue.request_build(_V, _HASH, "watcher")
    records.change(first.id, 1, state="succeeded")

    second = queue.request_build(_V, _HASH, "admin")

    assert second.id != first.id
    assert (second.state, second.attempts, second.requested_by) == ("queued", 1, "admin")


def test_a_passing_failure_goes_on_under_its_record(queue: BuildQueue, records: Records) -> None:
    first = queue.request_build(_V, _HASH, "watcher")
    ended = end_with(records, first, DataMissing("gone", path="x.parquet"))
    assert ended is not None
    assert ended.next_attempt_at is not None

    second = queue.request_build(_V, _HASH, "watcher")

    assert (second.id, second.attempts, second.state) == (first.id, 2, "queued")
    assert second.next_attempt_at is None
    assert second.reason is not None  # what it failed of last is still told
    assert len(records.list()) == 1


def test_an_admin_may_ask_again_for_what_bad_data_ended(queue: BuildQueue, records: Records) -> None:
    first = queue.request_build(_V, _HASH, "watcher")
    ended = end_with(records, first, DataCorrupt("no Parquet"))
    assert ended is not None
    assert ended.next_attempt_at is None

    second = queue.request_build(_V, _HASH, "admin")

    assert second.id != first.id
    assert second.attempts == 1


def test_one_refresh_runs_at_a_time(queue: BuildQueue, records: Records) -> None:
    first = queue.request_refresh("admin")

    assert queue.request_refresh("other").id == first.id
    records.change(first.id, 1, state="succeeded")
    assert queue.request_refresh("other").id != first.id


def test_a_job_in_the_queue_is_not_lost_however_long_it_waits(queue: BuildQueue, records: Records) -> None:
    record = queue.request_build(_V, _HASH, "watcher")
    queue.sweep()
    time.sleep(5.2)
    queue.sweep()

    assert records.get(record.id) == record


def test_a_record_whose_asker_was_killed_before_it_enqueued_counts_as_lost_after_a_while(
    queue: BuildQueue, records: Records, redis: Redis
) -> None:
    record = queue.request_build(_V, _HASH, "watcher")
    redis.delete(f"rq:queue:{QUEUE_NAME}")

    queue.sweep()
    still = records.get(record.id)
    time.sleep(5.2)
    queue.sweep()

    lost = records.get(record.id)
    assert still == record
    assert lost is not None
    assert lost.reason is not None
    assert (lost.state, lost.reason.code) == ("failed", "WORKER_LOST")
    assert lost.next_attempt_at is not None


def test_a_running_job_is_lost_when_its_worker_is_silent_or_does_something_else(
    queue: BuildQueue, records: Records, shelf: Shelf
) -> None:
    record = queue.request_build(_V, _HASH, "watcher")
    records.change(record.id, 1, state="running", worker="w")
    beat = WorkerBeat(name="w", host="h", pid=1, seen_at=datetime.now(UTC), job=record.attempt_id)

    shelf.beat(beat, 60)
    queue.sweep()
    running = records.get(record.id)
    shelf.beat(WorkerBeat(name="w", host="h", pid=1, seen_at=datetime.now(UTC), job=None), 60)
    queue.sweep()

    lost = records.get(record.id)
    assert running is not None
    assert running.state == "running"
    assert lost is not None
    assert (lost.state, lost.reason and lost.reason.code) == ("failed", "WORKER_LOST")


def test_a_lost_job_that_had_published_already_has_succeeded(queue: BuildQueue, records: Records, shelf: Shelf) -> None:
    record = queue.request_build(_V, _HASH, "watcher")
    records.change(record.id, 1, state="running", worker="gone")
    sequence = shelf.next_sequence()
    shelf.stage(_V, sequence, {"prepared": b"x"})
    shelf.publish(_V, sequence, _HASH)

    queue.sweep()

    ended = records.get(record.id)
    assert ended is not None
    assert ended.state == "succeeded"


def test_a_lost_refresh_is_not_run_twice(queue: BuildQueue, records: Records) -> None:
    record = queue.request_refresh("admin")
    records.change(record.id, 1, state="running", worker="gone")

    queue.sweep()

    ended = records.get(record.id)
    assert ended is not None
    assert (ended.state, ended.next_attempt_at) == ("failed", None)


def test_facts_of_any_kind_can_be_written_down(queue: BuildQueue, records: Records) -> None:
    record = queue.request_build(_V, _HASH, "watcher")

    ended = end_with(records, record, DataCorrupt("x", at=datetime(2026, 1, 1, tzinfo=UTC), odd=object, many=(1, 2)))

    assert ended is not None
    assert ended.reason is not None
    assert ended.reason.facts["many"] == [1, 2]
