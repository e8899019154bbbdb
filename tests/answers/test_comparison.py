"""What is compared with what: literal answers for a dataset of a few days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from supportapi.answers.metrics import metrics_answer
from supportapi.answers.query import MetricsQuery
from supportapi.errors import ValidationFailed
from tests.answers.few_calls import TRUTH, aggregates_of, call

CALLS = tuple(
    call(f"{day}T{hour:02}:00", region=region, answered=hour != 9, wait_seconds=float(hour))
    for day, region, hours in (
        ("2024-02-28", "North", (8, 9)),
        ("2024-02-29", "South", (8, 10)),
        ("2024-03-28", "North", (8, 9, 10)),
        ("2024-03-29", "East", (8,)),
        ("2024-03-31", "North", (8, 9)),
    )
    for hour in hours
)
AGGREGATES = aggregates_of(*CALLS)


def answer(**asked: object) -> Any:
    newest = msgspec.structs.replace(TRUTH, as_of=AGGREGATES.max_started_at)
    return metrics_answer(AGGREGATES, msgspec.convert(asked, MetricsQuery), newest)


def moves(**asked: object) -> dict[str, tuple[Any, ...]]:
    cards = answer(**asked, include=["kpis"], metrics=["calls", "answer_rate", "longest_wait"]).data.kpis
    return {
        card.key: (card.value, card.previous, None)
        if card.delta is None
        else (card.value, card.previous, card.delta.absolute, card.delta.percent, card.delta.good, card.delta.reason)
        for card in cards
    }


def test_a_month_of_31_days_is_compared_with_one_of_29_by_its_rates_and_flagged_in_its_totals() -> None:
    found = moves(**{"from": "2024-03-01", "to": "2024-04-01", "compare": "previous_month"})

    assert found == {
        "calls": (6, 4, 2, None, None, "partial_period"),
        "answer_rate": (pytest.approx(200 / 3), 75.0, pytest.approx(-25 / 3), None, False, "percentage_points"),
        "longest_wait": (10.0, 10.0, 0.0, None, None, "partial_period"),
    }


def test_the_29th_of_february_is_compared_with_the_28th_of_the_year_before() -> None:
    found = answer(**{"from": "2024-02-29", "to": "2024-03-01", "compare": "previous_year"})

    assert found.meta.compare_window is not None
    assert (found.meta.compare_window.from_, found.meta.compare_window.to) == (date(2023, 2, 28), date(2023, 3, 1))
    assert moves(**{"from": "2024-02-29", "to": "2024-03-01", "compare": "previous_year"})["calls"] == (
        2, None, None, None, None, "no_baseline",
    )  # fmt: skip


def test_a_day_that_the_month_before_lacks_is_compared_with_its_last_one() -> None:
    found = moves(**{"from": "2024-03-31", "to": "2024-04-01", "compare": "previous_month"})

    assert found["calls"] == (2, 2, 0, 0.0, None, None)
    assert found["answer_rate"] == (50.0, 100.0, -50.0, None, False, "percentage_points")


def test_a_week_before_without_calls_is_a_baseline_of_zero() -> None:
    found = moves(**{"from": "2024-03-28", "to": "2024-03-29", "compare": "previous_week"})

    assert found["calls"] == (3, 0, 3, None, None, "zero_baseline")
    assert found["answer_rate"] == (pytest.approx(200 / 3), None, None, None, None, "no_baseline")


def test_compared_with_nothing_there_are_no_moves() -> None:
    found = answer(**{"from": "2024-03-28", "to": "2024-03-29", "compare": "none"})

    assert found.meta.compare_window is None
    assert moves(**{"from": "2024-03-28", "to": "2024-03-29", "compare": "none"})["calls"] == (3, None, None)


def test_a_breakdown_has_the_members_of_both_windows() -> None:
    found = answer(**{"from": "2024-03-01", "to": "2024-04-01", "compare": "previous_month"}, by=["region"])
    (regions,) = found.data.breakdowns

    assert [(row.key, row.calls, row.delta.absolute) for row in regions.rows] == [
        ("North", 5, 3),
        ("East", 1, 1),
        ("South", 0, -2),
    ]


def test_a_series_has_the_buckets_of_the_window_before_beside_it_and_those_that_are_left_over() -> None:
    found = answer(**{"from": "2024-02-27", "to": "2024-03-01", "compare": "previous_year"}, include=["series"])
    longer = answer(**{"from": "2024-02-01", "to": "2024-03-01", "compare": "previous_month"}, include=["series"])

    assert [point.previous_start for point in found.data.series[0].points] == [None] * 3
    assert [(point.start.day, point.previous) for point in longer.data.series[0].points] == [
        (n, None) for n in range(1, 30)
    ]


def test_a_longer_window_before_leaves_buckets_over() -> None:
    calls = (call("2024-01-31T08:00"), call("2024-02-29T08:00"))
    query = msgspec.convert(
        {"from": "2024-02-01", "to": "2024-03-01", "compare": "previous_month", "include": ["series"]}, MetricsQuery
    )

    found: Any = metrics_answer(aggregates_of(*calls), query, TRUTH)

    series = found.data.series[0]
    assert (len(series.points), series.points[-1].value, series.points[-1].previous) == (29, 1, 0)
    assert series.points[-1].previous_start == datetime(2024, 1, 29, tzinfo=UTC)
    assert [(bucket.start.day, bucket.value) for bucket in series.previous_beyond] == [(30, 0), (31, 1)]


def test_an_incomplete_last_day_is_told_and_left_out_when_asked_for() -> None:
    found = answer(range="7d", include=["kpis"])
    complete = answer(range="7d", include=["kpis"], complete=True)

    assert (found.meta.coverage.partial_day, found.meta.window.to) == (date(2024, 3, 31), date(2024, 4, 1))
    assert (complete.meta.window.from_, complete.meta.window.to) == (date(2024, 3, 24), date(2024, 3, 31))
    assert complete.meta.compare_window.to == date(2024, 3, 24)
    assert (found.data.kpis[0].value, complete.data.kpis[0].value) == (6, 4)


def test_a_window_of_its_own_ends_before_the_incomplete_day_too() -> None:
    found = answer(**{"from": "2024-03-29", "to": "2024-05-01", "complete": True})

    assert (found.meta.window.from_, found.meta.window.to) == (date(2024, 3, 29), date(2024, 3, 31))


def test_a_window_that_ends_earlier_is_left_as_it_is() -> None:
    found = answer(**{"from": "2024-03-28", "to": "2024-03-29", "complete": True})

    assert (found.meta.window.from_, found.meta.window.to) == (date(2024, 3, 28), date(2024, 3, 29))


def test_a_last_day_that_is_over_is_complete() -> None:
    aggregates = aggregates_of(call("2024-03-30T08:00"), call("2024-03-31T23:00"))

    found = metrics_answer(aggregates, MetricsQuery(range="7d", complete=True), TRUTH)

    assert found.meta.window.to == date(2024, 4, 1)


def test_the_incomplete_day_alone_cannot_be_left_out() -> None:
    with pytest.raises(ValidationFailed, match="2024-03-31"):
        answer(**{"from": "2024-03-31", "complete": True})
