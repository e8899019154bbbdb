from __future__ import annotations

from typing import Any

import msgspec
import pytest

from supportapi.answers.agent import AgentAnswer, agent_answer
from supportapi.answers.agents import agents_answer
from supportapi.answers.metrics import metrics_answer
from supportapi.answers.query import AgentQuery, AgentsQuery, MetricsQuery
from supportapi.errors import NotFound
from tests.answers.few_calls import TRUTH, aggregates_of, call

CALLS = (
    call("2026-01-01T08:00", agent_id="ann", agent_name="Ann Old", region="North", channel="phone", rating=5),
    call("2026-01-02T08:10", agent_id="ann", agent_name="Ann New", region="South", channel="phone", rating=2,
         answered=True, wait_seconds=4.0, duration_seconds=60.0, resolved=True),
    call("2026-01-02T09:20", agent_id="ann", agent_name="Ann New", region="South", channel="chat",
         duration_seconds=90.0),
    call("2026-01-02T10:00", agent_id="bob", agent_name="Bob", region="South", rating=4, duration_seconds=30.0),
    call("2026-01-02T11:00", region="South", answered=False, wait_seconds=50.0),
)  # fmt: skip
AGGREGATES = aggregates_of(*CALLS, zones=("UTC", "Asia/Kolkata"))


def answer(agent_id: str = "ann", **asked: Any) -> AgentAnswer:
    query = msgspec.convert({"from": "2026-01-02", "to": "2026-01-03", **asked}, AgentQuery)
    return agent_answer(AGGREGATES, agent_id, query, TRUTH)


def card(found: AgentAnswer, key: str) -> Any:
    return next(kpi for kpi in found.data.kpis if kpi.key == key)


def standing(found: AgentAnswer, key: str) -> Any:
    return next(one for one in found.data.standings if one.key == key)


def test_cards_hold_the_agents_own_numbers_beside_those_of_the_window_before() -> None:
    calls, rating = card(answer(), "calls"), card(answer(), "average_rating")

    assert (calls.value, calls.previous, calls.delta.absolute, calls.sparkline) == (2, 1, 1, [2])
    assert (rating.value, rating.previous) == (2.0, 5.0)


def test_what_means_nothing_for_one_agent_is_unavailable_with_the_reason() -> None:
    lost = card(answer(), "abandonment_rate")

    assert (lost.available, lost.value, lost.reason, lost.columns) == (False, None, "no_agent_before_answer", None)


def test_series_and_breakdowns_add_up_to_the_card() -> None:
    found = answer(range=None, grain="hour")
    calls = next(one for one in found.data.series if one.key == "calls")

    assert sum(point.value or 0 for point in calls.points) == 2
    assert {part.dimension: sum(row.calls for row in part.rows) for part in found.data.breakdowns} == {
        "region": 2, "issue_type": 2, "channel": 2, "rating": 2,
    }  # fmt: skip


def test_no_series_or_breakdown_tells_what_means_nothing_for_one_agent() -> None:
    found = answer().data

    assert {one.key for one in found.series} == {"calls", "average_duration", "resolution_rate", "csat"}
    assert found.breakdowns[0].rows[0].answer_rate is msgspec.UNSET


@pytest.mark.parametrize(("zone", "hours"), [("UTC", [8, 9]), ("Asia/Kolkata", [13, 14])])
def test_the_heat_map_is_on_the_clock_of_the_reporting_zone(zone: str, hours: list[int]) -> None:
    friday = answer(timezone=zone).data.heatmap.values[4]

    assert [hour for hour, calls in enumerate(friday) if calls] == hours


def test_an_agent_stands_among_all_agents_of_the_window() -> None:
    found = answer()

    assert (standing(found, "average_rating").rank, standing(found, "average_rating").ranked) == (2, 2)
    assert standing(found, "average_rating").percentile == 25.0
    assert (standing(found, "average_duration").value, standing(found, "average_duration").rank) == (75.0, 2)
    assert standing(found, "csat").badge_reason == "small_sample"
    assert standing(found, "duration_p50").value == pytest.approx(75.0, rel=0.01)


def test_filters_limit_the_agent_and_the_others_alike() -> None:
    found = answer(channel=["phone"])

    assert card(found, "calls").value == 1
    assert standing(found, "calls").ranked == 1


def test_every_name_of_an_agent_is_told_and_the_newest_is_theirs() -> None:
    assert (answer().data.agent_name, answer().data.names) == ("Ann New", ("Ann Old", "Ann New"))
    assert answer("bob").data.names == ("Bob",)


def test_an_agent_without_calls_in_the_window_is_not_ranked() -> None:
    found = answer("bob", **{"from": "2026-01-01", "to": "2026-01-02"})

    assert card(found, "calls").value == 0
    assert (standing(found, "calls").rank, standing(found, "calls").ranked) == (None, 1)


@pytest.mark.parametrize("agent_id", ["nobody", "null", ""])
def test_who_never_took_a_call_is_not_found(agent_id: str) -> None:
    with pytest.raises(NotFound, match="No call"):
        answer(agent_id)


def test_the_cards_are_those_of_the_dashboard_for_that_agent() -> None:
    dashboard: Any = metrics_answer(AGGREGATES, MetricsQuery(range="all", agent_id=("ann",)), TRUTH)
    own = agent_answer(AGGREGATES, "ann", AgentQuery(range="all"), TRUTH).data.kpis

    available = {kpi.key for kpi in own if kpi.available}
    assert [kpi for kpi in own if kpi.available] == [kpi for kpi in dashboard.data.kpis if kpi.key in available]


def test_an_agent_of_one_region_stands_where_the_board_says() -> None:
    query = AgentsQuery(range="all", region=("South",), sort="-average_rating")
    board = {row.agent_id: row.rank for row in agents_answer(AGGREGATES, query, TRUTH).data.rows}

    found = agent_answer(AGGREGATES, "ann", AgentQuery(range="all", region=("South",)), TRUTH)

    assert board == {"bob": 1, "ann": 2}
    assert standing(found, "average_rating").rank == board["ann"]
