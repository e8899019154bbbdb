"""One worker of the API process: the application, put together from the settings that it reads itself."""

from __future__ import annotations

import multiprocessing
import sys
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from supportapi import tracing
from supportapi.access.attempts import Attempts
from supportapi.access.door import Door
from supportapi.access.principal import EVERYONE
from supportapi.access.sign_outs import SignedOut, SignOuts
from supportapi.access.tokens import Tokens
from supportapi.access.users import User, UserFile, Users
from supportapi.api.app import Parts, create_app
from supportapi.api.cursor import Cursors
from supportapi.api.machine import ThisMachine
from supportapi.api.traced import Traced
from supportapi.dataset.last_ingest import last_ingest
from supportapi.processes.logs import access_sink, configure_logs
from supportapi.processes.start import read_settings
from supportapi.processes.store import pinned_of, source_of
from supportapi.refresh.parentage import die_with_parent
from supportapi.refresh.queue import BuildQueue
from supportapi.refresh.records import AsyncRecords, Records
from supportapi.refresh.totals import AsyncTotals
from supportapi.snapshots.arrays import Arrays
from supportapi.snapshots.client import connect, connect_async
from supportapi.snapshots.follow import AsyncShelf
from supportapi.snapshots.keys import shape_of, version_of
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from supportapi.access.principal import Role
    from supportapi.api.edge import Edge
    from supportapi.settings import Settings

PROCESS: Final = "api"


def app() -> Edge | Traced:
    """The application of this worker process."""
    parent = multiprocessing.parent_process()
    if parent is not None and (follow := die_with_parent(parent=parent.pid)) is not None:
        follow()  # granian's main process, killed, would leave its workers serving
    settings = read_settings()
    configure_logs(PROCESS, settings)
    edge = create_app(parts(settings, settings.redis_url or ""))
    if not settings.tracing_enabled:
        return edge
    tracing.start(PROCESS)
    return Traced(edge)


def parts(settings: Settings, redis_url: str) -> Parts:
    """The doors of the API of this machine, and its settings as plain values."""
    redis, later, queue_url = connect(redis_url), connect_async(redis_url), settings.queue_url(redis_url)
    source = source_of(settings)
    records = Records(redis, clock=_now)
    shelf = Shelf(redis, settings.snapshots_kept)
    shape = shape_of(settings.reporting_timezones, settings.rollup_budget_mb)
    home = settings.supportapi_home
    return Parts(
        shelf=AsyncShelf(later),
        publishing_shelf=shelf,
        records=AsyncRecords(later),
        totals=AsyncTotals(later, connect_async(queue_url)),
        queue=BuildQueue(connect(queue_url), records, shelf, settings.job_timeout_seconds),
        source=source,
        wanted=lambda manifest: version_of(manifest.hash, shape),
        last_ingest=partial(last_ingest, settings.data_folder if settings.data_source == "local" else None),
        machine=ThisMachine(home, Arrays(home), pinned_of(settings, source), settings.rollup_budget_mb),
        door=door(settings, later),
        cursors=Cursors(settings.secret_key),
        access_sink=access_sink(PROCESS, settings.log_level, settings.log_format, sys.stderr),
        now=_now,
        everyone=None if settings.auth_enabled else EVERYONE,
        secure_cookie=not settings.is_local,
        proxies_in_front=settings.proxies_in_front,
        cors_origins=settings.cors_origins,
        refresh_enabled=settings.enable_refresh_endpoint,
        hot_cache_mb=settings.hot_cache_mb,
        export_rows_max=settings.export_rows_max,
    )


def door(settings: Settings, redis: Redis) -> Door:
    """Who may come in, by these settings."""
    previous = [settings.secret_key_previous] if settings.secret_key_previous else []
    tokens = Tokens(settings.secret_key, settings.access_token_expire_minutes * 60, time.time, previous)
    sign_outs = SignOuts(redis, tokens.lifetime_seconds, time.time)
    return Door(users(settings), tokens, Attempts(redis, time.monotonic), sign_outs, SignedOut(time.time))


def users(settings: Settings) -> Users:
    """The users of the environment and of the file, or the samples in local mode."""
    roles: dict[str, Role] = {"viewer": "viewer", "admin": "admin"}
    seeded = [User(name, roles[role], digest, regions) for name, role, digest, regions in settings.supportapi_users]
    return Users(seeded, UserFile(settings.supportapi_home), samples=settings.is_local)


def _now() -> datetime:
    return datetime.now(UTC)
