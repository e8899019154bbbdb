"""What a worker does with one attempt: take it, do it, and write down how it ended."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any, Final

import structlog
from rq.timeouts import JobTimeoutException

from supportapi import tracing
from supportapi.errors import JobTimedOut, ShelfUnavailable, SupportApiError
from supportapi.refresh.build import CalledOff, build
from supportapi.refresh.command import run_command
from supportapi.refresh.progress import Progress
from supportapi.refresh.queue import end_with, plain
from supportapi.refresh.records import JobRecord, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportapi.refresh.workshop import Workshop

_LOG: Final = structlog.get_logger()
_LAST_WORDS_SECONDS: Final = 20.0


def run_build(workshop: Workshop, job_id: str, attempt: int, *, worker: str) -> None:
    """Build and publish what the record asks for. Never raises for a failure of the build: the record says it."""
    _run(workshop, job_id, attempt, worker, lambda record: _build(workshop, record))


def run_refresh(workshop: Workshop, job_id: str, attempt: int, *, worker: str) -> None:
    """Run the refresh command, look at the manifest, and ask for a build if it changed."""
    _run(workshop, job_id, attempt, worker, lambda record: _refresh(workshop, record))


def _run(
    workshop: Workshop, job_id: str, attempt: int, worker: str, work: Callable[[JobRecord], dict[str, Any]]
) -> None:
    records = workshop.records
    record = records.change(job_id, attempt, state="running", worker=worker, started_at=records.clock())
    if record is None:  # given up for lost before it began, or its Redis was emptied
        _LOG.info("job.gone", job=job_id, attempt=attempt)
        return
    about = {"job": record.id, "attempt": attempt, "version": record.version}
    with tracing.span(record.kind, kind="consumer", parent=record.traceparent, **about) as span:
        _do(workshop, record, work)
        if span is not None:
            ended = records.get(job_id)
            span.set_attribute("outcome", ended.outcome if ended is not None else "gone")


def _do(workshop: Workshop, record: JobRecord, work: Callable[[JobRecord], dict[str, Any]]) -> None:
    records, job_id, attempt = workshop.records, record.id, record.attempts
    try:
        result = work(record)
    except CalledOff as off:
        _LOG.info("build.called_off", job=record.id, version=record.version, code=off.code, reason=str(off))
        reason = Reason(code=off.code, message=str(off), facts=plain(off.facts))
        records.change(job_id, attempt, state="cancelled", ended_at=records.clock(), reason=reason)
    except Exception as cause:  # noqa: BLE001 - whatever happens, the record must say that and why the job ended
        _fail(workshop, record, named(cause))
    else:
        ended = {"state": "succeeded", "ended_at": records.clock(), "progress": 1.0, "reason": None, "result": result}
        records.change(job_id, attempt, **ended)
        told = {name: value for name, value in result.items() if name != "output"}
        _LOG.info(f"{record.kind}.succeeded", **({"job": record.id, "version": record.version} | told))


def named(cause: Exception) -> SupportApiError:
    """The failure with a name: itself, a time-out of the job, or one that we did not foresee (`INTERNAL`)."""
    if isinstance(cause, SupportApiError):
        return cause
    if isinstance(cause, JobTimeoutException):
        return JobTimedOut("The job took longer than JOB_TIMEOUT_SECONDS.")
    _LOG.error("job.crashed", error=type(cause).__name__, traceback=traceback.format_exc())
    return SupportApiError(f"The job crashed: {type(cause).__name__}: {cause}"[:500], error=type(cause).__name__)


def _build(workshop: Workshop, record: JobRecord) -> dict[str, Any]:
    progress = Progress(workshop.records, record)
    try:
        return build(workshop, record, progress)
    finally:
        # On failure too: the record then shows how far it came, and what that cost.
        workshop.records.change(record.id, record.attempts, stage_seconds=dict(progress.seconds))


def _refresh(workshop: Workshop, record: JobRecord) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if workshop.refresh_command:
        workshop.records.change(record.id, record.attempts, stage="command")
        result["output"] = run_command(workshop.refresh_command, workshop.command_timeout_seconds)
    workshop.records.change(record.id, record.attempts, stage="manifest", progress=0.9)
    manifest = workshop.source.read()
    wanted = workshop.wanted(manifest)
    current = workshop.shelf.current()
    result |= {"dataset_hash": manifest.hash, "version": wanted, "changed": False}
    if current is None or (current.version != wanted and not current.holds_off(wanted)):
        asked = workshop.queue.request_build(wanted, manifest.hash, record.requested_by)
        result |= {"changed": True, "build": asked.id}
    return result


def _fail(workshop: Workshop, record: JobRecord, error: SupportApiError) -> None:
    # Redis may be what failed. It is waited for, but not for ever: an open record of an idle worker counts as lost.
    deadline = time.monotonic() + _LAST_WORDS_SECONDS
    while True:
        try:
            end_with(workshop.records, record, error)
        except ShelfUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return
