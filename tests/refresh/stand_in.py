"""A worker whose builds are as small as can be: they publish one part, or misbehave as their dataset hash says."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from supportapi.refresh.queue import BUILD, REFRESH, BuildQueue
from supportapi.refresh.records import Records
from supportapi.refresh.worker import BuildWorker
from supportapi.snapshots.client import connect
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from redis import Redis

# The first letter of a dataset's hash says how its build behaves.
DEADLY, STUCK, POLARS = "d", "e", "f"


def publish_something(redis: Redis, job_id: str, attempt: int, *, worker: str) -> None:
    """Publish one part. Deadly builds kill their process on the first attempt, stuck ones never end it."""
    records, shelf = Records(redis, lambda: datetime.now(UTC)), Shelf(redis)
    record = records.change(job_id, attempt, state="running", worker=worker, started_at=records.clock())
    if record is None or record.version is None or record.dataset_hash is None:
        return
    sequence = shelf.next_sequence()
    _behave(record.dataset_hash, attempt)
    shelf.stage(record.version, sequence, {"prepared": b"x"})
    shelf.publish(record.version, sequence, record.dataset_hash)
    records.change(job_id, attempt, state="succeeded", ended_at=records.clock(), progress=1.0)


def run_slowly(redis: Redis, job_id: str, attempt: int, *, worker: str) -> None:
    """A refresh of half a second."""
    records = Records(redis, lambda: datetime.now(UTC))
    records.change(job_id, attempt, state="running", worker=worker, started_at=records.clock())
    time.sleep(0.5)
    records.change(job_id, attempt, state="succeeded", ended_at=records.clock(), progress=1.0)


def _behave(dataset_hash: str, attempt: int) -> None:
    if dataset_hash.startswith(DEADLY) and attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if dataset_hash.startswith(STUCK) and attempt == 1:
        time.sleep(600)
    if dataset_hash.startswith(POLARS):
        import polars as pl

        pl.DataFrame({"a": range(1000), "b": [1, 2] * 500}).lazy().group_by("b").agg(pl.col("a").sum()).collect()


def main() -> None:
    """Work for the Redis of the first argument. The second imports Polars (`import`) or has run a query (`ran`)."""
    url, polars = sys.argv[1:3]
    if polars != "none":
        import polars as pl

        if polars == "ran":
            pl.DataFrame({"a": range(100)}).lazy().group_by("a").len().collect()
    redis = connect(url)
    records = Records(redis, lambda: datetime.now(UTC))
    shelf = Shelf(redis)
    tasks = {BUILD: partial(publish_something, redis), REFRESH: partial(run_slowly, redis)}
    queue = BuildQueue(redis, records, shelf, timeout_seconds=60)
    worker = BuildWorker(connect(url), tasks, shelf, records, queue)
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main()
