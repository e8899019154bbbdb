from __future__ import annotations

from typing import Any

from supportapi.answers.agents import AgentsAnswer, agents_answer
from supportapi.answers.query import AgentsQuery
from tests.answers.few_calls import TRUTH, aggregates_of, call

CALLS = (
    *(
        call(f"2026-01-01T08:{minute:02}", agent_id="a1", agent_name="Ada", region="North", resolved=minute < 20)
        for minute in range(25)
    ),
    call("2026-01-02T08:00", agent_id="a2", agent_name="Bo", region="North", resolved=True),
    call("2026-01-02T09:00", agent_id="a2", agent_name="Bo", region="South", resolved=False),
    call("2026-01-02T10:00", region="South"),
)


def board(**asked: Any) -> AgentsAnswer:
    return agents_answer(aggregates_of(*CALLS), AgentsQuery(range="all", **asked), TRUTH)


def test_there_is_a_row_for_each_agent_and_region() -> None:
    assert [(row.agent_name, row.region, row.calls) for row in board().data.rows] == [
        ("Ada", "North", 25),
        ("Bo", "North", 1),
        ("Bo", "South", 1),
    ]


def test_calls_that_nobody_is_known_to_have_taken_are_counted_and_not_ranked() -> None:
    assert board().data.unassigned_calls == 1


def test_many_resolved_calls_lead_over_a_single_one() -> None:
    rows = board(sort="-resolution_rate").data.rows

    assert [(row.agent_name, row.resolution_rate, row.rank) for row in rows[:2]] == [("Ada", 80.0, 1), ("Bo", 100.0, 2)]


def test_a_badge_needs_calls() -> None:
    rows = board().data.rows

    assert [(row.badge, row.badge_reason) for row in rows] == [
        ("strong", None),
        (None, "small_sample"),
        (None, "small_sample"),
    ]


def test_pages_part_the_board() -> None:
    second = board(page=2, per_page=2)

    assert [row.region for row in second.data.rows] == ["South"]
    assert second.meta.total == 3


def test_sparklines_add_up_to_the_calls() -> None:
    assert [sum(row.sparkline) for row in board().data.rows] == [25, 1, 1]


def test_what_the_dataset_lacks_is_told_and_null() -> None:
    found = board().data

    assert found.unavailable["csat"] == "column_absent"
    assert found.rows[0].csat is None


def test_names_sort_in_both_directions() -> None:
    assert [row.agent_name for row in board(sort="-agent_name").data.rows] == ["Bo", "Bo", "Ada"]
