"""Who stands where on a board: ranks, percentiles and badges that one lucky call cannot buy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from supportapi.measures.wilson import wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.measures.tally import Tally
    from supportapi.rollups.catalogue import Metric

Badge = Literal["top", "strong", "solid", "watch"]

_BADGES: Final[tuple[tuple[float, Badge], ...]] = ((90, "top"), (75, "strong"), (25, "solid"), (0, "watch"))


def scores(metric: Metric, tally: Tally) -> NDArray[np.float64]:
    """What each group is compared by: its value or, for a proportion, the cautious end of its Wilson interval.

    That is the lower bound where more is better and the upper one where less is, so that few calls count against a
    group and never for it. NaN where the metric is unknown.
    """
    values = metric.compute(tally)
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


def badge(percentile: float | None, calls: int, min_calls: int) -> tuple[Badge | None, str | None]:
    """The band of `percentile`, or None and the reason."""
    if calls < min_calls:
        return None, "small_sample"
    if percentile is None:
        return None, "no_value"
    return next(name for floor, name in _BADGES if percentile >= floor), None
