"""A member that is called null stands beside calls of whom nobody knows the member."""

from __future__ import annotations

from typing import Any

import pytest

from supportapi.answers.agents import agents_answer
from supportapi.answers.metrics import metrics_answer
from supportapi.answers.options import options_answer
from supportapi.answers.query import AgentsQuery, MetricsQuery, OptionsQuery
from supportapi.answers.query_string import canonical, decode
from tests.answers.few_calls import TRUTH, aggregates_of, call

AGGREGATES = aggregates_of(
    *(call(f"2026-01-01T08:{minute:02}", region="null", agent_id="null", agent_name="Ann Null") for minute in range(3)),
    *(call(f"2026-01-01T09:{minute:02}") for minute in range(2)),
    call("2026-01-01T10:00", region="North", agent_id="bo", agent_name="Bo"),
)


def test_a_breakdown_has_a_row_for_each_of_them() -> None:
    found: Any = metrics_answer(AGGREGATES, MetricsQuery(range="all"), TRUTH)

    rows = found.data.breakdowns[0].rows

    assert [(row.key, row.label, row.calls) for row in rows] == [
        (r"\null", "null", 3),
        ("null", "Unknown", 2),
        ("North", "North", 1),
    ]


@pytest.mark.parametrize(("key", "calls"), [("null", 2), (r"\null", 3), ("North", 1)])
def test_each_option_filters_what_it_counts(key: str, calls: int) -> None:
    options = options_answer(AGGREGATES, OptionsQuery(), TRUTH).data
    asked = decode(canonical(MetricsQuery(range="all", region=(key,))).encode(), MetricsQuery)

    filtered: Any = metrics_answer(AGGREGATES, asked, TRUTH).data

    assert {option.value: option.calls for option in options.regions}[key] == calls
    assert filtered.kpis[0].value == calls


def test_an_agent_called_null_is_on_the_board_and_calls_of_nobody_are_counted_beside_it() -> None:
    board = agents_answer(AGGREGATES, AgentsQuery(range="all"), TRUTH).data

    assert [(row.agent_id, row.agent_name, row.region, row.calls) for row in board.rows] == [
        (r"\null", "Ann Null", r"\null", 3),
        ("bo", "Bo", "North", 1),
    ]
    assert board.unassigned_calls == 2
