from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from msgspec import UNSET

from supportapi.answers.choice import MetricKey, Order, order_of
from supportapi.answers.metrics import metrics_answer
from supportapi.answers.query import MetricsQuery
from supportapi.answers.query_string import canonical, decode
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import METRICS, metric_of
from tests.answers.few_calls import TRUTH, aggregates_of, call

CALLS = (
    call("2026-01-01T08:00", answered=True, wait_seconds=10.0),
    call("2026-01-01T08:00", answered=True, wait_seconds=25.0),
    call("2026-01-01T09:00", answered=True, wait_seconds=70.0),
    call("2026-01-01T10:00", answered=False, wait_seconds=90.0),
    call("2026-01-01T10:00", answered=False, wait_seconds=15.0),
    call("2026-01-01T11:00", answered=False, wait_seconds=2.0),
)
WITHIN_20 = {"answered_within": 1, "answered": 3, "unanswered": 3, "short_abandons": 1}


def data(**asked: Any) -> Any:
    return metrics_answer(aggregates_of(*CALLS), msgspec.convert({"range": "all"} | asked, MetricsQuery), TRUTH).data


def test_every_metric_of_the_catalogue_can_be_chosen() -> None:
    assert get_args(MetricKey) == tuple(metric.key for metric in METRICS)


def test_only_the_sections_that_are_asked_for_are_there() -> None:
    found = data(include=["heatmap", "kpis"])

    assert [name for name in found.__struct_fields__ if getattr(found, name) is not UNSET] == ["kpis", "heatmap"]


def test_who_names_no_sections_gets_the_dashboard() -> None:
    found = data()

    assert [name for name in found.__struct_fields__ if getattr(found, name) is not UNSET] == [
        "kpis",
        "series",
        "breakdowns",
    ]


def test_chosen_metrics_are_those_of_cards_series_and_columns_in_the_catalogues_order() -> None:
    found = data(metrics=["wait_p90", "calls"])

    assert [card.key for card in found.kpis] == ["calls", "wait_p90"]
    assert [series.key for series in found.series] == ["calls", "wait_p90"]
    assert found.breakdowns[0].rows[0].wait_p90 == pytest.approx(80.0, rel=0.01)


def test_what_the_dataset_cannot_give_is_unavailable_in_every_section_and_never_zero() -> None:
    found = data(
        metrics=["csat"], include=["kpis", "series", "breakdowns", "heatmap", "pivot", "distribution"],
        heatmap_metric="csat", pivot_metric="csat",
    )  # fmt: skip

    assert (found.kpis[0].available, found.kpis[0].value, found.kpis[0].columns) == (False, None, ("rating",))
    assert (found.series[0].available, found.series[0].reason, found.series[0].points) == (False, "column_absent", [])
    assert (found.breakdowns[0].unavailable, found.breakdowns[0].rows[0].csat) == ({"csat": "column_absent"}, UNSET)
    assert (found.heatmap.reason, found.heatmap.values) == ("column_absent", [[None] * 24] * 7)
    assert (found.pivot.reason, found.pivot.totals.total) == ("column_absent", None)
    assert (found.distribution.reason, found.distribution.bins) == ("column_absent", [])


@pytest.mark.parametrize(
    ("asked", "value", "counts"),
    [
        ({}, 20.0, WITHIN_20),
        ({"threshold": 30}, 40.0, WITHIN_20 | {"answered_within": 2}),
        ({"variant": "answered_only"}, 100 / 3, WITHIN_20),
        ({"variant": "all_offered"}, 100 / 6, WITHIN_20),
        ({"variant": "abandon_after_threshold"}, 25.0, WITHIN_20 | {"unanswered_after_threshold": 1}),
    ],
)  # fmt: skip
def test_the_service_level_is_never_without_its_counts(
    asked: dict[str, Any], value: float, counts: dict[str, int]
) -> None:
    found = data(metrics=["service_level"], **asked)

    assert found.kpis[0].value == pytest.approx(value)
    assert found.kpis[0].counts == counts
    assert {name: sum(listed) for name, listed in found.series[0].counts.items()} == counts
    assert found.breakdowns[0].rows[0].counts == counts
    assert found.series[0].points[0].value == pytest.approx(value)
    assert found.breakdowns[0].rows[0].service_level == pytest.approx(value)


def test_a_proportion_says_how_far_it_can_be_trusted() -> None:
    cards = {card.key: card for card in data().kpis}

    assert (cards["answer_rate"].interval.low, cards["answer_rate"].interval.high) == (
        pytest.approx(18.76, abs=0.01),
        pytest.approx(81.24, abs=0.01),
    )
    assert cards["average_speed_of_answer"].interval is UNSET


@pytest.mark.parametrize(
    ("sort_by", "order"),
    [
        ("calls", Order(metric_of("calls"), by_delta=False, descending=False)),
        ("-csat_delta", Order(metric_of("csat"), by_delta=True, descending=True)),
    ],
)
def test_an_order_is_spelled_by_sign_metric_and_kind(sort_by: str, order: Order) -> None:
    assert order_of(sort_by) == order


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("metrics=calls,csta", "'csta' is not a value of 'metrics'; did you mean 'csat'?"),
        ("sort_by=-csat_dleta", "'-csat_dleta' is not a value of 'sort_by'; did you mean '-csat_delta'?"),
        ("threshold=25", "'25' is not a value of 'threshold'; there are: 10, 15, 20, 30, 60, 120."),
        (
            "by=agents,regions",
            "'agents', 'regions' are not values of 'by'; there are: region, issue_type, channel, rating, agent.",
        ),
        ("pivot=region,region", "'region,region' is not a value of 'pivot'; did you mean 'region,rating'?"),
    ],
)  # fmt: skip
def test_a_name_that_does_not_exist_is_refused_with_the_nearest_or_with_all_there_are(query: str, message: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        decode(query.encode(), MetricsQuery)

    assert [detail["message"] for detail in refused.value.details] == [message]


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("include=kpis,series&include=breakdowns", "range=30d"),
        ("pivot=agent,region&threshold=20", "pivot=agent%2Cregion&range=30d"),
        ("complete=true&metrics=csat,calls", "complete=true&metrics=calls&metrics=csat&range=30d"),
    ],
)
def test_equal_questions_have_one_form(query: str, form: str) -> None:
    assert canonical(decode(query.encode(), MetricsQuery)) == form
