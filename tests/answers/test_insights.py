from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from supportapi.answers.metrics import metrics_answer
from supportapi.answers.prepared import answer
from supportapi.answers.query import MetricsQuery
from supportapi.answers.query_string import decode
from supportapi.calls.record import SCHEMA
from supportapi.rollups.build import build
from supportapi.rollups.states import partial_state
from tests.answers.few_calls import TRUTH

FIRST = datetime(2025, 1, 6, tzinfo=UTC)
REGIONS, TOPICS, CHANNELS = ("North", "South", "East", "West"), ("Billing", "Login", "Refund"), ("phone", "chat")


def dataset(seed: int, days: int = 98, daily: float = 150.0, **changes: Any) -> Any:
    """Calls at constant rates; `changes` are the columns from day `days - 7` on that are not drawn like the others."""
    draw = np.random.default_rng(seed)
    per_day = draw.poisson(daily, days)
    day = np.repeat(np.arange(days), per_day)
    count = len(day)
    columns: dict[str, Any] = {
        "region": draw.choice(REGIONS, count),
        "issue_type": draw.choice(TOPICS, count),
        "channel": draw.choice(CHANNELS, count),
        "answered": draw.random(count) < 0.9,
        "resolved": draw.random(count) < 0.7,
        "rating": draw.integers(1, 6, count),
        "wait_seconds": draw.exponential(8.0, count).round(3),
    }
    second = day * 86_400 + draw.integers(0, 86_400, count)
    late = day >= days - 7
    frame = pl.DataFrame(columns | {"second": second, "late": late}).with_columns(
        *(pl.when(pl.col("late")).then(change).otherwise(pl.col(name)).alias(name) for name, change in changes.items())
    )
    rows = frame.with_columns(
        started_at=FIRST + pl.duration(seconds=pl.col("second")), call_id=pl.int_range(pl.len()).cast(pl.String)
    ).sort("started_at")
    lazy = rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name) for name, kind in SCHEMA.items()
    ).lazy()
    return build(partial_state(lazy, ("UTC",)), lazy, ("UTC",), 64 << 20)


def insights(aggregates: Any, **asked: Any) -> Any:
    found: Any = metrics_answer(aggregates, MetricsQuery(include=("insights",), **asked), TRUTH)
    return found.data.insights


def windows(days: int) -> list[dict[str, Any]]:
    """Every window of a week that has eight of its length before it."""
    starts = (FIRST.date() + timedelta(days=first) for first in range(56, days - 6, 7))
    return [{"from_": start, "to": start + timedelta(days=7)} for start in starts]


def told(found: Any) -> list[tuple[Any, ...]]:
    return [(each.kind, each.metric, each.dimension, each.member) for each in found.items]


@pytest.mark.parametrize("seed", range(4))
def test_constant_rates_produce_hardly_any_insight(seed: int) -> None:
    aggregates = dataset(seed, days=182)

    found = [insights(aggregates, **window) for window in windows(182)]

    assert len(found) == 18
    assert {each.periods for each in found} == {8, 9, 10, 11, 12}
    assert sum(len(each.items) + each.left_out for each in found) <= 1


def test_a_member_that_moved_is_told_with_its_part_in_the_move_of_the_whole() -> None:
    aggregates = dataset(1, region=pl.lit("North"))

    found = insights(aggregates, range="7d")

    north = next(each for each in found.items if (each.kind, each.member) == ("mover", "North"))
    numbers = north.numbers
    assert (north.metric, north.severity) == ("calls", "notice")
    assert numbers["value"] - numbers["previous"] == numbers["change"] == numbers["contribution"]
    assert f"calls {numbers['value']:,.0f}, after {numbers['previous']:,.0f} in the window before" in north.statement


def test_contributions_to_a_rate_add_up_to_its_move() -> None:
    fallen = (
        pl.when(pl.col("region") == "South")
        .then(pl.col("resolved") & (pl.col("rating") > 3))
        .otherwise(pl.col("resolved"))
    )
    aggregates = dataset(2, daily=400.0, resolved=fallen)

    found = insights(aggregates, range="7d")

    south = next(each for each in found.items if (each.kind, each.member) == ("mover", "South"))
    assert (south.metric, south.severity) == ("resolution_rate", "warning")
    assert 90 < south.numbers["share_of_change"] < 125
    assert ("unusual", "resolution_rate", "region", "South") in told(found)


def test_what_is_out_of_its_own_range_needs_eight_windows_before() -> None:
    worse = pl.col("resolved") & (pl.col("rating") > 3)
    few, many = dataset(3, days=62, resolved=worse), dataset(3, days=63, resolved=worse)

    found = [insights(aggregates, range="7d") for aggregates in (few, many)]

    assert [each.periods for each in found] == [7, 8]
    assert [any(item.kind == "unusual" for item in each.items) for each in found] == [False, True]


def test_days_beyond_the_data_are_not_told_as_unusually_quiet() -> None:
    last = FIRST.date() + timedelta(days=97)

    beyond = insights(dataset(3), from_=last + timedelta(days=1), to=last + timedelta(days=8))

    assert (beyond.periods, [item.kind for item in beyond.items]) == (0, [])


def test_a_small_sample_says_nothing_whatever_happens_in_it() -> None:
    aggregates = dataset(
        4, daily=2.0, region=pl.lit("North"), answered=pl.lit(value=False), resolved=pl.lit(value=False)
    )

    assert insights(aggregates, range="7d").items == []


@pytest.mark.parametrize(("target", "warned"), [(80.0, True), (50.0, False)])
def test_a_service_level_is_held_against_its_target(target: float, *, warned: bool) -> None:
    aggregates = dataset(5, wait_seconds=pl.col("wait_seconds") * 3)

    found = insights(aggregates, range="7d", target=target)

    below = [each for each in found.items if each.kind == "below_target"]
    assert bool(below) is warned
    assert all(each.severity == "warning" and each.numbers["value"] < target for each in below)
    assert all({"answered_within", "answered", "unanswered", "short_abandons"} <= set(each.numbers) for each in below)


def test_the_busiest_hour_of_the_week_is_told_as_a_rate() -> None:
    aggregates = dataset(6, second=(pl.col("second") // 86_400) * 86_400 + 9 * 3600 + pl.col("second") % 3600)

    found = insights(aggregates, range="7d")

    peak = next(each for each in found.items if each.kind == "peak")
    assert (peak.severity, peak.numbers["hour"], peak.numbers["days"]) == ("info", 9, 1)
    assert "from 09:00 to 10:00 are the busiest" in peak.statement


def test_they_are_few_and_the_gravest_come_first() -> None:
    aggregates = dataset(
        7, daily=800.0, region=pl.lit("North"), resolved=pl.lit(value=False), wait_seconds=pl.col("wait_seconds") * 9
    )

    found = insights(aggregates, range="7d")

    order = [("warning", "notice", "info").index(each.severity) for each in found.items]
    assert order == sorted(order)
    assert len(found.items) <= 10
    assert found.left_out > 0


def test_every_link_answers_and_shows_the_number_that_was_told() -> None:
    aggregates = dataset(8, daily=600.0, region=pl.lit("North"), wait_seconds=pl.col("wait_seconds") * 9)

    found = insights(aggregates, range="7d", region=("North", "South"))

    assert {each.kind for each in found.items} == {"mover", "unusual", "below_target"}
    assert [_shown(aggregates, each) for each in found.items] == [
        pytest.approx(each.numbers["value"]) for each in found.items
    ]


def _shown(aggregates: Any, insight: Any) -> float:
    path, query = insight.link.split("?")
    assert path == "/api/metrics"
    found: Any = answer(aggregates, decode(query.encode(), MetricsQuery), TRUTH)
    if insight.kind == "unusual":
        # The series of all periods: the last seven days are the window.
        asked = decode(query.encode(), MetricsQuery)
        assert asked.to is not None
        again = metrics_answer(
            aggregates,
            MetricsQuery(
                from_=asked.to - timedelta(days=7), to=asked.to, metrics=asked.metrics, region=asked.region,
                issue_type=asked.issue_type, channel=asked.channel, include=("kpis",),
            ),
            TRUTH,
        )  # fmt: skip
        found = again
    return found.data.kpis[0].value


def test_nothing_at_all_has_no_insights() -> None:
    assert insights(dataset(9, days=1, daily=0.0), range="all").items == []
