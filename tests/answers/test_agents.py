from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supportapi.answers.agents import AgentRow, AgentsAnswer, agents_answer
from supportapi.answers.by_agent import AGENT_METRICS, BOARD_METRICS
from supportapi.answers.query import AgentsQuery
from supportapi.calls.record import SCHEMA
from supportapi.calls.window import Window
from supportapi.errors import ValidationFailed
from supportapi.measures.wilson import wilson_interval
from tests.answers.few_calls import TRUTH, aggregates_of, call
from tests.rollups import oracle
from tests.rollups.random_calls import calls, windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportapi.rollups.catalogue import Metric

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


def test_a_badge_needs_calls_and_more_than_luck() -> None:
    rows = board(sort="-resolution_rate").data.rows

    assert [(row.badge, row.badge_reason) for row in rows] == [
        (None, "within_chance"),
        (None, "small_sample"),
        (None, "small_sample"),
    ]


def test_having_many_calls_is_no_merit() -> None:
    assert {row.badge_reason for row in board().data.rows} == {"no_better_direction"}


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


def test_only_what_was_asked_for_is_told_beside_the_calls_and_what_it_is_sorted_by() -> None:
    row = msgspec.json.decode(msgspec.json.encode(board(metrics=("csat",), sort="wait_p90").data.rows[0]))
    metrics = {metric.key for metric in AGENT_METRICS}

    assert metrics & set(row) == {"calls", "csat", "wait_p90"}
    assert set(row["deltas"]) == {"csat", "wait_p90"}


def test_everything_but_percentiles_and_maxima_is_told_when_nothing_is_chosen() -> None:
    row = msgspec.json.decode(msgspec.json.encode(board().data.rows[0]))

    assert set(row["deltas"]) == {metric.key for metric in BOARD_METRICS}
    assert {"wait_p50", "longest_wait"} & set(row) == set()


def test_nothing_can_be_sorted_by_a_move_where_nothing_is_compared() -> None:
    with pytest.raises(ValidationFailed, match="compare"):
        board(sort="-csat_delta", compare="none")


def test_without_calls_the_board_is_empty() -> None:
    found = agents_answer(aggregates_of(), AgentsQuery(range="all", sort="-csat"), TRUTH)

    assert (found.data.rows, found.data.unassigned_calls, found.meta.total) == ([], 0, 0)


# Four agents of one day, and what they had the day before. Ratings: 5 5, 4 4, 4 4, 1 1.
TIED = tuple(
    call(f"2026-01-0{day}T0{hour}:00", agent_id=agent, agent_name=agent.upper(), region="North", rating=rating)
    for agent, before, now in (("a", 3, 5), ("b", 5, 4), ("c", 1, 4), ("d", None, 1))
    for day, hour, rating in ((1, 8, before), (2, 8, now), (2, 9, now))
    if rating is not None
)


def tied(**asked: Any) -> list[AgentRow]:
    query = msgspec.convert({"from": "2026-01-02", "to": "2026-01-03", **asked}, AgentsQuery)
    return agents_answer(aggregates_of(*TIED), query, TRUTH).data.rows


def test_ties_share_rank_and_percentile_and_stand_by_name() -> None:
    rows = tied(sort="-average_rating")

    assert [(row.agent_name, row.average_rating, row.rank, row.percentile) for row in rows] == [
        ("A", 5.0, 1, 87.5),
        ("B", 4.0, 2, 50.0),
        ("C", 4.0, 2, 50.0),
        ("D", 1.0, 4, 12.5),
    ]


def test_the_worst_come_first_the_other_way_round() -> None:
    assert [row.agent_name for row in tied(sort="average_rating")] == ["D", "B", "C", "A"]


def test_a_board_sorts_by_how_a_metric_moved_and_the_unknown_come_last() -> None:
    upwards, downwards = tied(sort="average_rating_delta"), tied(sort="-average_rating_delta")

    assert [row.agent_name for row in downwards] == ["C", "A", "B", "D"]
    assert [row.agent_name for row in upwards] == ["B", "A", "C", "D"]
    assert [row.rank for row in downwards] == [2, 1, 2, 4]


def test_an_agent_of_the_window_before_stays_on_the_board() -> None:
    query = msgspec.convert({"from": "2026-01-03", "to": "2026-01-04", "sort": "-csat"}, AgentsQuery)

    rows = agents_answer(aggregates_of(*TIED, call("2026-01-03T08:00", agent_id="e")), query, TRUTH).data.rows

    assert [(row.agent_id, row.calls, row.rank) for row in rows] == [
        ("e", 1, None), ("a", 0, None), ("b", 0, None), ("c", 0, None), ("d", 0, None),
    ]  # fmt: skip
    assert rows[1].deltas is not None
    assert rows[1].deltas["calls"].absolute == -2


_HANDLED, _RATED = pl.col("answered").ne_missing(other=False), pl.col("rating").count()
_MATURED = pl.col("resolved") & pl.col("matured") & pl.col("followed").is_not_null()
RATIOS: dict[str, tuple[pl.Expr, pl.Expr]] = {
    "resolution_rate": ((pl.col("resolved") & _HANDLED).sum(), (pl.col("resolved").is_not_null() & _HANDLED).sum()),
    "resolved_share_of_calls": (pl.col("resolved").sum(), pl.col("resolved").count()),
    "first_contact_resolution": ((_MATURED & ~pl.col("followed")).sum(), _MATURED.sum()),
    "csat": ((pl.col("rating") >= 4).sum(), _RATED),
    # More ratings than handled calls rank like one of each.
    "response_rate": (pl.min_horizontal(_RATED, _HANDLED.sum()), _HANDLED.sum()),
}
"""The rates of an agent: so many calls over so many, which a Wilson interval is made of."""

RANKED = [metric for metric in AGENT_METRICS if metric.needs != "histogram"]


def _score(metric: Metric) -> Callable[[dict[str, Any]], float]:
    """What a row is worth, straight from definitions.md: the more the better; unknown where the metric is."""
    sign = -1 if metric.better == "down" else 1
    if metric.key not in RATIOS:
        return lambda row: math.nan if row[metric.key] is None else sign * row[metric.key]
    return lambda row: _wilson(row[f"{metric.key} over"], row[f"{metric.key} under"])


def _wilson(over: int, under: int) -> float:
    """The lower bound of `over / under` as its inventor wrote it: rates of agents are all better the higher."""
    if not under:
        return math.nan
    z, share = 1.959963984540054, over / under
    root = z * math.sqrt(share * (1 - share) / under + z * z / (4 * under * under))
    return round((share + z * z / (2 * under) - root) / (1 + z * z / under), 12)


def _plain(rows: list[dict[str, Any]], window: Window) -> dict[tuple[str, str], dict[str, Any]]:
    """Every metric of each agent and region, by Polars, straight from definitions.md."""
    wait, talk, rating = pl.col("wait_seconds"), pl.col("duration_seconds"), pl.col("rating")
    answered, resolved, handled = pl.col("answered"), pl.col("resolved"), pl.col("answered").ne_missing(other=False)
    day = pl.col("started_at").dt.date()
    judged = {"followed": pl.Boolean, "matured": pl.Boolean}
    schema = {**SCHEMA, **judged}
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in oracle.judged(rows)], schema=schema)
    asked = {
        "calls": pl.len(),
        "answered": answered.sum(),
        "average_speed_of_answer": wait.filter(answered).mean(),
        "longest_wait": wait.max(),
        "wait_p90": wait.quantile(0.9, "linear"),
        "average_duration": talk.mean(),
        "duration_p50": talk.quantile(0.5, "linear"),
        "total_talk_time": talk.sum(),
        "resolved": resolved.sum(),
        "resolution_rate": resolved.filter(handled).mean() * 100,
        "resolved_share_of_calls": resolved.mean() * 100,
        "csat": (rating >= 4).mean() * 100,
        "average_rating": rating.mean(),
        "rated": rating.count(),
        "response_rate": pl.when(handled.any()).then(rating.count() / handled.sum() * 100),
        "net_satisfaction": ((rating >= 4).mean() - (rating <= 2).mean()) * 100,
        "satisfied": (rating >= 4).sum(),
        **{f"{key} over": over for key, (over, _) in RATIOS.items()},
        **{f"{key} under": under for key, (_, under) in RATIOS.items()},
    }
    found = (
        frame.filter(day >= window.start, day < window.end, pl.col("agent_id").is_not_null())
        .group_by("agent_id", "region")
        .agg(**asked)
    )
    return {(oracle.key(row["agent_id"]), oracle.key(row["region"])): row for row in found.to_dicts()}


def _lower(row: dict[str, Any]) -> float:
    """The lower end of the interval of CSAT; unknown without ratings."""
    return float(wilson_interval(row["satisfied"], row["rated"])[0])


def _rank(row: dict[str, Any], rows: list[dict[str, Any]], score: Callable[[dict[str, Any]], float]) -> int | None:
    """One more than there are better ones."""
    return None if math.isnan(score(row)) else 1 + sum(score(other) > score(row) for other in rows)


def _percentile(
    row: dict[str, Any], rows: list[dict[str, Any]], score: Callable[[dict[str, Any]], float]
) -> float | None:
    """The share of the worse and half of the equal ones, oneself among them."""
    ranked = [score(other) for other in rows if not math.isnan(score(other))]
    worse, equal = (sum(test) for test in ([s < score(row) for s in ranked], [s == score(row) for s in ranked]))
    return None if math.isnan(score(row)) else (worse + equal / 2) / len(ranked) * 100


def _close(value: float | None) -> Any:
    # A percentile is within 1 % of the true one, and everything else exact but for the last bits.
    return value if value is None else pytest.approx(value, rel=0.0101, abs=1e-9)


_property = settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_property
@given(st.data())
def test_a_board_is_what_plain_polars_says_of_the_rows(data: st.DataObject) -> None:
    rows = data.draw(calls(80))
    window = data.draw(windows(rows, 40).filter(lambda drawn: drawn.days > 0))
    plain = _plain(rows, window)
    before = _plain(rows, Window(window.start - timedelta(days=window.days), window.start))
    keys = tuple(metric.key for metric in AGENT_METRICS)
    query = AgentsQuery(from_=window.start, to=window.end, metrics=keys, sort="-csat")

    found = agents_answer(aggregates_of(*rows), query, TRUTH).data.rows

    listed = list(plain.values())
    told = {(row.agent_id, row.region): msgspec.to_builtins(row) for row in found}
    assert set(told) == {*plain, *before}
    expected = {
        pair: {
            **{key: _close(plain[pair][key]) for key in keys if key in plain[pair]},
            "rank": _rank(plain[pair], listed, _lower),
            "percentile": _close(_percentile(plain[pair], listed, _lower)),
        }
        for pair in plain
    }
    assert {pair: {key: told[pair][key] for key in wanted} for pair, wanted in expected.items()} == expected
    moved = {pair: told[pair]["deltas"]["calls"]["absolute"] for pair in plain if pair in before}
    assert moved == {pair: plain[pair]["calls"] - before[pair]["calls"] for pair in moved}
    assert [row.rank for row in found] == sorted((row.rank for row in found), key=lambda rank: rank or math.inf)


@settings(_property, max_examples=12)
@given(st.data())
@pytest.mark.parametrize("metric", RANKED, ids=lambda metric: metric.key)
def test_ranks_and_percentiles_are_counted_one_by_one_whatever_the_metric(metric: Metric, data: st.DataObject) -> None:
    rows = data.draw(calls(80))
    window = data.draw(windows(rows, 40).filter(lambda drawn: drawn.days > 0))
    plain, score = _plain(rows, window), _score(metric)
    query = AgentsQuery(from_=window.start, to=window.end, compare="none", metrics=(metric.key,), sort=metric.key)

    found = agents_answer(aggregates_of(*rows), query, TRUTH).data.rows

    listed = list(plain.values())
    assert {(row.agent_id, row.region): (row.rank, row.percentile) for row in found} == {
        pair: (_rank(row, listed, score), _close(_percentile(row, listed, score))) for pair, row in plain.items()
    }
