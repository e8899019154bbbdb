from __future__ import annotations

import numpy as np
import pytest

from supportapi.measures.tally import COUNTS, SUMS, THRESHOLDS_SECONDS, Tally
from supportapi.rollups.catalogue import METRICS, Metric, availability, metric_of, service_level

COUNTED = [metric for metric in METRICS if metric.needs == "tally"]


def tally(**known: int) -> Tally:
    counts = np.array([known.get(name, 0) for name in COUNTS], np.int64)
    return Tally(counts, np.array([known.get(name, 0) for name in SUMS], np.int64))


TEN_CALLS = tally(
    calls=10, answered=6, unanswered=3, short_abandons=1, within_20=3, beyond_20=2, within_10=2,
    wait_known=9, wait_answered_known=6, wait_unanswered_known=3, duration_known=4, rating_1=1, rating_4=1, rating_5=2,
    resolved=4, resolved_known=8, resolved_handled=3, resolved_known_handled=4,
    resolved_young=1, resolved_matured=2, resolved_without_repeat=1,
    wait_ms=90_000, wait_answered_ms=60_000, wait_unanswered_ms=30_000, duration_ms=500_000,
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("calls", 10),
        ("answered", 6),
        ("unanswered", 3),
        ("answer_rate", 600 / 9),
        ("abandonment_rate", 300 / 9),
        ("abandonment_rate_excl_short", 200 / 8),
        ("service_level", 300 / 8),
        ("average_speed_of_answer", 10.0),
        ("average_wait_unanswered", 10.0),
        ("average_duration", 125.0),
        ("total_talk_time", 500.0),
        ("resolved", 4),
        ("resolution_rate", 75.0),
        ("resolved_share_of_calls", 50.0),
        ("first_contact_resolution", 50.0),
        ("csat", 75.0),
        ("average_rating", 3.75),
        ("rated", 4),
        ("response_rate", 400 / 7),
        ("net_satisfaction", 50.0),
    ],
)
def test_a_metric_is_its_formula(key: str, value: float) -> None:
    assert float(metric_of(key).compute(TEN_CALLS)) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    ("variant", "value"),
    [("standard", 300 / 8), ("answered_only", 50.0), ("abandon_after_threshold", 300 / 8), ("all_offered", 300 / 9)],
)
def test_the_variants_of_the_service_level_differ_in_what_they_divide_by(variant: str, value: float) -> None:
    assert float(service_level(20, variant).compute(TEN_CALLS)) == pytest.approx(value)  # pyright: ignore[reportArgumentType]  parametrised


@pytest.mark.parametrize("seconds", THRESHOLDS_SECONDS)
def test_every_threshold_is_exact(seconds: int) -> None:
    counted = tally(calls=4, answered=4, **{f"within_{seconds}": 1})

    assert float(service_level(seconds).compute(counted)) == 25.0


def test_a_threshold_that_is_not_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="25"):
        service_level(25)


@pytest.mark.parametrize("metric", COUNTED, ids=lambda metric: metric.key)
def test_an_empty_group_has_counts_of_zero_and_unknown_ratios(metric: Metric) -> None:
    value = float(metric.compute(Tally.zeros()))

    assert np.isnan(value) if metric.denominator is not None else value == 0


@pytest.mark.parametrize("metric", COUNTED, ids=lambda metric: metric.key)
def test_a_metric_keeps_the_shape_of_its_tally(metric: Metric) -> None:
    assert metric.compute(Tally.zeros((2, 3))).shape == (2, 3)


def test_an_absent_column_makes_its_metrics_unavailable() -> None:
    assert availability(metric_of("csat"), {"answered"}) == "column_absent"
    assert availability(metric_of("csat"), {"rating"}) is None
    assert availability(metric_of("calls"), set()) is None


def test_resolved_calls_of_young_age_and_of_unknown_customers_are_left_out_and_counted() -> None:
    counts = metric_of("first_contact_resolution").counts

    assert {name: int(count(TEN_CALLS)) for name, count in counts.items()} == {
        "resolved_without_repeat": 1, "resolved_matured": 2, "resolved_young": 1, "resolved_for_unknown": 1,
    }  # fmt: skip


def test_what_needs_the_calls_that_nobody_took_says_nothing_of_an_agent() -> None:
    reasons = {metric.key for metric in METRICS if metric.agent_reason == "no_agent_before_answer"}

    assert {"abandonment_rate", "abandonment_rate_excl_short", "answer_rate", "unanswered", "service_level"} <= reasons


def test_the_metrics_are_those_of_the_definitions() -> None:
    assert {metric.key for metric in METRICS} == {
        "calls", "answered", "unanswered", "answer_rate", "abandonment_rate", "abandonment_rate_excl_short",
        "service_level", "average_speed_of_answer", "average_wait_unanswered", "longest_wait", "wait_p50", "wait_p90",
        "wait_p95", "wait_p99", "duration_p50", "duration_p90", "duration_p95", "duration_p99", "average_duration",
        "total_talk_time", "resolved", "resolution_rate", "resolved_share_of_calls",
        "first_contact_resolution", "csat", "average_rating", "rated",
        "response_rate", "net_satisfaction",
    }  # fmt: skip


def test_the_response_rate_exceeds_all_handled_calls_where_unanswered_ones_were_rated() -> None:
    rated_but_unanswered = tally(calls=3, unanswered=1, answered=2, rating_5=3)

    assert float(metric_of("response_rate").compute(rated_but_unanswered)) == 150.0


def test_a_metric_of_something_other_than_a_tally_says_so() -> None:
    with pytest.raises(ValueError, match="longest_wait"):
        metric_of("longest_wait").compute(TEN_CALLS)


def test_percentiles_say_where_they_come_from() -> None:
    metric = metric_of("duration_p95")

    assert (metric.needs, metric.of, metric.quantile, metric.adds) == ("histogram", "duration", 0.95, "sketch")
    assert metric.columns == ("duration_seconds",)


@pytest.mark.parametrize("metric", [metric for metric in METRICS if metric.proportion], ids=lambda metric: metric.key)
def test_only_shares_of_calls_have_an_interval(metric: Metric) -> None:
    assert metric.unit == "percent"
    assert metric.key != "net_satisfaction"


def test_a_metric_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="net_promoter_score"):
        metric_of("net_promoter_score")


@pytest.mark.parametrize(
    ("key", "columns"),
    [
        ("calls", set[str]()),
        ("answer_rate", {"answered"}),
        ("abandonment_rate_excl_short", {"answered", "wait_seconds"}),
        ("service_level", {"answered", "wait_seconds"}),
        ("average_speed_of_answer", {"answered", "wait_seconds"}),
        ("longest_wait", {"wait_seconds"}),
        ("total_talk_time", {"duration_seconds"}),
        ("resolution_rate", {"resolved"}),
        ("response_rate", {"rating"}),
    ],
)
def test_a_metric_needs_the_columns_of_its_formula(key: str, columns: set[str]) -> None:
    assert set(metric_of(key).columns) == columns
