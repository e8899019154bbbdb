from __future__ import annotations

import asyncio
import gzip
import threading
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.api.world import settle, some_calls

if TYPE_CHECKING:
    import httpx

    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio

FIVE: dict[str, dict[str, Any]] = {
    "volume": {"kind": "metrics", "range": "7d", "grain": "week", "region": ["south", "north"]},
    "board": {"kind": "agents", "sort": "-csat", "per_page": 2, "min_calls": 1},
    "choices": {"kind": "options", "timezone": "Europe/Berlin"},
    "meaning": {"kind": "catalogue"},
    "rows": {"kind": "calls", "rating": ["5", "null"], "min_duration": 3.5, "page": 2, "per_page": 3},
}
ALONE = {
    "volume": "/api/metrics?grain=week&range=7d&region=north,south",
    "board": "/api/agents?sort=-csat&per_page=2&min_calls=1",
    "choices": "/api/filters/options?timezone=Europe/Berlin",
    "meaning": "/api/metrics/catalogue",
    "rows": "/api/calls?rating=5,null&min_duration=3.5&page=2&per_page=3",
}


SEVENTEEN = '{"queries": {' + ", ".join(f'"q{n}": {{"kind": "catalogue"}}' for n in range(17)) + "}}"


async def ask(api: Api, queries: Any, **headers: str) -> httpx.Response:
    given = api.bearer() | {"accept-encoding": "identity"} | headers
    return await api.client.post("/api/query", json={"queries": queries}, headers=given)


def parts_of(response: httpx.Response) -> dict[str, bytes]:
    """The bytes of each part, as they came."""
    data = msgspec.json.decode(response.content, type=dict[str, msgspec.Raw])["data"]
    return {name: bytes(part) for name, part in msgspec.json.decode(data, type=dict[str, msgspec.Raw]).items()}


@pytest.mark.parametrize("name", ALONE)
async def test_a_part_is_byte_for_byte_the_body_that_its_own_route_answers_with(api: Api, name: str) -> None:
    alone = await api.get(ALONE[name])

    bundle = await ask(api, FIVE)

    assert alone.status_code == 200
    assert parts_of(bundle)[name] == alone.content


async def test_parts_come_in_the_order_of_the_queries_with_one_version_for_all(api: Api) -> None:
    response = await ask(api, FIVE)

    body = response.json()
    assert list(body["data"]) == list(FIVE)
    assert {part["meta"]["version"] for part in body["data"].values()} == {body["meta"]["version"]}
    assert set(body["meta"]) == {"version", "dataset_hash", "as_of", "built_at", "stale", "stale_reason"}


async def test_prepared_bytes_are_sent_as_they_are(api: Api) -> None:
    response = await ask(api, {"month": {"kind": "metrics"}, "meaning": {"kind": "catalogue"}})

    assert [part["meta"]["source"] for part in response.json()["data"].values()] == ["prepared", "prepared"]
    assert api.log()[-1].source == "prepared"


async def test_a_question_that_a_bundle_answered_is_hot_for_its_own_route(api: Api) -> None:
    await ask(api, {"volume": FIVE["volume"]})

    alone = await api.get("/api/metrics?grain=week&range=7d&region=north&region=south")

    hot = api.doors.follower.current.hot
    assert hot.find(("", "/api/metrics", b"grain=week&range=7d&region=north&region=south")).body == alone.content


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({"kind": "metrics", "grian": "day"}, "queries.odd.grian", "did you mean 'grain'?"),
        ({"kind": "metrics", "grain": "decade"}, "queries.odd.grain", "there are: hour, day, week, month."),
        ({"kind": "metrics", "from": "soon"}, "queries.odd.from", "YYYY-MM-DD"),
        ({"kind": "metrics", "from": "2026-01-09", "to": "2026-01-08"}, "queries.odd.from", "must be before"),
        ({"kind": "metrics", "range": "7d", "to": "2026-01-08"}, "queries.odd.range", "not both"),
        ({"kind": "metrics", "region": "north"}, "queries.odd.region", "Expected array, got str"),
        ({"kind": "agents", "page": "2"}, "queries.odd.page", "Expected int, got str"),
        ({"kind": "agents", "per_page": 201}, "queries.odd.per_page", "<= 200"),
        ({"kind": "calls", "min_duration": 9, "max_duration": 8}, "queries.odd.min_duration", "is above"),
        ({"kind": "options", "timezone": "Mars/Base"}, "queries.odd.timezone", "there are: UTC, Europe/Berlin."),
        ({"kind": "metrix"}, "queries.odd.kind", "did you mean 'metrics'?"),
        ({"kind": ["metrics"]}, "queries.odd.kind", "is not a kind of query"),
        ({"range": "7d"}, "queries.odd.kind", "'kind' is missing; there are: metrics, agents"),
        ("metrics", "queries.odd", "must be a JSON object"),
    ],
)
async def test_an_error_stays_in_its_part(api: Api, query: Any, field: str, words: str) -> None:
    response = await ask(api, {"odd": query, "meaning": {"kind": "catalogue"}})

    parts = response.json()["data"]
    error = parts["odd"]["error"]
    assert response.status_code == 200
    assert (error["code"], error["details"][0]["field"]) == ("VALIDATION_ERROR", field)
    assert words in error["details"][0]["message"]
    assert error["request_id"] == response.headers["x-request-id"]
    assert "data" in parts["meaning"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ('{"queries": {}}', "queries", "holds 0 queries; send 1 to 16"),
        (SEVENTEEN, "queries", "holds 17"),
        ('{"queries": {"a": {"kind": "agents"}, "a": {"kind": "options"}}}', "a", "more than once"),
        ('{"queries": {"a": {"kind": "agents", "page": 1, "page": 2}}}', "page", "more than once"),
        ('{"queries": {"no dots.": {"kind": "agents"}}}', "queries", "cannot be the name of a query"),
        ('{"queries": [{"kind": "agents"}]}', "queries", "Expected object, got array"),
        ('{"querries": {"a": {"kind": "agents"}}}', "querries", "did you mean 'queries'?"),
        ('{"queries": {"a": ', None, "not JSON"),
        ('{"queries": {"a": {"kind": "agents", "page": ' + "9" * 5_000 + "}}}", None, "not JSON"),
    ],
)
async def test_a_bundle_that_is_malformed_as_a_whole_is_refused(
    api: Api, body: str, field: str | None, words: str
) -> None:
    headers = api.bearer() | {"content-type": "application/json"}

    response = await api.client.post("/api/query", content=body, headers=headers)

    details = response.json()["error"]["details"]
    assert response.status_code == 422
    assert field in {detail["field"] for detail in details}
    assert words in " ".join(detail["message"] for detail in details)


async def test_all_parts_are_of_one_version_when_another_is_published_between_them(api: Api, world: World) -> None:
    before = api.doors.follower.current.snapshot.card.version
    busy = threading.Event()
    blocked = [asyncio.ensure_future(api.doors.calls_desk.run(busy.wait)) for _ in range(2)]
    bundle = asyncio.ensure_future(ask(api, FIVE))
    await settle(lambda: api.doors.calls_desk.load == 3)

    world.write(some_calls(30))
    after = world.publish()
    await settle(lambda: api.doors.follower.current.snapshot.card.version == after)
    busy.set()
    body = (await bundle).json()

    await asyncio.gather(*blocked)
    assert {part["meta"]["version"] for part in body["data"].values()} == {before}
    assert body["meta"]["version"] == before != after
    assert body["data"]["rows"]["meta"]["as_of"] == body["data"]["volume"]["meta"]["as_of"]


async def test_parts_that_a_full_desk_refuses_leave_the_others_alone(api: Api) -> None:
    busy = threading.Event()
    blocked = [asyncio.ensure_future(api.doors.calls_desk.run(busy.wait)) for _ in range(256)]
    await settle(lambda: api.doors.calls_desk.load == 256)

    body = (await ask(api, FIVE)).json()

    busy.set()
    await asyncio.gather(*blocked)
    assert body["data"]["rows"]["error"]["code"] == "OVERLOADED"
    assert "data" in body["data"]["volume"]


async def test_a_bundle_is_compressed_for_who_takes_it(api: Api) -> None:
    plain = await ask(api, FIVE)

    packed = await ask(api, FIVE, **{"accept-encoding": "gzip"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(gzip.compress(plain.content, 0)) // 2
    assert packed.headers["vary"] == "Accept-Encoding, Origin"


async def test_a_bundle_needs_a_principal_and_is_never_kept_by_anybody(api: Api) -> None:
    nobody = await api.client.post("/api/query", json={"queries": FIVE})
    somebody = await ask(api, FIVE)

    assert nobody.status_code == 401
    assert somebody.headers["cache-control"] == "no-store"
