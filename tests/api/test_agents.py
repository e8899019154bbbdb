from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api.world import Api

pytestmark = pytest.mark.anyio


async def test_an_agent_is_answered_and_the_copy_holds_until_a_new_version(api: Api) -> None:
    first = await api.get("/api/agents/anna?range=7d")

    again = await api.get("/api/agents/anna?range=7d", if_none_match=first.headers["etag"])

    assert first.json()["data"]["agent_id"] == "anna"
    assert again.status_code == 304


async def test_two_agents_have_two_answers_to_the_same_question(api: Api) -> None:
    anna, ben = await api.get("/api/agents/anna?range=7d"), await api.get("/api/agents/ben?range=7d")

    assert anna.headers["etag"] != ben.headers["etag"]
    assert (anna.json()["data"]["agent_id"], ben.json()["data"]["agent_id"]) == ("anna", "ben")


@pytest.mark.parametrize("agent_id", ["nobody", "null"])
async def test_an_unknown_agent_is_not_found(api: Api, agent_id: str) -> None:
    found = await api.get(f"/api/agents/{agent_id}")

    assert (found.status_code, found.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_a_filter_by_agent_is_no_parameter_of_one_agent(api: Api) -> None:
    found = await api.get("/api/agents/anna?agent_id=ben")

    assert (found.status_code, found.json()["error"]["details"][0]["field"]) == (422, "agent_id")


async def test_a_metric_that_a_board_does_not_have_is_refused_with_those_that_it_has(api: Api) -> None:
    by, shown = await api.get("/api/agents?sort=-answer_rate"), await api.get("/api/agents?metrics=csat,answer_rate")

    assert "csat_delta" in by.json()["error"]["details"][0]["allowed"]
    assert (shown.status_code, shown.json()["error"]["details"][0]["field"]) == (422, "metrics")


async def test_a_board_tells_the_metrics_that_were_chosen(api: Api) -> None:
    rows = (await api.get("/api/agents?metrics=csat,duration_p50&sort=-csat_delta")).json()["data"]["rows"]

    assert {"csat", "duration_p50"} <= set(rows[0])
    assert "resolution_rate" not in rows[0]
