"""The RQ worker: forks one process a job, and is missed within seconds when it dies.

Told to end, it hands a build back to the queue at once: publishing is one step, so that nothing is half done, and the
next worker need not wait for a time-out. A refresh is finished first, for its command may do harm when it runs twice.

A process that has run a Polars query hangs every child that it forks afterwards, and one that has only imported Polars
never does. So the parent imports Polars, runs nothing, and looks for started threads before each fork.
"""

from __future__ import annotations

import importlib
import os
import re
import secrets
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, cast

import structlog
from rq import Queue, Worker
from rq.job import Job

from supportapi.errors import JobTimedOut, ShelfUnavailable, SupportApiError, WorkerLost
from supportapi.refresh.parentage import die_with_parent
from supportapi.refresh.queue import BUILD, QUEUE_NAME, SERIALIZER, end_lost
from supportapi.snapshots.sightings import WorkerBeat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from redis import Redis
    from redis.client import Pipeline
    from rq.executions import Execution

    from supportapi.refresh.queue import BuildQueue
    from supportapi.refresh.records import Records
    from supportapi.snapshots.shelf import Shelf

_LOG: Final = structlog.get_logger()
# NumPy imports it at the first `unique` or `isin`: once here, and not again in every child.
importlib.import_module("numpy.ma")
# An idle worker waits for `worker_ttl - 15` seconds at a time, a busy one looks at its child every interval.
_WORKER_TTL_SECONDS: Final = 18
_INTERVAL_SECONDS: Final = 2
BEAT_SECONDS: Final = 10
UNSAFE_TO_FORK: Final = 70
_THREADS: Final = Path("/proc/self/task")
# `polars-0`, `polars-1` ...; the helper `polars-ooc-clea` is there from the import on and does no harm.
_POOL_THREAD: Final = re.compile(r"polars-\d")


class Task(Protocol):
    """Does one attempt of a job. Ends by writing the record; raises only when it cannot even do that."""

    def __call__(self, job_id: str, attempt: int, *, worker: str) -> None: ...


class TaskJob(Job):
    """A job that runs what the worker's table says, and nothing that Redis names: no import, no callback, no hook."""

    task: Callable[..., None] | None = None

    @property
    def func(self) -> Callable[..., None] | None:  # pyright: ignore[reportIncompatibleMethodOverride] - RQ declares none
        if self.task is None:
            raise PermissionError(f"'{self.func_name}' is not a job of this worker")
        return self.task

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, status: object, *, exc_string: str | None = None) -> None:
        """None are sent."""


class BuildWorker(Worker):
    """Runs the jobs of `tasks` (by the name that `refresh.queue` enqueues), one at a time, each in a fork."""

    max_connection_wait_time = 2.0
    log_result_lifespan = False

    def __init__(
        self, redis: Redis, tasks: Mapping[str, Task], shelf: Shelf, records: Records, waiting: BuildQueue
    ) -> None:
        self._tasks = tasks
        self._shelf = shelf
        self._records = records
        self._waiting = waiting
        self._attempt: str | None = None
        self._builds = False
        self._hands_back = False
        self._follow_parent: Callable[[], None] | None = None
        self._host = socket.gethostname()
        name = f"{self._host.split('.')[0]}-{os.getpid()}-{secrets.token_hex(3)}"
        queue = Queue(QUEUE_NAME, connection=redis, serializer=SERIALIZER, job_class=TaskJob)
        super().__init__(
            [queue],
            name=name,
            connection=redis,
            job_class=TaskJob,
            serializer=SERIALIZER,
            worker_ttl=_WORKER_TTL_SECONDS,
            job_monitoring_interval=_INTERVAL_SECONDS,
            maintenance_interval=_INTERVAL_SECONDS,
            log_job_description=False,
        )

    @property
    def stop_asked(self) -> bool:
        """Whether a signal has asked it to end."""
        return self._shutdown_requested_date is not None

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002 - as RQ calls it
        return 3 * _INTERVAL_SECONDS

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        # Before the dequeue, so that no job is lost with us.
        if pool_started():
            _LOG.error("worker.unsafe_to_fork", worker=self.name)
            raise SystemExit(UNSAFE_TO_FORK)
        return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        super().heartbeat(timeout, pipeline)
        if not self.is_horse:
            self._beat()

    def execute_job(self, job: Job, queue: Queue) -> None:
        self._attempt = job.id
        self._builds = job.func_name == BUILD
        self._beat()
        try:
            super().execute_job(job, queue)
        finally:
            self._attempt = None
            self._beat()

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        # An orphan would go on for a record that was given to somebody else by then.
        self._follow_parent = die_with_parent()
        super().fork_work_horse(job, queue)
        if self.stop_asked:  # while it was forked
            self.handle_warm_shutdown_request()

    def handle_warm_shutdown_request(self) -> None:
        if self._builds and self.horse_pid and not self.is_horse:
            self._hands_back = True
            self.kill_horse()

    def main_work_horse(self, job: Job, queue: Queue) -> NoReturn:
        if self._follow_parent is not None:
            self._follow_parent()
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        task = self._tasks.get(job.func_name or "")
        if isinstance(job, TaskJob) and task is not None:
            job.task = partial(task, worker=self.name)
        return super().perform_job(job, queue, execution)

    def handle_work_horse_killed(self, job: Job, retpid: object, ret_val: object, rusage: object) -> None:
        """The child ended without a word: killed, out of memory, or stuck beyond its time in native code."""
        del retpid, rusage
        job_id, attempt = cast("tuple[str, int]", job.args)
        if self._hands_back:
            _LOG.info("job.handed_back", job=job_id, attempt=attempt, worker=self.name)
            self._waiting.hand_back(job_id, attempt)
            return
        ran = (job.ended_at - job.started_at).total_seconds() if job.ended_at and job.started_at else 0.0
        error: SupportApiError = WorkerLost("The process that ran this job was killed.", worker=self.name)
        if job.timeout is not None and ran > job.timeout:
            error = JobTimedOut("The job did not end within JOB_TIMEOUT_SECONDS and was killed.", seconds=ran)
        _LOG.warning("worker.child_lost", job=job_id, attempt=attempt, status=ret_val, seconds=round(ran, 3))
        record = self._records.get(job_id)
        if record is not None and record.attempts == attempt:
            end_lost(self._shelf, self._records, record, error)

    def register_death(self) -> None:
        super().register_death()
        self._shelf.end_beat(self.name)

    def _beat(self) -> None:
        beat = WorkerBeat(
            name=self.name, host=self._host, pid=os.getpid(), seen_at=self._records.clock(), job=self._attempt
        )
        try:
            self._shelf.beat(beat, BEAT_SECONDS)
        except ShelfUnavailable as cause:
            _LOG.warning("worker.beat_missed", worker=self.name, reason=cause.message)


def pool_started() -> bool:
    """Whether Polars has started its threads in this process. Known on Linux only; elsewhere False."""
    try:
        return any(_POOL_THREAD.match((thread / "comm").read_text()) for thread in _THREADS.iterdir())
    except OSError:
        return False
