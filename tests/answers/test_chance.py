from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from supportapi.answers.by_agent import AGENT_METRICS
from supportapi.answers.chance import apart, has_interval, variance_ms
from supportapi.answers.ranking import standings
from supportapi.measures.sketch import BUCKETS, bucket_of
from supportapi.measures.tally import COUNTS, SUMS, Tally
from supportapi.rollups.catalogue import Metric, metric_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

AGENTS = 200
JUDGED = [
    metric for metric in AGENT_METRICS if metric.better != "none" and "wait_seconds" not in metric.columns
    and has_interval(metric)
]  # fmt: skip
SEEDS = range(8)
Columns = dict[str, "NDArray[Any]"]


def equal_agents(seed: int, few: int, many: int) -> tuple[Tally, NDArray[np.int64]]:
    """Agents of one skill with between `few` and `many` calls each, and the histogram of all their durations."""
    draw = np.random.default_rng(seed)
    calls = draw.integers(few, many, AGENTS)
    agent = np.repeat(np.arange(AGENTS), calls)
    rating = draw.choice(5, size=agent.size, p=(0.06, 0.08, 0.16, 0.3, 0.4)) + 1
    rated, resolved = draw.random(agent.size) < 0.46, draw.random(agent.size) < 0.78
    duration = (draw.lognormal(5.5, 0.8, agent.size) * 1000).astype(np.int64)
    final = resolved & (draw.random(agent.size) < 0.8)
    flags: Columns = {
        **{f"rating_{stars}": rated & (rating == stars) for stars in range(1, 6)},
        **dict.fromkeys(("resolved", "resolved_handled", "resolved_matured"), resolved),
        "resolved_without_repeat": final,
        **dict.fromkeys(
            ("calls", "answered", "duration_known", "resolved_known", "resolved_known_handled"), np.ones(agent.size)
        ),
    }
    counts = np.zeros((AGENTS, len(COUNTS)), np.int64)
    for name, flag in flags.items():
        counts[:, COUNTS.index(name)] = np.bincount(agent, flag, AGENTS)
    sums = np.zeros((AGENTS, len(SUMS)), np.int64)
    sums[:, SUMS.index("duration_ms")] = np.bincount(agent, duration, AGENTS)
    return Tally(counts, sums), np.bincount(bucket_of(duration), minlength=BUCKETS)


def badges(metric: Metric, tally: Tally, histogram: NDArray[np.int64]) -> list[str | None]:
    everyone = np.ones(AGENTS, dtype=bool)
    variance = variance_ms(histogram) if metric.key == "average_duration" else None
    found = standings(metric, metric.compute(tally), tally, everyone, variance)
    return [found.place(at, 20).badge for at in range(AGENTS)]


def false_share(metric: Metric, seed: int, few: int, many: int) -> float:
    earned = badges(metric, *equal_agents(seed, few, many))
    return sum(badge in {"top", "strong", "watch"} for badge in earned) / AGENTS


@pytest.mark.parametrize("metric", JUDGED, ids=lambda metric: metric.key)
@pytest.mark.parametrize(("few", "many"), [(20, 60), (40, 400), (800, 4000)])
def test_of_two_hundred_equal_agents_at_most_one_in_twenty_earns_a_badge(metric: Metric, few: int, many: int) -> None:
    assert max(false_share(metric, seed, few, many) for seed in SEEDS) <= 0.05


@pytest.mark.parametrize("metric", JUDGED, ids=lambda metric: metric.key)
def test_chance_alone_still_ranks_and_would_have_crowned_a_tenth(metric: Metric) -> None:
    tally, histogram = equal_agents(1, 40, 400)
    everyone = np.ones(AGENTS, dtype=bool)

    found = standings(metric, metric.compute(tally), tally, everyone, variance_ms(histogram))

    assert (found.percentile >= 90).sum() >= AGENTS // 10


@pytest.mark.parametrize("metric", JUDGED, ids=lambda metric: metric.key)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_agent_who_is_truly_better_is_seen(metric: Metric, seed: int) -> None:
    tally, histogram = equal_agents(seed, 1000, 2000)
    calls = int(tally["calls"][0])
    better = {"rating_5": 0.5, "rating_4": 0.05, "resolved": 0.85, "resolved_handled": 0.85,
              "resolved_matured": 0.85, "resolved_without_repeat": 0.75}  # fmt: skip
    for name in COUNTS:
        if name.startswith(("rat", "resolved")) and "known" not in name:
            tally.counts[0, COUNTS.index(name)] = int(calls * better.get(name, 0))
    tally.sums[0, SUMS.index("duration_ms")] = tally.sums[0, SUMS.index("duration_ms")] * 8 // 10

    assert badges(metric, tally, histogram)[0] in {"top", "strong"}


def test_the_variance_of_a_histogram_is_that_of_its_values() -> None:
    draw = np.random.default_rng(3)
    duration = (draw.lognormal(5.5, 0.8, 50_000) * 1000).astype(np.int64)

    found = variance_ms(np.bincount(bucket_of(duration), minlength=BUCKETS))

    assert found == pytest.approx(float(duration.var()), rel=0.04)
    assert np.isnan(variance_ms(np.zeros(BUCKETS, np.int64)))


def test_for_a_proportion_it_is_the_score_test_of_two_shares() -> None:
    counts = np.zeros((2, len(COUNTS)), np.int64)
    counts[:, COUNTS.index("resolved_handled")] = (80, 640)
    counts[:, COUNTS.index("resolved_known_handled")] = (100, 900)
    tally = Tally(counts, np.zeros((2, len(SUMS)), np.int64))

    # p = 0.72, z = (0.8 - 0.7111) / sqrt(0.72 * 0.28 * (1/100 + 1/900)) = 1.88; with 90 of 100 it is 4.03.
    assert apart(metric_of("resolution_rate"), tally).tolist() == [0, 0]
    counts[0, COUNTS.index("resolved_handled")] = 90
    assert apart(metric_of("resolution_rate"), tally).tolist() == [1, -1]


def test_without_calls_nobody_lies_apart() -> None:
    assert apart(metric_of("csat"), Tally.zeros((3,))).tolist() == [0, 0, 0]
