from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.api.world import serving, settle, some_calls

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio

SINCE_YESTERDAY = "/api/versions/previous...current"


def mended() -> pl.LazyFrame:
    """The calls of `some_calls`, one region later: five days more, one call less, anna's ratings mended on two days."""
    two = pl.col("call_id").is_in(["c-003-a", "c-004-a"])
    return (
        some_calls(25)
        .filter(pl.col("call_id") != "c-007-b")
        .with_columns(pl.when(two).then(pl.lit(2, pl.Int8)).otherwise("rating").alias("rating"))
    )


@pytest.fixture
async def pair(api: Api, world: World) -> tuple[str, str]:
    """The first version, and the one with the mended calls, which is served."""
    before = api.doors.follower.current.snapshot.card.version
    world.write(mended())
    after = world.publish()
    await settle(lambda: api.doors.follower.current.snapshot.card.version == after)
    return before, after


def card(answer: dict[str, Any], key: str) -> dict[str, Any]:
    return next(found for found in answer["data"]["kpis"] if found["key"] == key)


async def test_it_says_which_calls_came_went_and_changed_and_how_each_kpi_moved(
    api: Api, pair: tuple[str, str]
) -> None:
    response = await api.get(f"/api/versions/{pair[0]}...{pair[1]}")

    answer = response.json()
    calls = answer["data"]["calls"]
    assert response.status_code == 200
    assert (answer["data"]["before"]["version"], answer["data"]["after"]["version"]) == pair
    assert (calls["added"], calls["removed"], calls["changed"]) == (15, 1, 2)
    assert calls["days"][:3] == [
        {"day": "2026-01-08", "added": 0, "removed": 0, "changed": 1},
        {"day": "2026-01-09", "added": 0, "removed": 0, "changed": 1},
        {"day": "2026-01-12", "added": 0, "removed": 1, "changed": 0},
    ]
    assert calls["columns"] == [{"column": "rating", "calls": 2}]
    assert calls["examples"]["removed"] == ["c-007-b"]
    assert calls["examples"]["changed"] == [
        {"call_id": "c-003-a", "columns": ["rating"]},
        {"call_id": "c-004-a", "columns": ["rating"]},
    ]
    assert (card(answer, "calls")["previous"], card(answer, "calls")["value"]) == (60, 74)
    assert (card(answer, "csat")["previous"], card(answer, "csat")["delta"]["good"]) == (100.0, False)
    assert answer["meta"] == {"source": "scan", "window": {"from": "2026-01-05", "to": "2026-01-30"}, "timezone": "UTC"}


@pytest.mark.parametrize(
    "query",
    ["", "?from=2026-01-08&to=2026-01-09", "?region=south", "?range=7d&timezone=Europe/Berlin", "?agent_id=null,anna"],
)
async def test_calls_before_and_what_was_added_and_removed_make_the_calls_after(
    api: Api, pair: tuple[str, str], query: str
) -> None:
    answer = (await api.get(SINCE_YESTERDAY + query)).json()

    data = answer["data"]
    assert data["before"]["calls"] + data["calls"]["added"] - data["calls"]["removed"] == data["after"]["calls"]
    assert card(answer, "calls")["previous"] == data["before"]["calls"]
    assert (data["before"]["version"], data["after"]["version"]) == pair


async def test_the_other_way_round_what_was_added_is_removed(api: Api, pair: tuple[str, str]) -> None:
    there = (await api.get(f"/api/versions/{pair[0]}...{pair[1]}")).json()["data"]["calls"]

    back = (await api.get(f"/api/versions/{pair[1]}...{pair[0]}")).json()["data"]["calls"]

    assert (back["added"], back["removed"], back["changed"]) == (there["removed"], there["added"], there["changed"])


async def test_a_comparison_is_computed_once_and_then_hot_by_every_name(api: Api, pair: tuple[str, str]) -> None:
    first = await api.get(SINCE_YESTERDAY)

    second = await api.get(f"/api/versions/{pair[0]}...{pair[1]}?range=all")
    unchanged = await api.get(SINCE_YESTERDAY, if_none_match=first.headers["etag"])

    hot = api.doors.follower.current.hot
    assert second.content == first.content
    assert unchanged.status_code == 304
    assert hot.find(("", SINCE_YESTERDAY, b"")) is hot.find(("", f"/api/versions/{pair[0]}...{pair[1]}", b"range=all"))


async def test_a_version_compared_with_itself_reads_no_row(api: Api, world: World) -> None:
    for kept in (world.home / "datasets").glob("*.parquet"):
        kept.unlink()
    (world.data / "cleaned_calls.parquet").unlink()

    response = await api.get("/api/versions/current...current")

    data = response.json()["data"]
    assert (data["files_shared"], data["calls"]["days"], data["after"]["calls"]) == (1, [], 60)


async def test_a_column_that_one_version_lacks_is_unknown_there_and_not_zero(world: World) -> None:
    world.write(some_calls(21).with_columns(resolved=pl.lit(None, pl.Boolean)))
    world.publish()
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)

        lost = card((await api.get("/api/versions/previous...current")).json(), "resolved")
        found = card((await api.get("/api/versions/current...previous")).json(), "resolved")

    assert (lost["available"], lost["reason"], lost["value"]) == (False, "column_absent", None)
    assert (found["value"], found["previous"], found["delta"]["reason"]) == (20, None, "no_baseline")


async def test_a_version_whose_rows_are_nowhere_any_more_cannot_be_compared(
    world: World, tmp_path: Path, pair: tuple[str, str]
) -> None:
    async with serving(world, home=tmp_path / "other") as elsewhere:
        await settle(lambda: elsewhere.doors.follower.current.snapshot is not None)

        response = await elsewhere.get(f"/api/versions/{pair[0]}...{pair[1]}")

    assert (response.status_code, response.json()["error"]["code"]) == (503, "DATA_MISSING")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("current...ffffffffffffffff", 410, "VERSION_GONE"),
        ("yesterday...current", 404, "NOT_FOUND"),
        ("current", 404, "NOT_FOUND"),
        ("current...current?range=7d&to=2026-01-09", 422, "VALIDATION_ERROR"),
        ("current...current?timezone=Mars", 422, "VALIDATION_ERROR"),
        ("current...current?compare=none", 422, "VALIDATION_ERROR"),
    ],
)
async def test_what_cannot_be_compared_is_refused_by_its_code(api: Api, name: str, status: int, code: str) -> None:
    response = await api.get(f"/api/versions/{name}")

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
