"""Each fallback, brought about by a fault: what is said to have served is what did."""

from __future__ import annotations

import dataclasses
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.world import serving, settle, some_calls

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio

PREPARED = "/api/metrics?range=7d"
COMPUTED = "/api/metrics?range=7d&grain=week"
EVERY_AGGREGATE = (
    COMPUTED,
    "/api/agents?range=7d&region=south",
    "/api/filters/options?region=south",
)


@asynccontextmanager
async def loaded(world: World, **settings: Any) -> AsyncGenerator[Api]:
    """An API process that serves whatever it can get of the published version."""
    async with serving(world, **settings) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        yield api


async def told(api: Api, path: str) -> tuple[str, str | None]:
    """Source and staleness, as the answer says; the access log must say the same of the source."""
    response = await api.get(path)
    truth = response.json()["meta"]
    assert (response.status_code, api.log()[-1].source) == (200, truth["source"])
    return truth["source"], truth["stale_reason"]


def drop_arrays(world: World) -> None:
    shutil.rmtree(world.home / "versions")


def cut_an_array_short(world: World) -> None:
    array = next((world.home / "versions").glob("*/*counts.npy"))
    array.write_bytes(array.read_bytes()[:-8])


def drop_the_header(world: World) -> None:
    next((world.home / "versions").glob("*/header.msgpack")).unlink()


def drop_pinned_rows(world: World) -> None:
    for kept in (world.home / "datasets").glob("*.parquet"):
        kept.unlink()


def drop_part(world: World, version: str, part: str) -> None:
    """What an eviction does: the part's key is gone, the index still names it."""
    ((_, key),) = [named for named in world.shelf.parts(version).items() if named[0].startswith(part)]
    world.redis.delete(key)


async def test_without_a_fault_prepared_is_prepared_and_the_rest_comes_from_the_rollup(world: World) -> None:
    async with loaded(world) as api:
        assert await told(api, PREPARED) == ("prepared", None)
        assert await told(api, "/api/calls") == ("scan", None)
        assert [await told(api, path) for path in EVERY_AGGREGATE] == [("rollup", None)] * 3


@pytest.mark.parametrize("path", EVERY_AGGREGATE)
async def test_without_dense_lattices_the_codes_answer_and_it_is_called_a_scan(world: World, path: str) -> None:
    world.workshop = dataclasses.replace(world.workshop, rollup_budget_mb=0)
    world.publish()
    async with loaded(world) as api:
        assert await told(api, path) == ("scan", None)


@pytest.mark.parametrize("fault", [drop_arrays, cut_an_array_short, drop_the_header])
async def test_arrays_that_are_gone_or_torn_are_made_again_and_serve_as_the_rollup(
    world: World, fault: Callable[[World], None]
) -> None:
    async with loaded(world) as api:
        before = (await api.get(COMPUTED)).content
    fault(world)

    async with loaded(world) as api:
        assert await told(api, COMPUTED) == ("rollup", None)
        assert await told(api, PREPARED) == ("prepared", None)
        assert (await api.get(COMPUTED)).content == before


async def test_rows_that_are_nowhere_take_nothing_from_the_aggregates_nor_from_the_calls(world: World) -> None:
    async with loaded(world) as api:
        drop_pinned_rows(world)
        (world.data / "cleaned_calls.parquet").unlink()

        assert [await told(api, path) for path in ("/api/calls?page=2", "/api/calls?q=a%0Ab")] == [("scan", None)] * 2
        assert [await told(api, path) for path in EVERY_AGGREGATE] == [("rollup", None)] * 3


@pytest.mark.parametrize("part", ["prepared", "card", "state"])
async def test_a_new_version_that_is_not_whole_leaves_the_old_one_serving_and_says_so(
    world: World, tmp_path: Path, part: str
) -> None:
    # On a machine of its own, so that it needs every part: nobody else makes the arrays there.
    async with loaded(world, home=tmp_path / "other") as api:
        old = api.doors.follower.current.snapshot.card.version
        await api.doors.follower.stop()
        world.write(some_calls(30))
        drop_part(world, world.publish(), part)

        await api.doors.follower.look()

        # What was prepared says that nothing is stale, so it is not what is sent now.
        assert await told(api, PREPARED) == ("rollup", "version_lost")
        assert await told(api, "/api/calls") == ("scan", "version_lost")
        assert (await api.get(PREPARED)).json()["meta"]["version"] == old


async def test_with_nothing_older_a_version_that_is_not_whole_is_no_answer(world: World) -> None:
    drop_part(world, world.shelf.history()[0].card.version, "prepared")
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.seen.load_problem is not None)

        response = await api.get(COMPUTED)

    assert (response.status_code, response.json()["error"]["code"]) == (503, "SNAPSHOT_INCOMPLETE")


async def test_an_emptied_redis_is_a_version_lost_and_what_is_in_memory_goes_on(world: World) -> None:
    async with loaded(world) as api:
        world.redis.flushall()
        await settle(lambda: api.doors.follower.current.stale_reason == "version_lost")

        assert await told(api, PREPARED) == ("rollup", "version_lost")
        assert await told(api, "/api/calls") == ("scan", "version_lost")


async def test_a_bundle_says_of_each_part_what_served_it(world: World) -> None:
    async with loaded(world) as api:
        queries = {
            "hot": {"kind": "metrics"},
            "new": {"kind": "metrics", "grain": "week"},
            "rows": {"kind": "calls"},
        }

        response = await api.client.post("/api/query", json={"queries": queries}, headers=api.bearer())

        sources = {name: part["meta"]["source"] for name, part in response.json()["data"].items()}
        assert sources == {"hot": "prepared", "new": "rollup", "rows": "scan"}
        assert api.log()[-1].source == "scan"
