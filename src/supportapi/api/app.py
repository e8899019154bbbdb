"""The web application: the only place where its parts are put together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from supportapi.api import (
    agents,
    audits,
    bundle,
    call,
    calls,
    catalogue,
    dashboard,
    dataset,
    docs,
    events,
    exports,
    filter_options,
    freshness,
    jobs,
    metrics,
    prometheus,
    rejects,
    rollback,
    sign_in,
    status,
    users,
    version_diff,
    versioned,
    versions,
    work_queue,
)
from supportapi.api.access_log import AccessLog, Sink
from supportapi.api.broadcast import Broadcast
from supportapi.api.cors import Cors
from supportapi.api.counters import Counters
from supportapi.api.desk import Desk
from supportapi.api.doors import Doors
from supportapi.api.download import Downloads
from supportapi.api.edge import Edge
from supportapi.api.envelope import respond_to_failure
from supportapi.api.follower import Follower
from supportapi.api.gate import Gate
from supportapi.api.guards import admitted
from supportapi.api.job_feed import JobFeed
from supportapi.api.kept_versions import KeptVersions
from supportapi.api.openapi import openapi_of
from supportapi.api.security_headers import SecurityHeaders
from supportapi.api.sessions import Sessions
from supportapi.api.views import Views

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractAsyncContextManager

    from litestar.handlers import HTTPRouteHandler

    from supportapi.access.door import Door
    from supportapi.access.principal import Principal
    from supportapi.api.cursor import Cursors
    from supportapi.api.machine import ThisMachine
    from supportapi.calls.manifest import Manifest
    from supportapi.dataset.last_ingest import LastIngest
    from supportapi.dataset.source import Source
    from supportapi.refresh.queue import BuildQueue
    from supportapi.refresh.records import AsyncRecords
    from supportapi.refresh.totals import AsyncTotals
    from supportapi.snapshots.follow import AsyncShelf
    from supportapi.snapshots.shelf import Shelf

ROUTES: Final[list[HTTPRouteHandler]] = [
    agents.agent,
    agents.agents,
    audits.audit,
    bundle.bundle,
    call.get_call,
    calls.list_calls,
    catalogue.catalogue,
    dashboard.dashboard_asset,
    *dashboard.PAGES,
    dataset.manifest,
    dataset.refresh,
    docs.docs,
    docs.docs_asset,
    docs.openapi_json,
    events.events,
    exports.export_agents,
    exports.export_calls,
    exports.export_metrics,
    filter_options.filter_options,
    freshness.freshness,
    jobs.get_job,
    jobs.list_jobs,
    metrics.metrics,
    prometheus.prometheus,
    rejects.rejects,
    rollback.activate_version,
    sign_in.me,
    sign_in.samples,
    sign_in.sign_in,
    sign_in.sign_out,
    status.healthz,
    status.readyz,
    users.list_users,
    version_diff.compare_versions,
    versions.list_versions,
    work_queue.queue,
    *versioned.ROUTES,
]
_MEGABYTE: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the web process gives: the doors to the rest of the system, and its settings as plain values."""

    shelf: AsyncShelf
    publishing_shelf: Shelf
    records: AsyncRecords
    totals: AsyncTotals
    queue: BuildQueue
    source: Source
    wanted: Callable[[Manifest], str]
    last_ingest: Callable[[str | None, int], LastIngest | None]
    machine: ThisMachine
    door: Door
    cursors: Cursors
    access_sink: Sink
    now: Callable[[], datetime]
    everyone: Principal | None = None
    secure_cookie: bool = True
    proxies_in_front: int = 0
    cors_origins: tuple[str, ...] = ()
    refresh_enabled: bool = False
    hot_cache_mb: int = 64
    export_rows_max: int = 5_000_000
    exports_at_once: int = 2
    event_listeners_max: int = 2_000
    compute_threads: int = 2
    calls_threads: int = 2
    sign_in_threads: int = 2
    questions_waiting_max: int = 256
    sign_ins_waiting_max: int = 64


def create_app(parts: Parts) -> Edge:
    """The ASGI app that a server serves: Litestar with every route, inside of the edge."""

    def served() -> str | None:
        snapshot = follower.current.snapshot
        return None if snapshot is None else snapshot.card.version

    broadcast = Broadcast(parts.event_listeners_max, served, JobFeed(parts.records).want)
    follower = Follower(
        parts.shelf,
        parts.totals,
        parts.machine,
        hot_bytes=parts.hot_cache_mb * _MEGABYTE,
        announce=broadcast.announce,
        now=parts.now,
    )
    gate = Gate(parts.door.verify, parts.everyone)
    desk = Desk("answers", parts.compute_threads, parts.questions_waiting_max)
    views = Views(desk)
    doors = Doors(
        follower=follower,
        broadcast=broadcast,
        machine=parts.machine,
        views=views,
        kept_versions=KeptVersions(parts.shelf, parts.machine, views),
        desk=desk,
        calls_desk=Desk("calls", parts.calls_threads, parts.questions_waiting_max),
        downloads=Downloads(parts.exports_at_once),
        export_rows_max=parts.export_rows_max,
        sign_in_desk=Desk("sign-in", parts.sign_in_threads, parts.sign_ins_waiting_max),
        counters=Counters(),
        cursors=parts.cursors,
        door=parts.door,
        gate=gate,
        sessions=Sessions(parts.door, gate.forget),
        secure_cookie=parts.secure_cookie,
        proxies_in_front=parts.proxies_in_front,
        shelf=parts.shelf,
        publishing_shelf=parts.publishing_shelf,
        records=parts.records,
        queue=parts.queue,
        source=parts.source,
        wanted=parts.wanted,
        last_ingest=parts.last_ingest,
        refresh_enabled=parts.refresh_enabled,
        now=parts.now,
    )
    access_log = AccessLog(parts.access_sink)
    return Edge(
        _litestar(doors, access_log),
        current=lambda: follower.current,
        gate=gate,
        cors=Cors(parts.cors_origins),
        counters=doors.counters,
        access_log=access_log,
        security=SecurityHeaders(secure=parts.secure_cookie),
    )


@cache
def openapi_document() -> bytes:
    """`openapi.json`, as it is committed: it depends on the code alone."""
    return openapi_of(ROUTES, release())


def release() -> str:
    """The version of this package."""
    try:
        return version("supportapi")
    except PackageNotFoundError:  # run from its sources, not installed
        return "0.1.0"


def _litestar(doors: Doors, access_log: AccessLog) -> Litestar:
    def living(_: Litestar) -> AbstractAsyncContextManager[None]:
        return _living(doors, access_log)

    # No middleware and no OpenAPI of Litestar's: the edge and openapi.py do both. Logging is the process's own.
    return Litestar(
        route_handlers=ROUTES,
        guards=[admitted],
        # An HTTPException has a handler of its own, else the one for everything would make it a 500.
        exception_handlers={HTTPException: respond_to_failure, Exception: respond_to_failure},
        openapi_config=None,
        logging_config=None,
        state=State({"doors": doors, "openapi": openapi_document()}),
        lifespan=[living],
    )


@contextlib.asynccontextmanager
async def _living(doors: Doors, access_log: AccessLog) -> AsyncGenerator[None]:
    doors.sessions.start()
    doors.follower.start()
    # What is there now stays: the collector need not look at it again and again while requests come.
    gc.collect()
    gc.freeze()
    with _ending_streams(doors.broadcast):
        try:
            yield
        finally:
            doors.broadcast.close()
            await doors.follower.stop()
            await doors.sessions.stop()
            doors.desk.close()
            doors.calls_desk.close()
            doors.downloads.close()
            doors.sign_in_desk.close()
            access_log.flush()
            gc.unfreeze()


@contextlib.contextmanager
def _ending_streams(broadcast: Broadcast) -> Generator[None]:
    """End the event streams when the process is told to end: the server waits for them *before* it says so to us.

    The handlers in place are called as well. Only the main thread may set any; elsewhere (in tests) nothing is set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {number: handler for number, handler in handlers.items() if callable(handler)}

    def told(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(broadcast.close)
        before[signal.Signals(number)](number, frame)

    for number in before:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
