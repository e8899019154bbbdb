from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from supportapi.api.gate import COOKIE
from tests.api.world import Api, World, serving, settle, some_calls

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.anyio


@pytest.fixture
async def pair(api: Api, world: World) -> tuple[str, str]:
    """The first version, and the one after it, which the live dataset makes and which is served."""
    before = _served(api)
    world.write(some_calls(25))
    after = world.publish()
    await settle(lambda: _served(api) == after)
    return before, after


def _served(api: Api) -> str:
    version: str = api.doors.follower.current.snapshot.card.version
    return version


def _pointed_at(world: World) -> str:
    current = world.shelf.current()
    assert current is not None
    return current.version


async def _activate(api: Api, version: str, who: str = "admin") -> httpx.Response:
    return await api.client.post(f"/api/versions/{version}/activate", headers=api.bearer(who))


async def test_an_activated_version_is_served_by_every_process_and_says_why_it_is_old(
    api: Api, world: World, pair: tuple[str, str]
) -> None:
    before, after = pair
    async with serving(world) as other:
        await settle(lambda: other.doors.follower.current.snapshot is not None)

        response = await _activate(api, before)
        await settle(lambda: (_served(api), _served(other)) == (before, before))
        answer = (await other.get("/api/metrics")).json()

    data = response.json()["data"]
    assert (response.status_code, data["outcome"], data["replaced"]) == (200, "published", after)
    assert (data["rolled_back"]["by"], data["rolled_back"]["over"]) == ("admin", after)
    assert (answer["meta"]["version"], answer["meta"]["stale_reason"]) == (before, "rolled_back")


async def test_who_went_back_and_when_is_shown_with_the_manifest_and_the_versions(
    api: Api, pair: tuple[str, str]
) -> None:
    before, after = pair

    told = (await _activate(api, before)).json()["data"]["rolled_back"]
    await settle(lambda: _served(api) == before)
    manifest = (await api.get("/api/settings/manifest")).json()["data"]
    versions = (await api.get("/api/versions")).json()

    assert manifest["rolled_back"] == versions["meta"]["rolled_back"] == told
    assert (manifest["stale_reason"], manifest["wanted_version"], manifest["served_version"]) == (
        "rolled_back", after, before,
    )  # fmt: skip
    assert [entry["version"] for entry in versions["data"]] == [before, after]


async def test_the_version_of_the_live_data_is_activated_without_holding_anything_off(
    api: Api, pair: tuple[str, str]
) -> None:
    before, after = pair
    await _activate(api, before)
    await settle(lambda: _served(api) == before)

    response = await _activate(api, after)
    await settle(lambda: _served(api) == after)
    manifest = (await api.get("/api/settings/manifest")).json()["data"]

    assert response.json()["data"]["rolled_back"] is None
    assert (manifest["stale"], manifest["rolled_back"]) == (False, None)


async def test_a_rollback_while_the_manifest_cannot_be_read_holds_off_the_version_before(
    api: Api, world: World, pair: tuple[str, str]
) -> None:
    before, after = pair
    world.see(version=None, dataset_hash=None, error_code="MANIFEST_MISSING")

    response = await _activate(api, before)

    assert response.json()["data"]["rolled_back"]["over"] == after


async def test_a_refresh_without_the_command_ends_a_rollback(api: Api, world: World, pair: tuple[str, str]) -> None:
    await _activate(api, pair[0])

    response = await api.client.post("/api/settings/refresh", headers=api.bearer("admin"), json={"run_command": False})

    current = world.shelf.current()
    assert current is not None
    assert (current.version, current.rollback) == (pair[0], None)
    assert (response.status_code, response.json()["data"]["version"]) == (202, pair[1])


async def test_who_did_it_stands_in_the_log(api: Api, pair: tuple[str, str]) -> None:
    before, after = pair

    with capture_logs() as logs:
        response = await _activate(api, before)

    (line,) = [entry for entry in logs if entry["event"] == "version.activated"]
    assert (line["by"], line["version"], line["replaced"], line["held_off"]) == ("admin", before, after, after)
    assert line["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [("0" * 16, 410, "VERSION_GONE"), ("previous", 404, "NOT_FOUND"), ("nothing", 404, "NOT_FOUND")],
)
async def test_what_is_not_kept_cannot_be_activated(
    api: Api, pair: tuple[str, str], version: str, status: int, code: str
) -> None:
    response = await _activate(api, version)

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert _served(api) == pair[1]


async def test_a_viewer_may_not(api: Api, world: World, pair: tuple[str, str]) -> None:
    response = await _activate(api, pair[0], "viewer")

    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert _pointed_at(world) == pair[1]


async def test_another_site_may_not_make_an_admins_browser_do_it(api: Api, world: World, pair: tuple[str, str]) -> None:
    _, _, token = api.bearer("admin")["authorization"].partition(" ")
    headers = {"cookie": f"{COOKIE}={token}", "origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}

    response = await api.client.post(f"/api/versions/{pair[0]}/activate", headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert _pointed_at(world) == pair[1]
