from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from supportapi.api.trace import RequestIds
from supportapi.processes.redis_server import embedded_redis
from tests.api.world import ORIGIN, Api, World, serving, settle, some_calls

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

METRICS = "/api/metrics?range=30d"
NEVER_ASKED = "/api/metrics?from=2026-01-06&to=2026-01-09&region=north"


def test_a_valid_request_id_is_kept_and_any_other_replaced() -> None:
    ids = RequestIds()

    assert ids.take(b"abc-123") == b"abc-123"
    assert ids.take(b"") != b""
    assert ids.take(b"a b") != b"a b"
    assert ids.take(b"x" * 129) != b"x" * 129
    assert ids.take(None) != ids.take(None)


@pytest.mark.parametrize("path", ["/api/healthz", "/nothing", METRICS, "/api/auth/me", "/docs"])
async def test_every_response_carries_the_request_id(api: Api, path: str) -> None:
    response = await api.client.get(path, headers={"x-request-id": "mine-7"})

    assert response.headers["x-request-id"] == "mine-7"


async def test_a_prepared_answer_says_so_and_is_hot(api: Api) -> None:
    first, second = await api.get(METRICS), await api.get(METRICS)

    assert first.json()["meta"]["source"] == "prepared"
    assert first.content == second.content
    assert 'memory="hot"' in (await api.get("/metrics")).text


async def test_a_hot_answer_equals_the_cold_one_byte_for_byte(api: Api) -> None:
    cold = await api.get(NEVER_ASKED)
    hot = await api.get(NEVER_ASKED)

    assert hot.content == cold.content
    same = {"content-type", "content-length", "etag", "cache-control", "vary", "x-content-type-options"}
    assert {name: hot.headers[name] for name in same} == {name: cold.headers[name] for name in same}
    assert cold.json()["meta"]["source"] != "prepared"


async def test_the_order_and_spelling_of_parameters_change_nothing(api: Api) -> None:
    one = await api.get("/api/metrics?region=north&region=south&grain=week&range=7d")
    other = await api.get("/api/metrics?range=7d&grain=week&region=south,north")

    assert one.headers["etag"] == other.headers["etag"]
    assert one.content == other.content


async def test_the_same_question_gets_304(api: Api) -> None:
    etag = (await api.get(METRICS)).headers["etag"]

    unchanged = await api.get(METRICS, if_none_match=etag)
    listed = await api.get(METRICS, if_none_match=f'"other", W/{etag}')
    changed = await api.get(METRICS, if_none_match='"other"')

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == etag
    assert listed.status_code == 304
    assert changed.status_code == 200


async def test_a_cold_answer_gets_304_as_well(api: Api) -> None:
    etag = (await api.get(NEVER_ASKED)).headers["etag"]

    respelled = await api.get("/api/metrics?region=north&to=2026-01-09&from=2026-01-06", if_none_match=etag)

    assert respelled.status_code == 304


async def test_gzip_has_an_etag_of_its_own_and_either_gets_304(api: Api) -> None:
    plain = await api.get(METRICS)
    zipped = await api.get(METRICS, accept_encoding="gzip")

    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.content == plain.content
    assert zipped.headers["etag"] == plain.headers["etag"][:-1] + '-gz"'
    assert "Accept-Encoding" in zipped.headers["vary"]
    assert (await api.get(METRICS, if_none_match=zipped.headers["etag"])).status_code == 304


async def test_gzip_that_is_refused_is_not_sent(api: Api) -> None:
    response = await api.get(METRICS, accept_encoding="gzip;q=0, br")

    assert "content-encoding" not in response.headers


async def test_equal_answers_are_compressed_to_equal_bytes() -> None:
    assert gzip.compress(b"a" * 900, 6, mtime=0) == gzip.compress(b"a" * 900, 6, mtime=0)


@pytest.mark.parametrize("path", [METRICS, NEVER_ASKED, "/api/healthz", "/nothing"])
async def test_head_is_get_without_its_body(api: Api, path: str) -> None:
    got = await api.get(path)
    head = await api.client.head(path, headers=api.bearer() | {"accept-encoding": "identity"})

    assert (head.status_code, head.content) == (got.status_code, b"")
    # The id of the request stands in the body of a failure, and may be longer by a digit.
    assert got.status_code == 404 or head.headers["content-length"] == got.headers["content-length"]


async def test_an_answer_of_one_token_is_not_open_to_no_token(api: Api) -> None:
    await api.get(METRICS)

    assert (await api.client.get(METRICS)).status_code == 401


@pytest.mark.parametrize("path", [METRICS, NEVER_ASKED, "/nothing", "/api/metrics?wrong=1", "/api/healthz"])
async def test_an_allowed_origin_is_let_in_with_credentials(api: Api, path: str) -> None:
    await api.get(path)

    response = await api.get(path, origin=ORIGIN)

    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize("path", [METRICS, "/nothing", "/api/healthz"])
async def test_a_foreign_origin_is_told_nothing(api: Api, path: str) -> None:
    response = await api.get(path, origin="http://localhost:3000.evil.example")

    assert not [name for name in response.headers if name.startswith("access-control")]
    assert "Origin" in response.headers["vary"]


async def test_a_preflight_needs_no_token(api: Api) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}

    allowed = await api.client.options("/api/settings/refresh", headers=asked)
    foreign = await api.client.options("/api/settings/refresh", headers=asked | {"origin": "http://evil.example"})

    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "access-control-allow-origin" not in foreign.headers


async def test_each_request_is_one_event_without_its_token(api: Api) -> None:
    await api.get(METRICS, x_request_id="r-1")
    await api.get(METRICS, x_request_id="r-2")
    await api.client.get("/nothing?a=b", headers={"x-request-id": "r-3"})

    events = {event.request_id: event for event in api.log()}
    assert [events[name].status for name in ("r-1", "r-2", "r-3")] == [200, 200, 404]
    assert (events["r-2"].route, events["r-2"].user, events["r-2"].source) == ("/api/metrics", "viewer", "prepared")
    assert (events["r-3"].route, events["r-3"].user, events["r-3"].query) == ("unknown", None, "a=b")
    assert events["r-1"].version == events["r-2"].version != ""


async def test_unknown_paths_share_one_series(api: Api) -> None:
    for number in range(20):
        await api.client.get(f"/nothing/{number}")

    text = (await api.get("/metrics")).text
    unknown = [line for line in text.splitlines() if "_count{" in line and 'route="unknown"' in line]
    assert [line.rpartition(" ")[2] for line in unknown] == ["20"]


async def test_redis_gone_keeps_answers_and_calls_them_stale(tmp_path: Path) -> None:
    with embedded_redis(tmp_path / "redis") as server:
        world = World(tmp_path, server.url)
        world.write(some_calls())
        world.publish()
        async with serving(world) as api:
            follower = api.doors.follower
            await settle(lambda: follower.current.snapshot is not None)
            fresh = await api.get(METRICS)
            assert server.process is not None
            server.process.kill()
            await settle(lambda: follower.current.stale_reason == "redis_unreachable")

            stale, ready = await api.get(METRICS), await api.client.get("/api/readyz")

            assert stale.status_code == 200
            assert stale.json()["meta"]["stale_reason"] == "redis_unreachable"
            assert stale.json()["data"] == fresh.json()["data"]
            assert stale.headers["etag"] != fresh.headers["etag"]
            assert (ready.status_code, ready.json()["data"]["status"]) == (200, "degraded")
