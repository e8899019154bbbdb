from __future__ import annotations

from typing import Any

from supportapi.answers.catalogue import catalogue_answer
from tests.answers.few_calls import TRUTH, aggregates_of, call

CATALOGUE: Any = catalogue_answer(
    aggregates_of(
        call("2026-01-01T08:00", region="North", agent_id="a", answered=True, rating=5),
        call("2026-01-01T09:00", region="South", answered=False),
    ),
    TRUTH,
).data


def test_a_metric_says_which_columns_it_lacks() -> None:
    metrics = {metric.key: metric for metric in CATALOGUE.metrics}

    assert (metrics["answer_rate"].available, metrics["answer_rate"].missing_columns) == (True, ())
    assert (metrics["service_level"].reason, metrics["service_level"].missing_columns) == (
        "column_absent",
        ("wait_seconds",),
    )


def test_the_choices_of_the_service_level_are_listed() -> None:
    level = CATALOGUE.service_level

    assert (level.thresholds, level.default_threshold) == ((10, 15, 20, 30, 60, 120), 20)
    assert [variant.key for variant in level.variants] == [
        "standard", "answered_only", "abandon_after_threshold", "all_offered",
    ]  # fmt: skip


def test_every_dimension_says_how_many_members_it_has_and_what_counts_them() -> None:
    assert [(each.key, each.filter, each.members, each.served_from) for each in CATALOGUE.dimensions] == [
        ("region", "region", 2, "rollup"),
        ("issue_type", "issue_type", 1, "rollup"),
        ("channel", "channel", 1, "rollup"),
        ("rating", None, 2, "rollup"),
        ("agent", "agent_id", 2, "rollup"),
    ]
