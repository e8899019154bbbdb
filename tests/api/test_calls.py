from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api.world import Api

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
