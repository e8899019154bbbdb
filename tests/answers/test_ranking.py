from __future__ import annotations

import numpy as np
import pytest

from supportapi.answers.by_agent import AGENT_METRICS
from supportapi.answers.ranking import Standings, percentiles, ranks, scores, standings, unranked
from supportapi.measures.tally import COUNTS, SUMS, Tally
from supportapi.rollups.catalogue import Metric, metric_of

DURATION = metric_of("average_duration")
RESOLUTION = metric_of("resolution_rate")
PROPORTIONS = [metric for metric in AGENT_METRICS if metric.proportion]


def resolved(*groups: tuple[int, int]) -> Tally:
    """For each group so many calls were resolved, of so many."""
    counts = np.zeros((len(groups), len(COUNTS)), np.int64)
    for name, column in (("resolved_handled", 0), ("resolved_known_handled", 1), ("calls", 1)):
        counts[:, COUNTS.index(name)] = [group[column] for group in groups]
    return Tally(counts, np.zeros((len(groups), len(SUMS)), np.int64))


def placed(*groups: tuple[int, int]) -> Standings:
    tally = resolved(*groups)
    return standings(RESOLUTION, RESOLUTION.compute(tally), tally, np.ones(len(groups), dtype=bool))


def stood(percentile: float, merit: int, sample: int = 20) -> Standings:
    """One group that stands at `percentile`."""
    return Standings(
        np.array([1.0]), np.array([percentile]), np.array([sample]), np.array([merit], np.int8), reason=None
    )


def test_ties_share_a_rank_and_the_next_one_is_skipped() -> None:
    placed = ranks(metric_of("calls"), np.array([10.0, 30.0, 20.0, 20.0, np.nan]))

    assert placed[:4].tolist() == [4, 1, 2, 2]
    assert np.isnan(placed[4])


def test_the_shortest_comes_first_where_less_is_better() -> None:
    assert ranks(DURATION, np.array([30.0, 10.0, 20.0])).tolist() == [3, 1, 2]


def test_a_percentile_is_the_share_of_the_worse_and_half_of_the_ties() -> None:
    assert percentiles(np.array([1.0, 2.0, 2.0, 4.0])).tolist() == [87.5, 50.0, 50.0, 12.5]


def test_equals_stand_in_the_middle() -> None:
    assert percentiles(np.array([1.0, 1.0])).tolist() == [50.0, 50.0]


@pytest.mark.parametrize("metric", PROPORTIONS, ids=lambda metric: metric.key)
def test_one_lucky_call_never_leads(metric: Metric) -> None:
    counts = np.zeros((2, len(COUNTS)), np.int64)
    counts[0] = 1
    counts[1] = 100
    counts[1, [COUNTS.index(name) for name in ("rating_1", "rating_2", "rating_3", "rating_4")]] = 2
    counts[1, [COUNTS.index(name) for name in ("resolved", "resolved_handled")]] = 95
    counts[1, COUNTS.index("rating_5")] = 87
    counts[0, [COUNTS.index(name) for name in ("unanswered", "rating_1", "rating_2", "rating_3", "rating_4")]] = 0
    counts[1, COUNTS.index("unanswered")] = 0
    tally = Tally(counts, np.zeros((2, len(SUMS)), np.int64))

    found = standings(metric, metric.compute(tally), tally, np.ones(2, dtype=bool))

    assert float(metric.compute(tally)[0]) == 100.0
    assert found.rank.tolist() == [2, 1]


def test_a_proportion_is_scored_by_the_cautious_end_of_its_interval() -> None:
    tally = resolved((1, 1), (95, 100))

    found = scores(RESOLUTION, RESOLUTION.compute(tally), tally)

    assert found[0] < 25
    assert 80 < found[1] < 95


def test_more_ratings_than_handled_calls_rank_like_a_rating_of_each() -> None:
    counts = np.zeros((3, len(COUNTS)), np.int64)
    counts[:, COUNTS.index("calls")] = 20
    counts[:, COUNTS.index("unanswered")] = (10, 10, 20)
    counts[:, COUNTS.index("rating_5")] = (15, 10, 1)
    rate, tally = metric_of("response_rate"), Tally(counts, np.zeros((3, len(SUMS)), np.int64))

    found = scores(rate, rate.compute(tally), tally)

    assert ranks(rate, found)[:2].tolist() == [1, 1]
    assert found[0] < 100
    assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("percentile", "merit", "badge"),
    [(90, 1, "top"), (89.9, 1, "strong"), (75, 1, "strong"), (74.9, 1, "solid"), (25, 0, "solid"), (24.9, -1, "watch")],
)  # fmt: skip
def test_badges_are_bands_of_the_percentile(percentile: float, merit: int, badge: str) -> None:
    assert stood(percentile, merit).place(0, 20).badge == badge


@pytest.mark.parametrize(("percentile", "merit"), [(99.0, 0), (99.0, -1), (80.0, 0), (10.0, 0), (10.0, 1)])
def test_what_luck_explains_earns_no_badge(percentile: float, merit: int) -> None:
    place = stood(percentile, merit).place(0, 20)

    assert (place.badge, place.badge_reason) == (None, "within_chance")


def test_few_calls_earn_no_badge() -> None:
    place = stood(99.0, 1, sample=19).place(0, 20)

    assert (place.rank, place.percentile) == (1, 99.0)
    assert (place.badge, place.badge_reason) == (None, "small_sample")


def test_only_calls_that_the_value_comes_from_count_as_a_sample() -> None:
    tally = resolved((19, 19), (50, 100))
    tally.counts[0, COUNTS.index("calls")] = 500

    found = standings(RESOLUTION, RESOLUTION.compute(tally), tally, np.ones(2, dtype=bool))

    assert found.place(0, 20).badge_reason == "small_sample"


def test_much_better_and_much_worse_than_the_rest_is_seen() -> None:
    found = placed(*[(700, 1000)] * 18, (800, 1000), (600, 1000))

    assert [found.place(at, 20).badge for at in (17, 18, 19)] == ["solid", "top", "watch"]


def test_who_stands_alone_differs_from_nobody() -> None:
    assert placed((10, 100)).place(0, 20).badge == "solid"


def test_a_group_that_is_not_ranked_says_why() -> None:
    found = placed((0, 0), (50, 100)).place(0, 20)

    assert (found.rank, found.percentile, found.badge, found.badge_reason) == (None, None, None, "no_value")
    assert unranked(1).place(0, 20).badge_reason == "not_ranked"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("calls", "no_better_direction"),
        ("total_talk_time", "no_better_direction"),
        ("resolved", "no_interval"),
        ("duration_p90", "no_interval"),
        ("average_speed_of_answer", "no_agent_before_answer"),
        ("longest_wait", "no_agent_before_answer"),
        ("average_duration", None),
        ("csat", None),
    ],
)
def test_totals_maxima_and_waits_earn_no_badges(key: str, reason: str | None) -> None:
    tally = resolved((700, 1000), (700, 1000))

    found = standings(metric_of(key), np.array([1.0, 2.0]), tally, np.ones(2, dtype=bool), 1.0)

    assert found.reason == reason
