"""Who stands where on a board: ranks, percentiles and badges that luck cannot buy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta as Doc
from numpy.typing import NDArray

from supportapi.answers.chance import apart, has_interval
from supportapi.measures.wilson import wilson_interval
from supportapi.rollups.catalogue import NO_AGENT_BEFORE_ANSWER

if TYPE_CHECKING:
    from supportapi.measures.tally import Tally
    from supportapi.rollups.catalogue import Metric

Badge = Literal["top", "strong", "solid", "watch"]
BadgeReason = Literal[
    "small_sample",
    "within_chance",
    "no_better_direction",
    "no_agent_before_answer",
    "no_interval",
    "no_value",
    "not_ranked",
]

BadgeField = Annotated[
    Badge | None,
    Doc(description="Band of `percentile`: top 90, strong 75, solid 25, watch below; not for what luck explains."),
]
BadgeReasonField = Annotated[
    BadgeReason | None,
    Doc(
        description="Why there is no badge. `small_sample`: fewer than `min_calls` calls that the metric is computed "
        "from. `within_chance`: too close to the others to call it merit. `no_better_direction`: neither more nor less "
        "is better. `no_agent_before_answer`: a wait is over before an agent is there. `no_interval`: a total, a "
        "maximum or a percentile.",
        examples=["small_sample"],
    ),
]

_BADGES: Final[tuple[tuple[float, Badge], ...]] = ((90, "top"), (75, "strong"), (25, "solid"), (0, "watch"))


class Place(msgspec.Struct, frozen=True):
    """Where one group stands: nulls where it is not ranked, and no badge without a reason."""

    rank: int | None
    percentile: float | None
    badge: Badge | None
    badge_reason: BadgeReason | None


class Standings(msgspec.Struct, frozen=True):
    """Where each group stands by one metric: arrays of one shape, NaN where a group is not ranked.

    `sample` is the number of calls that its value is computed from; `merit` is 1 where it is better than the others
    beyond chance, -1 where it is worse, 0 where chance explains it. `reason` is why nobody earns a badge.
    """

    rank: NDArray[np.float64]
    percentile: NDArray[np.float64]
    sample: NDArray[np.int64]
    merit: NDArray[np.int8]
    reason: BadgeReason | None

    def place(self, at: int, min_calls: int) -> Place:
        """Where the group at `at` stands; its badge needs `min_calls` and more than luck."""
        if np.isnan(self.rank[at]):
            return Place(None, None, None, self.reason or "no_value")
        percentile = float(self.percentile[at])
        band: Badge = next(name for floor, name in _BADGES if percentile >= floor)
        reason = self.reason
        if reason is None and self.sample[at] < min_calls:
            reason = "small_sample"
        elif reason is None and band != "solid" and self.merit[at] != (-1 if band == "watch" else 1):
            reason = "within_chance"
        return Place(int(self.rank[at]), percentile, band if reason is None else None, reason)


def unranked(groups: int) -> Standings:
    """The standings of a board that is sorted by nothing that ranks."""
    nowhere = np.full(groups, np.nan)
    return Standings(nowhere, nowhere, np.zeros(groups, np.int64), np.zeros(groups, np.int8), "not_ranked")


def standings(
    metric: Metric,
    values: NDArray[np.float64],
    tally: Tally,
    rankable: NDArray[np.bool_],
    variance: float | None = None,
) -> Standings:
    """Where the groups that are `rankable` stand by their `values` of `metric`.

    All arrays and `tally` have the shape `(groups,)`. `variance` is that of one call, for a metric whose tally does not
    know it (see `chance.measured_by`).
    """
    found = np.where(rankable, scores(metric, values, tally), np.nan)
    rank = ranks(metric, found)
    reason = _badgeless(metric)
    sample = tally["calls"] if metric.denominator is None else metric.denominator(tally)
    merit = np.zeros(len(values), np.int8)
    if reason is None:
        above = apart(metric, tally.take(np.flatnonzero(rankable)), variance)
        merit[rankable] = above if metric.better == "up" else -above
    return Standings(rank, percentiles(rank), sample, merit, reason)


def scores(metric: Metric, values: NDArray[np.float64], tally: Tally) -> NDArray[np.float64]:
    """What each group is compared by: its value or, for a proportion, the cautious end of its Wilson interval.

    That is the lower bound where more is better and the upper one where less is, so that few calls count against a
    group and never for it. NaN where the metric is unknown.
    """
    if not metric.proportion or metric.numerator is None or metric.denominator is None:
        return values
    total = metric.denominator(tally)
    # Unanswered calls that were rated make the response rate exceed 100 %, and no interval lies beyond that.
    low, high = wilson_interval(np.minimum(metric.numerator(tally), total), total)
    return (high if metric.better == "down" else low) * metric.scale


def ranks(metric: Metric, found: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank of each score, 1 for the best; ties share one (1, 2, 2, 4). NaN where the score is.

    The best is the highest, or the lowest for a metric whose better direction is down.
    """
    better = -found if metric.better == "down" else found
    ahead = np.sort(-better[~np.isnan(better)])
    placed = np.searchsorted(ahead, -better, side="left").astype(np.float64) + 1
    return np.where(np.isnan(found), np.nan, placed)


def percentiles(rank: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share (0-100) of ranked groups that are strictly worse, plus half of the ties (mid-rank); NaN if unranked.

    A group ties with itself, so that a board of equals stands at 50.
    """
    placed = np.sort(rank[~np.isnan(rank)])
    if not placed.size:
        return np.full(rank.shape, np.nan)
    worse = placed.size - np.searchsorted(placed, rank, side="right")
    ties = placed.size - worse - np.searchsorted(placed, rank, side="left")
    return np.where(np.isnan(rank), np.nan, (worse + ties / 2) / placed.size * 100)


def _badgeless(metric: Metric) -> BadgeReason | None:
    """Why `metric` earns nobody a badge, whatever its values."""
    if metric.better == "none":
        return "no_better_direction"
    if "wait_seconds" in metric.columns:
        return NO_AGENT_BEFORE_ANSWER
    return None if has_interval(metric) else "no_interval"
