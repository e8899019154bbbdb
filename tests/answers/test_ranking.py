from __future__ import annotations

import numpy as np

from supportapi.answers.ranking import badge, percentiles, ranks, scores
from supportapi.measures.tally import COUNTS, SUMS, Tally
from supportapi.rollups.catalogue import metric_of

DURATION = metric_of("average_duration")


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


def test_one_lucky_call_never_leads() -> None:
    counts = np.zeros((2, len(COUNTS)), np.int64)
    counts[0, [COUNTS.index(name) for name in ("calls", "resolved_handled", "resolved_known_handled")]] = 1
    counts[1, [COUNTS.index(name) for name in ("calls", "resolved_known_handled")]] = 100
    counts[1, COUNTS.index("resolved_handled")] = 95

    found = scores(metric_of("resolution_rate"), Tally(counts, np.zeros((2, len(SUMS)), np.int64)))

    assert found[0] < 25
    assert found[1] > 80


def test_more_ratings_than_handled_calls_rank_like_a_rating_of_each() -> None:
    counts = np.zeros((3, len(COUNTS)), np.int64)
    counts[:, COUNTS.index("calls")] = 20
    counts[:, COUNTS.index("unanswered")] = (10, 10, 20)
    counts[:, COUNTS.index("rating_5")] = (15, 10, 1)
    rate = metric_of("response_rate")

    found = scores(rate, Tally(counts, np.zeros((3, len(SUMS)), np.int64)))

    assert ranks(rate, found)[:2].tolist() == [1, 1]
    assert found[0] < 100
    assert np.isnan(found[2])


def test_badges_are_bands_of_the_percentile() -> None:
    assert [badge(value, 20, 20)[0] for value in (90.0, 75.0, 25.0, 24.9)] == ["top", "strong", "solid", "watch"]


def test_few_calls_earn_no_badge() -> None:
    assert badge(99.0, 19, 20) == (None, "small_sample")
