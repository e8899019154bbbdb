from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from supportapi.answers.metrics import metrics_answer
from supportapi.answers.prepared import prepare
from supportapi.answers.query import MetricsQuery
from supportapi.errors import ValidationFailed
from tests.answers.few_calls import TRUTH, aggregates_of, call

CALLS = (
    call("2026-01-01T08:00", region="North", answered=True, wait_seconds=10.0, duration_seconds=60.0, rating=5),
    call("2026-01-01T09:00", region="North", answered=False, wait_seconds=90.0),
    call("2026-01-02T08:00", region="South", answered=True, wait_seconds=30.0, duration_seconds=120.0, rating=2),
    call("2026-01-03T08:00", region=None, answered=True, wait_seconds=20.0, duration_seconds=180.0),
)


def answer(**asked: object) -> Any:
    return metrics_answer(aggregates_of(*CALLS), msgspec.convert(asked, MetricsQuery), TRUTH)


def card(found: Any, key: str) -> tuple[object, object]:
    kpi = next(kpi for kpi in found.data.kpis if kpi.key == key)
    return kpi.value, kpi.previous


def test_a_card_holds_the_window_and_the_one_before() -> None:
    found = answer(**{"from": "2026-01-02", "to": "2026-01-03"})

    assert card(found, "calls") == (1, 2)
    assert card(found, "answer_rate") == (100.0, 50.0)
    assert card(found, "average_speed_of_answer") == (30.0, 10.0)


def test_a_column_that_the_dataset_lacks_makes_its_metrics_unavailable_and_not_zero() -> None:
    kpi = next(kpi for kpi in answer(range="all").data.kpis if kpi.key == "resolution_rate")

    assert (kpi.available, kpi.value, kpi.reason, kpi.columns) == (False, None, "column_absent", ("resolved",))


def test_a_ratio_of_nothing_is_null() -> None:
    found = answer(**{"from": "2026-02-01", "to": "2026-02-02"})

    assert card(found, "calls") == (0, None)
    assert card(found, "answer_rate") == (None, None)


def test_every_bucket_is_there_and_the_series_adds_up_to_the_card() -> None:
    found = answer(**{"from": "2025-12-31", "to": "2026-01-05"})
    points = found.data.series[0].points

    assert [point.value for point in points] == [0, 2, 1, 1, 0]
    assert points[0].start == datetime(2025, 12, 31, tzinfo=UTC)
    assert sum(point.value or 0 for point in points) == card(found, "calls")[0]


def test_breakdowns_keep_the_unknown_and_those_who_are_gone() -> None:
    found = answer(**{"from": "2026-01-03", "to": "2026-01-05"})
    rows = {row.key: row for row in found.data.breakdowns[0].rows}

    assert {key: row.calls for key, row in rows.items()} == {"null": 1, "North": 0, "South": 0}
    assert rows["null"].label == "Unknown"
    assert rows["North"].delta is not None
    assert rows["North"].delta.absolute == -2


def test_breakdown_by_rating_counts_the_unrated_apart() -> None:
    found = answer(range="all").data.breakdowns[-1]

    assert [(row.key, row.calls) for row in found.rows] == [("5", 1), ("2", 1), ("null", 2)]


def test_days_without_data_are_named() -> None:
    coverage = answer(**{"from": "2025-12-30", "to": "2026-01-02"}).meta.coverage

    assert not coverage.complete
    assert [(part.from_, part.to) for part in coverage.missing] == [(date(2025, 12, 30), date(2026, 1, 1))]


def test_a_member_that_does_not_exist_leaves_nothing() -> None:
    assert card(answer(range="all", region=["Atlantis"]), "calls") == (0, None)


def test_too_many_buckets_are_refused() -> None:
    with pytest.raises(ValidationFailed, match="coarser"):
        answer(**{"from": "2020-01-01", "to": "2026-01-01", "grain": "hour"})


def test_nothing_at_all_is_answered_too() -> None:
    found = metrics_answer(aggregates_of(), MetricsQuery(range="all"), TRUTH)

    assert card(found, "calls") == (0, None)
    assert found.meta.coverage.data is None


def test_prepared_answers_say_so_and_are_equal_bytes_each_time() -> None:
    aggregates = aggregates_of(*CALLS)
    prepared = prepare(aggregates, TRUTH)

    assert prepared == prepare(aggregates, TRUTH)
    assert {msgspec.json.decode(one.body)["meta"]["source"] for one in prepared} == {"prepared"}
    assert ("/api/metrics", "range=30d") in {(one.path, one.query) for one in prepared}


@pytest.mark.parametrize("key", ["longest_wait", "wait_p50", "duration_p99", "calls", "csat"])
def test_a_card_of_every_kind_has_a_sparkline_with_a_point_for_each_step(key: str) -> None:
    found = answer(**{"from": "2026-01-01", "to": "2026-01-04"})

    kpi = next(kpi for kpi in found.data.kpis if kpi.key == key)

    assert kpi.sparkline is not None
    assert len(kpi.sparkline) == 3


def test_the_longest_waits_of_the_steps_are_exact_and_medians_within_a_hundredth() -> None:
    found = answer(**{"from": "2025-12-31", "to": "2026-01-04"})
    lines = {kpi.key: kpi.sparkline for kpi in found.data.kpis}

    assert lines["longest_wait"] == [None, 90.0, 30.0, 20.0]
    assert lines["wait_p50"] == [
        None,
        pytest.approx(50.0, rel=0.01),
        pytest.approx(30.0, rel=0.01),
        pytest.approx(20.0, rel=0.01),
    ]


def test_a_metric_that_is_not_available_has_no_sparkline() -> None:
    kpi = next(kpi for kpi in answer(range="all").data.kpis if kpi.key == "resolution_rate")

    assert kpi.sparkline is None
