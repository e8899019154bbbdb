from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.snapshots import keys
from tests.api.world import settle, some_calls

if TYPE_CHECKING:
    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio


async def test_a_page_is_the_newest_calls_first(api: Api) -> None:
    body = (await api.get("/api/calls?per_page=2")).json()

    assert [row["call_id"] for row in body["data"]] == ["c-019-c", "c-019-b"]
    assert (body["meta"]["page"], body["meta"]["per_page"], body["meta"]["total"]) == (1, 2, 60)
    assert body["links"]["next"] == "/api/calls?page=2&per_page=2&range=30d"
    assert (body["links"]["prev"], body["links"]["last"]) == (None, "/api/calls?page=30&per_page=2&range=30d")


async def test_links_lead_through_every_call_once(api: Api) -> None:
    seen: list[str] = []
    link: str | None = "/api/calls?per_page=7&sort=duration"
    while link:
        body = (await api.get(link)).json()
        seen += [row["call_id"] for row in body["data"]]
        link = body["links"]["next"]

    assert len(seen) == len(set(seen)) == 60


async def test_a_row_has_what_follows_from_it(api: Api) -> None:
    body = (await api.get("/api/calls/c-000-b?timezone=Europe/Berlin")).json()

    call = body["data"]["call"]
    assert call["duration_label"] == "1:01:40"
    assert call["started_at"] == "2026-01-05T10:00:00Z"
    assert call["started_at_local"] == "2026-01-05T11:00:00+01:00"
    assert call["service_level_met"] is False
    agent = body["data"]["agent"]
    assert (agent["agent_id"], agent["calls"], agent["average_duration"]) == ("ben", 20, 3_700.0)
    assert (agent["csat"], agent["resolution_rate"]) == (None, 0.0)


async def test_a_call_that_nobody_took_has_no_agent(api: Api) -> None:
    body = (await api.get("/api/calls/c-000-c")).json()

    assert body["data"]["agent"] is None
    assert (body["data"]["call"]["region"], body["data"]["call"]["duration_label"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("region=north", 20),
        ("region=null", 20),
        ("region=north,null", 40),
        ("agent_id=anna&channel=phone", 20),
        ("answered=true", 40),
        ("answered=false", 20),
        ("answered=null", 0),
        ("answered=true,false", 60),
        ("resolved=null", 20),
        ("rating=5", 20),
        ("rating=null", 40),
        ("min_duration=110&max_duration=119", 10),
        ("q=ANN", 20),
        ("q=c-003", 3),
        ("customer_id=customer-a,customer-b", 40),
        ("from=2026-01-05&to=2026-01-06", 3),
        ("range=7d", 21),
    ],
)
async def test_filters_count_what_they_leave(api: Api, query: str, total: int) -> None:
    body = (await api.get(f"/api/calls?{query}&per_page=200")).json()

    assert body["meta"]["total"] == len(body["data"]) == total


async def test_a_page_beyond_the_last_is_empty_and_leads_back(api: Api) -> None:
    body = (await api.get("/api/calls?page=99")).json()

    assert body["data"] == []
    assert body["links"]["prev"] == "/api/calls?page=2&range=30d"


@pytest.mark.parametrize("query", ["per_page=201", "page=0", "sort=region", "q=", "min_duration=9&max_duration=1"])
async def test_what_does_not_fit_is_refused(api: Api, query: str) -> None:
    assert (await api.get(f"/api/calls?{query}")).status_code == 422


async def test_an_unchanged_page_gets_304(api: Api) -> None:
    etag = (await api.get("/api/calls?sort=rating&per_page=5")).headers["etag"]

    assert (await api.get("/api/calls?per_page=5&sort=rating", if_none_match=etag)).status_code == 304


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("rating,-duration", ["c-019-a", "c-018-a"]),
        ("agent,duration", ["c-000-a", "c-001-a"]),
        ("-wait,started_at", ["c-000-b", "c-001-b"]),
    ],
)
async def test_calls_are_sorted_by_several_columns(api: Api, sort: str, expected: list[str]) -> None:
    body = (await api.get(f"/api/calls?sort={sort}&per_page=2")).json()

    assert [row["call_id"] for row in body["data"]] == expected


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sort=-durations", "'-durations' is not a column to sort by; did you mean '-duration'?"),
        ("sort=wait,-wait", "'wait' is named twice."),
        ("fields=regio", "did you mean 'region'?"),
        ("cursor=nonsense", "This is no cursor of this list"),
    ],
)
async def test_a_refusal_says_what_would_do(api: Api, query: str, told: str) -> None:
    answer = await api.get(f"/api/calls?{query}")

    assert answer.status_code == 422
    assert told in answer.json()["error"]["message"]


async def test_fields_are_those_that_are_named_and_the_id(api: Api) -> None:
    body = (await api.get("/api/calls?fields=region,service_level_met&per_page=1&agent_id=ben")).json()

    assert body["data"] == [{"call_id": "c-019-b", "region": "south", "service_level_met": False}]


async def test_a_text_that_no_index_holds_is_looked_for_all_the_same(api: Api) -> None:
    body = (await api.get("/api/calls?q=a%0Ab&fields=region")).json()

    assert (body["data"], body["meta"]["total"]) == ([], 0)


async def test_the_link_header_says_what_the_links_say(api: Api) -> None:
    answer = await api.get("/api/calls?per_page=50")

    links = answer.json()["links"]
    assert answer.links == {rel: {"url": links[rel], "rel": rel} for rel in ("first", "next", "last")}


async def read_on(api: Api, link: str) -> tuple[list[str], str | None]:
    body = (await api.get(link)).json()
    return [row["call_id"] for row in body["data"]], body["links"]["cursor"]


async def test_a_cursor_reads_one_version_to_its_end_whatever_is_published_meanwhile(api: Api, world: World) -> None:
    seen, link = await read_on(api, "/api/calls?per_page=7&sort=-rating&range=all")
    follower = api.doors.follower

    for days in (19, 25):
        world.write(some_calls(days))
        version = world.publish()
        await settle(lambda: follower.current.snapshot.card.version == version)  # noqa: B023 - awaited at once
        more, link = await read_on(api, str(link))
        seen += more
    while link:
        more, link = await read_on(api, link)
        seen += more

    assert len(seen) == len(set(seen)) == 60
    assert (await api.get("/api/calls?range=all")).json()["meta"]["total"] == 75


async def test_a_cursor_goes_back_and_to_the_end_of_its_version(api: Api, world: World) -> None:
    begun, link = await read_on(api, "/api/calls?per_page=25&range=all")
    world.write(some_calls(25))
    version = world.publish()
    await settle(lambda: api.doors.follower.current.snapshot.card.version == version)

    second = (await api.get(str(link))).json()
    back = (await api.get(second["links"]["prev"])).json()
    end = (await api.get(second["links"]["last"])).json()

    assert [row["call_id"] for row in back["data"]] == begun
    assert (back["links"]["prev"], back["meta"]["page"]) == (None, 1)
    assert (len(end["data"]), end["meta"]["page"], end["meta"]["total"]) == (10, 3, 60)
    assert (end["links"]["next"], end["links"]["first"]) == (None, "/api/calls?per_page=25&range=all")


async def test_a_cursor_of_a_version_that_is_gone_says_where_to_begin_again(api: Api, world: World) -> None:
    _, link = await read_on(api, "/api/calls?per_page=7&region=north")
    name = api.doors.follower.current.snapshot.card.version
    world.write(some_calls(5))
    version = world.publish()
    await settle(lambda: api.doors.follower.current.snapshot.card.version == version)
    world.redis.zrem(keys.HISTORY, name)

    answer = await api.get(str(link))

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (410, "CURSOR_EXPIRED")
    assert error["details"][0]["links"]["first"] == "/api/calls?per_page=7&range=30d&region=north"


@pytest.mark.parametrize("changed", ["&region=south", "&sort=rating", "x", "&page=2"])
async def test_a_cursor_is_bound_to_its_list(api: Api, changed: str) -> None:
    _, link = await read_on(api, "/api/calls?per_page=7")
    words = str(link).replace("cursor=", f"cursor={changed}") if changed == "x" else f"{link}{changed}"

    assert (await api.get(words)).status_code == 422


async def test_a_cursor_may_show_more_or_fewer_calls_and_fields_at_once(api: Api) -> None:
    _, link = await read_on(api, "/api/calls?per_page=7")

    body = (await api.get(str(link).replace("per_page=7", "per_page=2&fields=region"))).json()

    assert body["data"] == [{"call_id": "c-017-b", "region": "south"}, {"call_id": "c-017-a", "region": "north"}]
