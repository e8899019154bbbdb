"""`GET /metrics`: this process, in Prometheus' text format."""

from __future__ import annotations

import os
from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.api.doors import Doors, doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import text_response

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"

OPERATION: Final = Operation(
    id="getPrometheusMetrics",
    tag="status",
    summary="Metrics for Prometheus",
    description="Counts and durations of this process, without anything of a call or a user; public like the health "
    "checks, because a scraper has no session. Each API process has counters of its own.",
    role=None,
    successes={200: Success(description="Prometheus' text format.", media_type="text/plain")},
)


@reading("/metrics", OPERATION)
async def prometheus(request: Request[Any, Any, Any]) -> ASGIApp:
    """Counters and gauges as they are now."""
    doors = doors_of(request)
    return text_response(doors.counters.exposition(_gauges(doors), doors.follower.seen.outcomes).encode(), _TEXT)


def _gauges(doors: Doors) -> dict[str, tuple[str, float]]:
    current, now = doors.follower.current, doors.now()
    card = current.snapshot.card if current.snapshot else None
    gauges = {
        "supportapi_process_id": ("Which API process this is.", os.getpid()),
        "supportapi_ready": ("Whether a version is loaded.", float(card is not None)),
        "supportapi_stale": ("Whether what is served may not be the newest.", float(current.stale_reason is not None)),
        "supportapi_redis_up": ("Whether Redis answers.", float(doors.follower.seen.redis)),
        "supportapi_workers": ("Workers that live.", len(doors.follower.seen.workers)),
        "supportapi_hot_answers": ("Answers that are ready.", len(current.hot)),
        "supportapi_hot_bytes": ("Bytes that they hold.", current.hot.bytes),
        "supportapi_event_listeners": ("Open event streams.", doors.broadcast.listeners),
        "supportapi_questions_waiting": (
            "Questions being computed or waiting.",
            doors.desk.load + doors.calls_desk.load,
        ),
    }
    if card is not None:
        gauges["supportapi_version_age_seconds"] = (
            "Since the served version was built.",
            (now - card.built_at).total_seconds(),
        )
        gauges["supportapi_rows"] = ("Calls in the served version.", card.rows)
    return gauges
