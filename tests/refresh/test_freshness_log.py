from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from supportapi.refresh.freshness_log import FreshnessLog
from supportapi.snapshots.client import connect, connect_async
from supportapi.snapshots.follow import AsyncShelf
from supportapi.snapshots.freshness import TURNS_KEPT
from supportapi.snapshots.pointer import Pointer, Rollback
from supportapi.snapshots.shelf import Shelf
from supportapi.snapshots.sightings import ManifestSighting

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def sighting(second: float, version: str | None, **more: Any) -> ManifestSighting:
    seen_at = NOON + timedelta(seconds=second)
    return ManifestSighting(location="data", seen_at=seen_at, watcher="w", interval_seconds=15, version=version, **more)


def pointer(version: str, over: str | None = None) -> Pointer:
    rollback = None if over is None else Rollback(by="ada", at=NOON, over=over)
    return Pointer(
        version=version, dataset_hash="", sequence=1, published_at=NOON, parts=1, format=1, rollback=rollback
    )


async def told(url: str) -> list[tuple[float, str | None, str | None]]:
    redis = connect_async(url)
    turns = await AsyncShelf(redis).turns()
    await redis.aclose()
    return [((turn.at - NOON).total_seconds(), turn.cause, turn.version) for turn in turns]


async def test_only_what_changes_is_noted(redis_url: str) -> None:
    log = FreshnessLog(Shelf(connect(redis_url)))

    log.note(sighting(0, "a"), pointer("a"))
    log.note(sighting(1, "a"), pointer("a"))
    log.note(sighting(2, "b"), pointer("a"))
    log.note(sighting(3, "b"), pointer("a"))
    log.note(sighting(4, "b"), pointer("b"))

    assert await told(redis_url) == [(0, None, None), (2, "manifest_changed", "b"), (4, None, None)]


@pytest.mark.parametrize(
    ("seen", "current", "cause"),
    [
        (sighting(0, None, error_code="MANIFEST_MISSING"), None, "manifest_unreadable"),
        (sighting(0, "b"), None, "manifest_changed"),
        (sighting(0, "b", error_code="DATA_CORRUPT", error_job="build-b-1"), pointer("a"), "build_failed"),
        (sighting(0, "b"), pointer("a", over="b"), "rolled_back"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_why_it_is_stale_is_noted(
    redis_url: str, seen: ManifestSighting, current: Pointer | None, cause: str
) -> None:
    FreshnessLog(Shelf(connect(redis_url))).note(seen, current)

    assert [noted for _, noted, _ in await told(redis_url)] == [cause]


async def test_a_time_in_which_nobody_watched_is_noted_by_who_comes_back(redis_url: str) -> None:
    shelf = Shelf(connect(redis_url))
    shelf.see_manifest(sighting(0, "a"))

    FreshnessLog(shelf).note(sighting(600, "a"), pointer("a"))

    assert await told(redis_url) == [(0, "watcher_silent", None), (600, None, None)]


async def test_a_pause_within_a_few_turns_is_no_silence(redis_url: str) -> None:
    log = FreshnessLog(Shelf(connect(redis_url)))

    log.note(sighting(0, "a"), pointer("a"))
    log.note(sighting(50, "a"), pointer("a"))

    assert await told(redis_url) == [(0, None, None)]


async def test_what_is_remembered_is_bounded(redis_url: str) -> None:
    log = FreshnessLog(Shelf(connect(redis_url)))

    [log.note(sighting(second, f"{second}"), None) for second in range(TURNS_KEPT + 10)]

    noted = await told(redis_url)
    assert (len(noted), noted[0][0]) == (TURNS_KEPT, 10)
