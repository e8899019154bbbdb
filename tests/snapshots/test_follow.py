"""The reading side of an API process."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from supportapi.errors import ShelfUnavailable, SnapshotIncomplete
from supportapi.snapshots.client import connect_async
from supportapi.snapshots.follow import AsyncShelf
from supportapi.snapshots.pointer import VersionCard
from supportapi.snapshots.shelf import Shelf
from supportapi.snapshots.sightings import ManifestSighting, WorkerBeat

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from redis import Redis

_A, _B = "a" * 16, "b" * 16
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_CARD = VersionCard(
    version=_A, dataset_hash="0" * 64, format=1, built_at=_NOW, build_seconds=1.0, rows=1, columns=("call_id",),
    min_started_at=None, max_started_at=None, as_of=None, files=(), zones=("UTC",), audit_queries=0, host="here",
)  # fmt: skip


def _put(shelf: Shelf, version: str) -> None:
    sequence = shelf.next_sequence()
    card = msgspec.json.encode(msgspec.structs.replace(_CARD, version=version))
    shelf.stage(version, sequence, {"card": card, "prepared": version.encode()})
    shelf.publish(version, sequence, "0" * 64)


@asynccontextmanager
async def _follower(url: str) -> AsyncGenerator[AsyncShelf]:
    client = connect_async(url)
    try:
        yield AsyncShelf(client)
    finally:
        await client.aclose()


def test_it_reads_what_the_worker_published(redis_url: str, redis: Redis) -> None:
    shelf = Shelf(redis)
    _put(shelf, _A)
    _put(shelf, _B)

    async def read() -> None:
        async with _follower(redis_url) as follower:
            assert await follower.current() == shelf.current()
            assert await follower.read(_B, "prepared") == {"prepared": _B.encode()}
            assert (await follower.card(_A)).version == _A
            assert await follower.history() == shelf.history()
            with pytest.raises(SnapshotIncomplete):
                await follower.read("c" * 16, "card")
            with pytest.raises(SnapshotIncomplete):
                await follower.read(_A, "audit")

    asyncio.run(read())


@pytest.mark.parametrize("size", [1, 2**20 - 1, 2**20, 2**20 + 1, 2**22 + 7])
def test_a_part_of_any_size_is_read_whole(redis_url: str, redis: Redis, size: int) -> None:
    shelf = Shelf(redis)
    part = bytes(number % 251 for number in range(size))
    shelf.stage(_A, 1, {"prepared": part})
    shelf.publish(_A, 1, "0" * 64)

    async def read() -> bytes:
        async with _follower(redis_url) as follower:
            return (await follower.read(_A, "prepared"))["prepared"]

    assert asyncio.run(read()) == part


def test_a_part_that_goes_while_it_is_read_is_not_taken_for_whole(redis_url: str, redis: Redis) -> None:
    shelf = Shelf(redis)
    shelf.stage(_A, 1, {"prepared": bytes(2**26)})
    shelf.publish(_A, 1, "0" * 64)

    async def read() -> None:
        async with _follower(redis_url) as follower:
            reading = asyncio.create_task(follower.read(_A, "prepared"))
            await asyncio.sleep(0.01)
            redis.flushall()
            with pytest.raises(SnapshotIncomplete):
                await reading

    asyncio.run(read())


def test_a_publish_wakes_whoever_waits_at_once(redis_url: str, redis: Redis) -> None:
    shelf = Shelf(redis)
    _put(shelf, _A)

    async def follow() -> tuple[str, float]:
        async with _follower(redis_url) as follower:
            (first,) = await follower.events_after("0-0")
            waiting = asyncio.create_task(follower.wait_for_event(first.id, 2000))
            await asyncio.sleep(0.1)
            began = time.perf_counter()
            await asyncio.to_thread(_put, shelf, _B)
            await waiting
            seconds = time.perf_counter() - began
            (event,) = await follower.events_after(first.id)
            return event.version, seconds

    version, seconds = asyncio.run(follow())

    assert version == _B
    assert seconds < 0.2


def test_each_of_several_publishes_is_told_in_order(redis_url: str, redis: Redis) -> None:
    shelf = Shelf(redis)
    _put(shelf, _A)

    async def follow() -> list[str]:
        async with _follower(redis_url) as follower:
            (first,) = await follower.events_after("0-0")
            _put(shelf, _B)
            _put(shelf, _A)
            return [event.version for event in await follower.events_after(first.id)]

    assert asyncio.run(follow()) == [_B, _A]


def test_a_quiet_second_is_no_failure(redis_url: str) -> None:
    async def wait() -> float:
        async with _follower(redis_url) as follower:
            began = time.perf_counter()
            await follower.wait_for_event("0-0", 1000)
            return time.perf_counter() - began

    assert asyncio.run(wait()) >= 0.9


def test_a_server_that_is_not_there_is_known_soon(tmp_path: Path) -> None:
    async def ask() -> None:
        async with _follower(f"unix://{tmp_path}/nobody.sock") as follower:
            with pytest.raises(ShelfUnavailable):
                await follower.current()

    began = time.monotonic()
    asyncio.run(ask())

    assert time.monotonic() - began < 2


def test_the_watchers_sighting_and_the_workers_beats_are_read_as_written(redis_url: str, redis: Redis) -> None:
    shelf = Shelf(redis)
    sighting = ManifestSighting(
        location="data/manifest.json", seen_at=_NOW, watcher="w", interval_seconds=15, dataset_hash="0" * 64, version=_A
    )
    beat = WorkerBeat(name="w1", host="h", pid=1, seen_at=_NOW)
    shelf.see_manifest(sighting)
    shelf.beat(beat, 10)

    async def read() -> tuple[ManifestSighting | None, list[WorkerBeat]]:
        async with _follower(redis_url) as follower:
            return await follower.manifest(), await follower.workers()

    assert asyncio.run(read()) == (sighting, [beat])
