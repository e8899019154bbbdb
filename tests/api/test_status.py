from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportapi.snapshots import keys
from tests.api.world import Api, World, clock, serving, settle, some_calls

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def failing(readiness: dict[str, Any]) -> set[str]:
    return {check["code"] for check in readiness["checks"] if not check["ok"]}


async def test_ready_when_everything_is(api: Api) -> None:
    response = await api.client.get("/api/readyz")

    assert response.status_code == 200
    assert response.json()["data"]["status"] == "ready"
    assert failing(response.json()["data"]) == set()


async def test_alive_but_not_ready_without_redis(empty_world: World) -> None:
    async with serving(empty_world, redis_url="redis://127.0.0.1:1/0") as api:
        alive, ready = await api.client.get("/api/healthz"), await api.client.get("/api/readyz")
        data = await api.get("/api/metrics")

    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["data"]["status"]) == (503, "not_ready")
    assert failing(ready.json()["data"]) == {"WARMING_UP", "REDIS_UNAVAILABLE"}
    assert (data.status_code, data.json()["error"]["code"]) == (503, "WARMING_UP")
    assert int(data.headers["retry-after"]) > 0


async def test_a_silent_watcher_degrades(world: World) -> None:
    world.see(seen_at=clock() - timedelta(minutes=5))
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.current.stale_reason == "watcher_silent")

        response = await api.client.get("/api/readyz")

    assert (response.status_code, response.json()["data"]["status"]) == (200, "degraded")
    assert failing(response.json()["data"]) == {"WATCHER_SILENT"}


async def test_a_watcher_whose_clock_is_wrong_is_not_silent_as_long_as_it_says_something(world: World) -> None:
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        world.see(seen_at=clock() - timedelta(hours=1))

        await settle(lambda: api.doors.follower.seen.manifest.seen_at < clock() - timedelta(minutes=50))
        response = await api.client.get("/api/readyz")

    assert response.json()["data"]["status"] == "ready"


async def test_no_manifest_and_no_version_is_told_by_its_code(empty_world: World) -> None:
    empty_world.see(error_code="MANIFEST_MISSING", error_message="There is no manifest.", version=None)
    async with serving(empty_world) as api:
        await settle(lambda: api.doors.follower.current.problem is not None)

        response = await api.get("/api/metrics")

    assert (response.status_code, response.json()["error"]["code"]) == (503, "MANIFEST_MISSING")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"version": "f" * 16}, "manifest_changed"),
        ({"version": "f" * 16, "error_code": "DATA_CORRUPT", "error_job": "build-1"}, "build_failed"),
        ({"version": "f" * 16, "error_code": "NEWER_RELEASE"}, "manifest_changed"),
        ({"version": None, "error_code": "MANIFEST_INVALID", "error_message": "no JSON"}, "manifest_unreadable"),
    ],
)
async def test_why_it_is_stale_is_said_in_every_answer(world: World, said: dict[str, str | None], reason: str) -> None:
    world.see(**said)
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.current.stale_reason == reason)

        answer, manifest = await api.get("/api/metrics"), await api.get("/api/settings/manifest")

    assert (answer.json()["meta"]["stale"], answer.json()["meta"]["stale_reason"]) == (True, reason)
    assert manifest.json()["data"]["stale_reason"] == reason


async def test_a_flushed_redis_does_not_take_the_version_away(world: World) -> None:
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        world.redis.flushall()
        await settle(lambda: api.doors.follower.current.stale_reason == "version_lost")

        assert (await api.get("/api/metrics")).status_code == 200


async def test_a_publish_is_seen_whole_and_soon(api: Api, world: World) -> None:
    before = (await api.get("/api/metrics")).json()
    world.write(some_calls(30))

    version = world.publish()
    await settle(lambda: api.doors.follower.current.snapshot.card.version == version)

    after = (await api.get("/api/metrics")).json()
    assert after["meta"]["version"] == version != before["meta"]["version"]
    assert after["meta"]["stale"] is False
    versions = (await api.get("/api/versions")).json()["data"]
    assert [(entry["version"], entry["served"], entry["rows"]) for entry in versions] == [
        (version, True, 90),
        (before["meta"]["version"], False, 60),
    ]


async def test_another_machine_makes_its_own_arrays(world: World, tmp_path: Path) -> None:
    async with serving(world, home=tmp_path / "other") as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)

        metrics, calls = await api.get("/api/metrics?range=7d"), await api.get("/api/calls")

    assert (metrics.status_code, calls.status_code) == (200, 200)
    assert (tmp_path / "other" / "versions").is_dir()


async def test_a_machine_that_may_not_write_serves_its_version_and_says_why_it_is_stale(
    world: World, tmp_path: Path
) -> None:
    home = tmp_path / "other"
    async with serving(world, home=home) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        served = api.doors.follower.current.snapshot.card.version
        shutil.rmtree(home)
        home.write_text("no folder")
        world.write(some_calls(31))
        world.publish()

        await settle(lambda: api.doors.follower.seen.load_problem is not None)
        metrics, ready = await api.get("/api/metrics?range=7d"), (await api.client.get("/api/readyz")).json()["data"]
        home.unlink()
        await settle(lambda: api.doors.follower.current.snapshot.card.version != served)

    assert (metrics.json()["meta"]["version"], metrics.json()["meta"]["stale_reason"]) == (served, "manifest_changed")
    assert (ready["status"], failing(ready)) == ("degraded", {"DATASET_NOT_WRITABLE"})


async def test_an_api_that_starts_after_a_later_release_has_published_serves_the_newest_that_it_can_read(
    world: World,
) -> None:
    version = world.shelf.history()[0].card.version
    world.redis.hset(keys.CURRENT, mapping={"version": "f" * 16, "format": keys.FORMAT + 1})
    world.see(version="f" * 16)
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.seen.load_problem is not None)

        metrics, ready = await api.get("/api/metrics?range=7d"), (await api.client.get("/api/readyz")).json()["data"]

    assert (metrics.json()["meta"]["version"], metrics.json()["meta"]["stale_reason"]) == (version, "manifest_changed")
    assert (ready["status"], failing(ready)) == ("degraded", {"WARMING_UP"})


async def test_a_machine_that_starts_and_cannot_have_the_version_in_force_serves_the_newest_that_it_had(
    world: World, tmp_path: Path
) -> None:
    home = tmp_path / "other"
    async with serving(world, home=home) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        served = api.doors.follower.current.snapshot.card.version
    world.write(some_calls(31))
    world.publish()
    world.write(some_calls(32))

    async with serving(world, home=home) as api:
        await settle(lambda: api.doors.follower.seen.load_problem is not None)
        metrics, ready = await api.get("/api/metrics?range=7d"), (await api.client.get("/api/readyz")).json()["data"]

    assert (metrics.json()["meta"]["version"], metrics.json()["meta"]["stale_reason"]) == (served, "manifest_changed")
    assert (ready["status"], failing(ready)) == ("degraded", {"DATA_MISSING"})
