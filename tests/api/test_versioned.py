from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.api.world import serving, settle, some_calls

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio

YEAR = "private, max-age=31536000, immutable"


async def publish_another(api: Api, world: World, days: int) -> str:
    """Publish other calls, and wait until the process serves them."""
    world.write(some_calls(days))
    version = world.publish()
    await settle(lambda: api.doors.follower.current.snapshot.card.version == version)
    return version


def served(api: Api) -> str:
    return str(api.doors.follower.current.snapshot.card.version)


@pytest.mark.parametrize(
    "question",
    [
        "metrics?range=all&region=north",
        "agents?range=all",
        "agents/anna?range=all",
        "filters/options",
        "metrics/catalogue",
    ],
)
async def test_a_named_version_answers_as_it_did_when_it_was_the_current_one(
    api: Api, world: World, question: str
) -> None:
    version = served(api)
    before = (await api.get(f"/api/{question}")).json()
    await publish_another(api, world, 25)

    named = await api.get(f"/api/v/{version}/{question}")

    assert named.status_code == 200
    assert named.json()["data"] == before["data"]
    assert named.json()["meta"] == before["meta"] | {"source": named.json()["meta"]["source"]}
    assert (await api.get(f"/api/{question}")).json()["meta"]["version"] != version


@pytest.mark.parametrize("nth", [1, 2])
async def test_it_may_be_kept_for_a_year_computed_or_ready(api: Api, world: World, nth: int) -> None:
    path = f"/api/v/{served(api)}/metrics?range=7d"
    await publish_another(api, world, 25)

    answers = [await api.get(path) for _ in range(nth)]

    assert answers[-1].headers["cache-control"] == YEAR
    again = await api.get(path, if_none_match=answers[-1].headers["etag"])
    assert (again.status_code, again.headers["cache-control"]) == (304, YEAR)


async def test_the_current_version_is_a_named_one_too_and_not_stale_when_asked_for(api: Api, world: World) -> None:
    world.see(version="f" * 16)
    await settle(lambda: api.doors.follower.current.stale_reason == "manifest_changed")

    latest, named = await api.get("/api/metrics"), await api.get(f"/api/v/{served(api)}/metrics")

    assert (latest.json()["meta"]["stale"], named.json()["meta"]["stale"]) == (True, False)
    assert latest.headers["cache-control"] != named.headers["cache-control"] == YEAR


async def test_a_version_that_fell_out_is_gone_even_if_its_answer_was_ready(api: Api, world: World) -> None:
    version = served(api)
    path = f"/api/v/{version}/agents/anna?range=7d"
    assert (await api.get(path)).status_code == 200
    for days in (21, 22, 23):
        await publish_another(api, world, days)

    response = await api.get(path)

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (410, "VERSION_GONE")
    assert error["details"][0]["links"] == {"current": "/api/agents/anna?range=7d"}
    assert (await api.get(error["details"][0]["links"]["current"])).status_code == 200
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("name", "status"), [("f" * 16, 410), ("current", 404), ("F" * 16, 404)])
async def test_what_names_no_kept_version_is_refused(api: Api, name: str, status: int) -> None:
    response = await api.get(f"/api/v/{name}/metrics")

    assert response.status_code == status


async def test_what_is_wrong_with_the_question_is_said_as_ever(api: Api) -> None:
    version = served(api)

    responses = [await api.get(f"/api/v/{version}/{rest}") for rest in ("metrics?regoin=x", "agents/nobody", "nothing")]

    assert [response.status_code for response in responses] == [422, 404, 404]
    assert all("cache-control" in response.headers for response in responses)
    assert {response.headers["cache-control"] for response in responses} == {"no-store"}


async def test_many_who_ask_at_once_get_one_answer(api: Api, world: World) -> None:
    path = f"/api/v/{served(api)}/metrics?range=mtd"
    await publish_another(api, world, 25)

    answers = await asyncio.gather(*(api.get(path) for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


async def test_a_machine_that_never_had_the_rows_says_so_and_is_asked_again(
    world: World, tmp_path: Path, api: Api
) -> None:
    path = f"/api/v/{served(api)}/metrics"
    await publish_another(api, world, 25)
    async with serving(world, tmp_path / "another-machine") as late:
        await settle(lambda: late.doors.follower.current.snapshot is not None)

        responses = [await late.get(path) for _ in range(2)]

        assert [response.json()["error"]["code"] for response in responses] == ["DATA_MISSING"] * 2
        assert {response.status_code for response in responses} == {503}
