from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.processes.redis_server import embedded_redis
from supportapi.snapshots.keys import SIGN_OUTS
from tests.api.world import Api, World, serving, settle, some_calls

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

METRICS = "/api/metrics"


async def signed_in(api: Api, username: str = "viewer") -> dict[str, str]:
    """The bearer header of a session that has just begun, and no cookie."""
    response = await api.client.post("/api/auth/sign-in", json={"username": username, "password": "dev"})
    api.client.cookies.clear()
    return {"authorization": f"Bearer {response.json()['data']['access_token']}"}


async def test_a_signed_out_token_is_refused_where_it_was_served_from_memory_before(api: Api) -> None:
    session = await signed_in(api)
    before = [(await api.client.get(METRICS, headers=session)).status_code for _ in range(2)]

    await api.client.post("/api/auth/sign-out", headers=session)

    after = await api.client.get(METRICS, headers=session)
    assert before == [200, 200]
    assert (after.status_code, after.json()["error"]["message"]) == (401, "This session was ended; sign in again.")


async def test_other_sessions_of_the_same_user_go_on(api: Api) -> None:
    session, another = await signed_in(api), await signed_in(api)

    await api.client.post("/api/auth/sign-out", headers=session)

    assert (await api.client.get(METRICS, headers=another)).status_code == 200


async def test_the_token_of_the_cookie_is_ended_too_not_only_taken_away(api: Api) -> None:
    await api.client.post("/api/auth/sign-in", json={"username": "viewer", "password": "dev"})
    kept = {"cookie": f"supportapi_token={api.client.cookies['supportapi_token']}"}

    await api.client.post("/api/auth/sign-out")

    assert (await api.client.get(METRICS, headers=kept)).status_code == 401


async def test_every_process_refuses_it_without_being_asked(api: Api, world: World) -> None:
    session = await signed_in(api)
    async with serving(world) as another:
        await settle(lambda: another.doors.follower.current.snapshot is not None)
        before = await another.client.get(METRICS, headers=session)

        await api.client.post("/api/auth/sign-out", headers=session)
        await settle(another.doors.door.signed_out.living)

        after = await another.client.get(METRICS, headers=session)
    assert (before.status_code, after.status_code) == (200, 401)


async def test_a_process_that_starts_later_knows_it(api: Api, world: World) -> None:
    session = await signed_in(api)
    await api.client.post("/api/auth/sign-out", headers=session)

    async with serving(world) as another:
        await settle(lambda: another.doors.door.signed_out.loaded)

        assert (await another.client.get(METRICS, headers=session)).status_code == 401


async def test_no_request_asks_redis_who_has_signed_out(api: Api, world: World) -> None:
    session = await signed_in(api)
    await api.client.get(METRICS, headers=session)
    stats = f"cmdstat_{'xread'}"
    before = world.redis.info("commandstats")

    for _ in range(50):
        await api.client.get(METRICS, headers=session)

    after = world.redis.info("commandstats")
    assert after[stats]["calls"] - before[stats]["calls"] < 10  # type: ignore[index]  # pyright: ignore[reportIndexIssue] - the followers' own
    assert after.get("cmdstat_exists") == before.get("cmdstat_exists")  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]


async def test_a_redis_that_lost_the_list_is_given_it_again(api: Api, world: World) -> None:
    session = await signed_in(api)
    await api.client.post("/api/auth/sign-out", headers=session)

    world.redis.delete(SIGN_OUTS)

    await settle(lambda: world.redis.exists(SIGN_OUTS))
    async with serving(world) as another:
        await settle(lambda: another.doors.door.signed_out.loaded)
        assert (await another.client.get(METRICS, headers=session)).status_code == 401


async def test_without_redis_the_known_are_refused_and_a_sign_out_says_that_it_failed(tmp_path: Path) -> None:
    with embedded_redis(tmp_path / "redis") as server:
        world = World(tmp_path, server.url)
        world.write(some_calls())
        world.publish()
        async with serving(world) as api:
            await settle(lambda: api.doors.follower.current.snapshot is not None)
            gone, there = await signed_in(api), await signed_in(api)
            await api.client.post("/api/auth/sign-out", headers=gone)
            assert server.process is not None
            server.process.kill()

            left = await api.client.post("/api/auth/sign-out", headers=there)

            assert (left.status_code, left.json()["error"]["code"]) == (503, "REDIS_UNAVAILABLE")
            assert "set-cookie" not in left.headers
            assert (await api.client.get(METRICS, headers=gone)).status_code == 401
            assert (await api.client.get(METRICS, headers=there)).status_code == 200
            assert (await signed_in(api))["authorization"]


async def test_a_process_that_never_reached_redis_lets_nobody_in_and_says_why(world: World, tmp_path: Path) -> None:
    async with serving(world, redis_url=f"unix://{tmp_path}/none.sock") as api:
        response = await api.client.get("/api/auth/me", headers=api.bearer())
        alive = await api.client.get("/api/healthz")

    assert (response.status_code, response.json()["error"]["code"]) == (503, "WARMING_UP")
    assert alive.status_code == 200


async def test_a_sign_out_without_a_good_token_is_no_error(api: Api) -> None:
    responses = [
        await api.client.post("/api/auth/sign-out", headers=headers)
        for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic eDp5"})
    ]

    assert [response.status_code for response in responses] == [200, 200, 200]
