"""`GET /metrics`: this process, in Prometheus' text format. Every series is explained in docs/monitoring.md."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from litestar import Request
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from supportapi.api.doors import Doors, doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import text_response
from supportapi.api.status import readiness
from supportapi.release import RELEASE
from supportapi.snapshots.keys import FORMAT

if TYPE_CHECKING:
    from datetime import datetime

    from prometheus_client.metrics_core import Metric

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
# Of several API processes behind one port a scraper would else meet the same one for ever.
_ANOTHER_NEXT_TIME: Final = {"connection": "close"}

OPERATION: Final = Operation(
    id="getPrometheusMetrics",
    tag="status",
    summary="Metrics for Prometheus",
    description="Counts and durations of this process, without anything of a call or a user; public like the health "
    "checks, because a scraper has no session. Each API process has series of its own, told apart by `process`.",
    role=None,
    successes={200: Success(description="Prometheus' text format.", media_type="text/plain")},
)


@reading("/metrics", OPERATION)
async def prometheus(request: Request[Any, Any, Any]) -> ASGIApp:
    """Everything as it is now; asks nobody."""
    doors, process = doors_of(request), str(os.getpid())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now(doors, process))
    counted = doors.counters.exposition(process).encode()
    return text_response(counted + generate_latest(registry), _TEXT, _ANOTHER_NEXT_TIME)


class _Now(Collector):
    """What is known at this moment, each sample with the label `process`."""

    def __init__(self, doors: Doors, process: str) -> None:
        self._doors = doors
        self._process = process

    def collect(self) -> Iterable[Metric]:
        doors = self._doors
        yield from self._labelled(ProcessCollector(registry=None).collect())
        yield from self._labelled(_served(doors, doors.now()))
        yield from self._labelled(_around(doors, doors.now()))
        yield from self._labelled(_jobs(doors))
        yield from self._labelled(_held(doors))

    def _labelled(self, families: Iterable[Metric]) -> Iterator[Metric]:
        for family in families:
            family.samples = [
                sample._replace(labels={**sample.labels, "process": self._process}) for sample in family.samples
            ]
            yield family


def _served(doors: Doors, now: datetime) -> Iterator[Metric]:
    """The version in force, and how far it may be from the newest data."""
    current, since = doors.follower.current, doors.follower.seen.stale_since
    yield _gauge("supportapi_ready", "Whether a version is loaded.", current.snapshot is not None)
    yield _gauge("supportapi_stale", "Whether what is served may not be the newest.", current.stale_reason is not None)
    behind = (now - since).total_seconds() if since else 0.0
    yield _gauge("supportapi_staleness_seconds", "Since when it may not be: 0 while it is known to be.", behind)
    card = current.snapshot.card if current.snapshot else None
    if card is None:
        return
    labels = {"version": card.version, "dataset_hash": card.dataset_hash}
    yield _info("supportapi_version_info", "The served version and its dataset; always 1.", labels)
    yield _gauge(
        "supportapi_version_age_seconds",
        "Since the served version was built.",
        (now - card.built_at).total_seconds(),
    )
    yield _gauge("supportapi_rows", "Calls in the served version.", card.rows)
    if card.as_of is not None:
        age = (now - card.as_of).total_seconds()
        yield _gauge("supportapi_data_age_seconds", "Since the last call of the served version.", age)


def _around(doors: Doors, now: datetime) -> Iterator[Metric]:
    """The release, Redis, the watcher and the dataset that it sees."""
    seen = doors.follower.seen
    yield _info("supportapi_release_info", "This release; always 1.", {"release": RELEASE, "format": str(FORMAT)})
    checks = GaugeMetricFamily("supportapi_check_ok", "Whether a check of /api/readyz holds.", labels=["check"])
    for check in readiness(doors.follower).checks:
        checks.add_metric([check.name], float(check.ok))
    yield checks
    yield _gauge("supportapi_redis_up", "Whether Redis answers.", seen.redis)
    if seen.redis and seen.memory is not None:
        yield _gauge("supportapi_redis_memory_bytes", "Memory that Redis uses.", seen.memory.used)
        if seen.memory.limit is not None:
            yield _gauge("supportapi_redis_memory_limit_bytes", "Memory that Redis may use.", seen.memory.limit)
    sighting = seen.manifest
    if sighting is None:
        return
    age = (now - sighting.seen_at).total_seconds()
    yield _gauge("supportapi_watcher_age_seconds", "Since a watcher has looked at the dataset.", age)
    if sighting.row_count is not None:
        yield _gauge("supportapi_dataset_rows", "Calls in the live dataset.", sighting.row_count)
    if sighting.rejected_rows is not None:
        words = "Rows of the last ingest that became no call."
        yield _gauge("supportapi_dataset_rejected_rows", words, sighting.rejected_rows)


def _jobs(doors: Doors) -> Iterator[Metric]:
    """Workers and what they have done: the same from every API process, for all of it stands in Redis."""
    seen = doors.follower.seen
    totals = seen.totals
    if not seen.redis or totals is None:
        return
    yield _gauge("supportapi_workers", "Workers that live.", len(seen.workers))
    yield _gauge("supportapi_jobs_queued", "Jobs that wait for a worker.", totals.queued)
    words = "Attempts of jobs by how they ended: succeeded, or why not."
    attempts = CounterMetricFamily("supportapi_job_attempts", words, labels=["kind", "outcome"])
    for (kind, outcome), count in sorted(totals.outcomes.items()):
        attempts.add_metric([kind, outcome], count)
    yield attempts
    stages = SummaryMetricFamily("supportapi_build_stage_seconds", "What stages of builds took.", labels=["stage"])
    for stage, total in sorted(totals.stages.items()):
        stages.add_metric([stage], total.runs, total.seconds)
    yield stages


def _held(doors: Doors) -> Iterator[Metric]:
    """What this process holds, and who waits for it."""
    hot = doors.follower.current.hot
    yield _gauge("supportapi_hot_ratio", "Requests answered from ready bytes, of all.", doors.counters.hot_ratio)
    yield _gauge("supportapi_hot_answers", "Answers that are ready.", len(hot))
    yield _gauge("supportapi_hot_bytes", "Bytes that they hold.", hot.bytes)
    yield _gauge("supportapi_event_listeners", "Open event streams.", doors.broadcast.listeners)
    waiting = doors.desk.load + doors.calls_desk.load
    yield _gauge("supportapi_questions_waiting", "Questions being computed or waiting.", waiting)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=float(value))


def _info(name: str, words: str, labels: Mapping[str, str]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=list(labels))
    family.add_metric(list(labels.values()), 1.0)
    return family
