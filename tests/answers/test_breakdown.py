from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from supportapi.answers.metrics import metrics_answer
from supportapi.answers.query import MetricsQuery
from supportapi.errors import ValidationFailed
from tests.answers.few_calls import TRUTH, aggregates_of, call

CALLS = (
    *(call("2026-01-02T08:00", region="other", answered=True, wait_seconds=10.0, rating=5) for _ in range(4)),
    *(call("2026-01-02T09:00", region="North", answered=True, wait_seconds=50.0, rating=1) for _ in range(3)),
    *(call("2026-01-02T10:00", region="South", answered=False, wait_seconds=4.0) for _ in range(2)),
    call("2026-01-02T11:00", region="East", answered=False, wait_seconds=30.0),
    *(call("2026-01-01T08:00", region="North", answered=True, wait_seconds=10.0, rating=5) for _ in range(2)),
    call("2026-01-01T08:00", region="South", answered=True, wait_seconds=90.0, rating=5),
)


def answer(**asked: Any) -> Any:
    query = msgspec.convert({"from": "2026-01-02", "to": "2026-01-03", "include": ["breakdowns"]} | asked, MetricsQuery)
    return metrics_answer(aggregates_of(*CALLS), query, TRUTH)


def regions(**asked: Any) -> Any:
    return answer(by=["region"], **asked).data.breakdowns[0]


def test_the_rest_is_one_row_without_a_key_beside_a_member_that_is_called_other() -> None:
    found = regions(top=2)

    assert [(row.key, row.calls, row.share) for row in found.rows] == [("other", 4, 40.0), ("North", 3, 30.0)]
    assert (found.other.members, found.other.calls, found.other.share) == (2, 3, 30.0)
    assert (found.other.answer_rate, found.other.service_level) == (0.0, 0.0)
    assert not hasattr(found.other, "key")


def test_when_every_member_has_a_row_nothing_is_left() -> None:
    assert regions(top=4).other is None


@pytest.mark.parametrize(
    ("sort_by", "order"),
    [
        ("-calls", ["other", "North", "South", "East"]),
        ("calls", ["East", "South", "North", "other"]),
        ("-csat", ["other", "North", "South", "East"]),
        ("csat", ["North", "other", "South", "East"]),
        ("-calls_delta", ["other", "North", "South", "East"]),
        ("csat_delta", ["North", "other", "South", "East"]),
        ("average_speed_of_answer_delta", ["North", "other", "South", "East"]),
    ],
)
def test_rows_are_sorted_by_any_metric_or_its_move_and_unknown_values_come_last(sort_by: str, order: list[str]) -> None:
    assert [row.key for row in regions(sort_by=sort_by).rows] == order


def test_moves_sort_nothing_where_nothing_is_compared() -> None:
    with pytest.raises(ValidationFailed, match="compare=none"):
        regions(sort_by="calls_delta", compare="none")


def test_columns_show_their_moves_when_they_are_chosen() -> None:
    north = next(row for row in regions(metrics=["csat"]).rows if row.key == "North")

    assert (north.csat, north.deltas["csat"].absolute, north.deltas["csat"].good) == (0.0, -100.0, False)
    assert north.answer_rate is UNSET
    assert regions().rows[0].deltas is UNSET


def test_a_row_has_a_trend_that_adds_up_to_its_calls() -> None:
    found = regions(**{"from": "2026-01-01"}, top=1)

    assert [row.trend for row in found.rows] == [[2, 3]]
    assert found.other.trend == [1, 7]


def test_the_service_level_has_its_counts_in_every_row() -> None:
    south = next(row for row in regions().rows if row.key == "South")

    assert south.counts.items() >= {"answered_within": 0, "answered": 0, "unanswered": 2, "short_abandons": 2}.items()
    assert south.service_level is None


def test_ratings_go_down_from_five_and_have_other_metrics_only_when_they_are_named() -> None:
    plain = answer(by=["rating"]).data.breakdowns[0]
    named = answer(by=["rating"], metrics=["answer_rate"]).data.breakdowns[0]

    assert [(row.key, row.label, row.calls) for row in plain.rows] == [
        ("5", "5", 4),
        ("1", "1", 3),
        ("null", "Not rated", 3),
    ]
    assert plain.rows[0].answer_rate is UNSET
    assert [(row.key, row.answer_rate) for row in named.rows] == [("5", 100.0), ("1", 100.0), ("null", 0.0)]


def test_what_means_nothing_for_an_agent_is_unavailable_and_says_why() -> None:
    found = answer(by=["agent"]).data.breakdowns[0]

    assert found.dimension == "agent"
    assert found.unavailable["service_level"] == "no_agent_before_answer"
    assert found.unavailable["resolution_rate"] == "column_absent"
    assert [(row.key, row.label, row.service_level) for row in found.rows] == [("null", "Unknown", UNSET)]
