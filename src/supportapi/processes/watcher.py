"""The watcher process: compares the manifest with what is published until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from supportapi import tracing
from supportapi.processes.redis_server import redis_for
from supportapi.processes.store import folder_to_watch, notices_of, source_of
from supportapi.refresh.queue import BuildQueue
from supportapi.refresh.records import Records
from supportapi.refresh.watch import Watcher
from supportapi.snapshots.client import connect
from supportapi.snapshots.keys import shape_of, version_of
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from redis import Redis

    from supportapi.settings import Settings


def run_watcher(settings: Settings, stop: threading.Event | None = None) -> None:
    """Watch until SIGTERM or SIGINT, or until `stop` is set. Redis may come later than we do, and go away."""
    stop = stop or _stop_on_signals()
    if settings.tracing_enabled:
        tracing.start("watcher")
    with redis_for(settings) as redis_url:
        watching = watcher(settings, connect(redis_url), connect(settings.queue_url(redis_url)))
        if (notices := notices_of(settings)) is not None:
            # Nobody waits for it at the end: it may be in the middle of a long look at its queue.
            threading.Thread(target=notices.listen, args=(watching.news, stop), daemon=True).start()
        watching.run(stop)
    tracing.stop()


def watcher(settings: Settings, redis: Redis, queue: Redis) -> Watcher:
    """The watcher of these settings; `queue` is the Redis in which jobs wait."""
    records = Records(redis, clock=lambda: datetime.now(UTC))
    shelf = Shelf(redis, settings.snapshots_kept)
    shape = shape_of(settings.reporting_timezones, settings.rollup_budget_mb)
    return Watcher(
        source=source_of(settings),
        manifest_path=folder_to_watch(settings),
        shelf=shelf,
        records=records,
        queue=BuildQueue(queue, records, shelf, settings.job_timeout_seconds),
        wanted=lambda manifest: version_of(manifest.hash, shape),
        interval_seconds=settings.watch_interval_seconds,
        name=f"{socket.gethostname()}-{os.getpid()}",
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def leave(_number: int, _frame: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    return stop
