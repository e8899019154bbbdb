"""A dataset, a Redis, a worker's workshop, and API processes on them: all real, and small."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import msgspec
import polars as pl

from supportapi.access.attempts import Attempts
from supportapi.access.door import Door
from supportapi.access.sign_outs import SignedOut, SignOuts
from supportapi.access.tokens import Tokens
from supportapi.access.users import UserFile, Users
from supportapi.answers.prepared import prepare
from supportapi.api.access_log import event_of
from supportapi.api.app import Parts, create_app
from supportapi.api.cursor import Cursors
from supportapi.api.machine import ThisMachine
from supportapi.calls.record import SCHEMA
from supportapi.dataset.last_ingest import last_ingest
from supportapi.dataset.pinned import Pinned
from supportapi.dataset.source import LocalSource
from supportapi.dataset.write import write_dataset
from supportapi.refresh.job import run_build
from supportapi.refresh.queue import BuildQueue
from supportapi.refresh.records import AsyncRecords, Records
from supportapi.refresh.totals import AsyncTotals
from supportapi.refresh.workshop import Workshop
from supportapi.snapshots.arrays import Arrays
from supportapi.snapshots.client import connect, connect_async
from supportapi.snapshots.follow import AsyncShelf
from supportapi.snapshots.shelf import Shelf
from supportapi.snapshots.sightings import ManifestSighting, WorkerBeat

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from supportapi.api.access_log import AccessEvent
    from supportapi.api.edge import Edge

ORIGIN = "http://localhost:3000"
SECRET = "a secret of these tests, and of nobody else"
ZONES = ("UTC", "Europe/Berlin")
BUDGET_MB = 64
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)


def clock() -> datetime:
    return datetime.now(UTC)


def some_calls(days: int = 20, *, region: str = "north") -> pl.LazyFrame:
    """Three calls a day: one answered soon and rated, one answered late, one given up."""
    rows: list[dict[str, Any]] = []
    for day in range(days):
        began = FIRST_DAY + timedelta(days=day, hours=9)
        rows += [
            _row(f"c-{day:03}-a", began, region, "anna", wait=5.0, duration=100.0 + day, resolved=True, rating=5),
            _row(
                f"c-{day:03}-b", began + timedelta(hours=1), "south", "ben", wait=60.0, duration=3_700.0, resolved=False
            ),
            _row(f"c-{day:03}-c", began + timedelta(hours=2), None, None, wait=30.0),
        ]
    return pl.LazyFrame(rows, schema=SCHEMA)


def _row(
    call_id: str,
    began: datetime,
    region: str | None,
    agent: str | None,
    *,
    wait: float,
    duration: float | None = None,
    resolved: bool | None = None,
    rating: int | None = None,
) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "customer_id": f"customer-{call_id[-1]}",
        "agent_id": agent,
        "agent_name": None if agent is None else agent.title(),
        "region": region,
        "channel": "phone",
        "issue_type": "billing" if agent == "anna" else "delivery",
        "started_at": began,
        "ended_at": began + timedelta(seconds=wait + (duration or 0)),
        "wait_seconds": wait,
        "duration_seconds": duration,
        "answered": agent is not None,
        "resolved": resolved,
        "resolution": None,
        "rating": rating,
    }


class World:
    """Everything but the API: a dataset's folder, a Redis, and a worker's workshop."""

    def __init__(self, root: Path, redis_url: str) -> None:
        self.home, self.data, self.redis_url = root / "home", root / "data", redis_url
        self.redis = connect(redis_url)
        self.shelf = Shelf(self.redis)
        self.records = Records(self.redis, clock)
        self.queue = BuildQueue(self.redis, self.records, self.shelf, timeout_seconds=60)
        self.source = LocalSource(self.data / "manifest.json")
        self.workshop = Workshop(
            source=self.source,
            pinned=Pinned(self.home, self.source),
            shelf=self.shelf,
            arrays=Arrays(self.home),
            records=self.records,
            queue=self.queue,
            prepare=prepare,
            zones=ZONES,
            rollup_budget_mb=BUDGET_MB,
            audit_queries=3,
        )

    def write(self, calls: pl.LazyFrame) -> None:
        """Replace the live dataset."""
        write_dataset(calls, self.data)

    def see(self, **said: Any) -> None:
        """What the watcher would say now."""
        manifest = self.source.read()
        self.shelf.see_manifest(
            msgspec.structs.replace(
                ManifestSighting(
                    location="data/manifest.json",
                    seen_at=clock(),
                    watcher="w",
                    interval_seconds=15.0,
                    dataset_hash=manifest.hash,
                    version=self.workshop.wanted(manifest),
                    row_count=manifest.row_count,
                ),
                **said,
            )
        )
        self.shelf.beat(WorkerBeat(name="worker", host="here", pid=1, seen_at=clock()), 600)

    def publish(self) -> str:
        """Build and publish the live dataset; its version."""
        manifest = self.source.read()
        version = self.workshop.wanted(manifest)
        record = self.queue.request_build(version, manifest.hash, "test")
        self.shelf.beat(WorkerBeat(name="worker", host="here", pid=1, seen_at=clock()), 600)
        run_build(self.workshop, record.id, record.attempts, worker="worker")
        ended = self.records.get(record.id)
        assert ended is not None
        assert ended.state == "succeeded", ended.reason
        self.see()
        return version


class Api:
    """One API process, and a client that is nobody yet."""

    def __init__(self, edge: Edge, client: httpx.AsyncClient, events: list[AccessEvent], tokens: Tokens) -> None:
        self.edge = edge
        self.client = client
        self.events = events
        self._tokens = tokens
        self._issued: dict[str, str] = {}

    @property
    def doors(self) -> Any:
        return self.edge.app.state["doors"]  # type: ignore[attr-defined]

    def bearer(self, who: str = "viewer") -> dict[str, str]:
        """The header of a signed-in `viewer` or `admin`."""
        if who not in self._issued:
            self._issued[who], _ = self._tokens.issue_token(who, "admin" if who == "admin" else "viewer")
        return {"authorization": f"Bearer {self._issued[who]}"}

    async def get(self, path: str, who: str = "viewer", **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        return await self.client.get(path, headers=self.bearer(who) | {"accept-encoding": "identity"} | given)

    def log(self) -> list[AccessEvent]:
        """The access events until now."""
        self.edge.access_log.flush()
        return self.events


@asynccontextmanager
async def serving(world: World, home: Path | None = None, **settings: Any) -> AsyncGenerator[Api]:
    """An API process for `world`; with a `home` of its own it is on another machine."""
    redis = connect_async(settings.pop("redis_url", world.redis_url))
    events: list[AccessEvent] = []
    tokens = Tokens(SECRET, 3_600, time.time)
    house = home or world.home
    door = Door(
        Users([], UserFile(house), samples=True),
        tokens,
        Attempts(redis, time.monotonic),
        SignOuts(redis, tokens.lifetime_seconds, time.time),
        SignedOut(time.time),
    )
    options: dict[str, Any] = {"secure_cookie": False, "cors_origins": (ORIGIN,), **settings}
    parts = Parts(
        shelf=AsyncShelf(redis),
        publishing_shelf=world.shelf,
        records=AsyncRecords(redis),
        totals=AsyncTotals(redis, redis),
        queue=world.queue,
        source=world.source,
        wanted=world.workshop.wanted,
        last_ingest=partial(last_ingest, world.data),
        machine=ThisMachine(house, Arrays(house), Pinned(house, world.source), BUDGET_MB),
        door=door,
        access_sink=lambda raw, epoch: events.extend(event_of(each, epoch) for each in raw),
        cursors=Cursors(SECRET),
        now=clock,
        **options,
    )
    edge = create_app(parts)
    litestar: Any = edge.app
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    async with litestar.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        # Nobody comes in before it is known who has signed out; where there is no Redis, that is never.
        with anyio.move_on_after(2):
            await settle(lambda: door.signed_out.loaded)
        yield Api(edge, client, events, tokens)
    await redis.aclose()


async def settle(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something is true; fails when it does not become so."""
    with anyio.fail_after(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for knows nothing of us
            await anyio.sleep(0.005)
