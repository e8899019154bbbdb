"""What handlers may ask for beyond the version in force. Made once, by `create_app`'s caller and `create_app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from litestar.connection import ASGIConnection

    from supportapi.access.door import Door
    from supportapi.api.broadcast import Broadcast
    from supportapi.api.counters import Counters
    from supportapi.api.cursor import Cursors
    from supportapi.api.desk import Desk
    from supportapi.api.download import Downloads
    from supportapi.api.follower import Follower
    from supportapi.api.gate import Gate
    from supportapi.api.kept_versions import KeptVersions
    from supportapi.api.machine import ThisMachine
    from supportapi.api.sessions import Sessions
    from supportapi.api.views import Views
    from supportapi.calls.manifest import Manifest
    from supportapi.dataset.last_ingest import LastIngest
    from supportapi.dataset.source import Source
    from supportapi.refresh.queue import BuildQueue
    from supportapi.refresh.records import AsyncRecords
    from supportapi.snapshots.follow import AsyncShelf
    from supportapi.snapshots.shelf import Shelf


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Everything outside of a request that a handler may use."""

    follower: Follower
    broadcast: Broadcast
    machine: ThisMachine
    views: Views
    kept_versions: KeptVersions
    desk: Desk
    calls_desk: Desk
    downloads: Downloads
    export_rows_max: int
    sign_in_desk: Desk
    counters: Counters
    cursors: Cursors
    door: Door
    gate: Gate
    sessions: Sessions
    secure_cookie: bool
    proxies_in_front: int
    shelf: AsyncShelf
    publishing_shelf: Shelf
    records: AsyncRecords
    queue: BuildQueue
    source: Source
    wanted: Callable[[Manifest], str]
    last_ingest: Callable[[str | None, int], LastIngest | None]
    refresh_enabled: bool
    now: Callable[[], datetime]


def doors_of(request: ASGIConnection[Any, Any, Any, Any]) -> Doors:
    """The doors of the app that serves `request`."""
    doors: Doors = request.app.state["doors"]
    return doors
