"""Whether a group differs from the others by more than luck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from supportapi.measures.sketch import VALUES_MS
from supportapi.measures.tally import RATINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from supportapi.measures.tally import Tally
    from supportapi.rollups.catalogue import Measured, Metric, Part

_Z: Final = 2.5758293035489004  # of the normal distribution, two-sided, for 99 %: at 95 % one equal in twenty differs


def _squared_ratings(tally: Tally) -> NDArray[np.int64]:
    return np.sum([rating**2 * tally[f"rating_{rating}"] for rating in RATINGS], axis=0)


def _decided(tally: Tally) -> NDArray[np.int64]:
    return np.sum([tally[f"rating_{rating}"] for rating in (1, 2, 4, 5)], axis=0)


_SQUARES: Final[Mapping[str, Part]] = {"average_rating": _squared_ratings, "net_satisfaction": _decided}
"""The sum of the squares of what each call adds to the numerator, where that is not 0 or 1."""

_MEASURED: Final[Mapping[str, Measured]] = {"average_duration": "duration"}
"""Means of what only a histogram knows the variance of."""


def has_interval(metric: Metric) -> bool:
    """Whether luck can be told from merit: for means over calls, of which a proportion is one."""
    return metric.proportion or metric.key in _SQUARES or metric.key in _MEASURED


def measured_by(metric: Metric) -> Measured | None:
    """Of what (`duration`) a histogram of all the groups' calls is needed to judge `metric`, if of anything."""
    return _MEASURED.get(metric.key)


def variance_ms(histogram: NDArray[np.int64]) -> float:
    """The variance of the milliseconds that `histogram` counts; NaN without any. Off by 4 % at the most.

    Each bucket's value is within 1 % of every value in it, so that a mean square is within 2 % of the true one.
    """
    total = histogram.sum()
    values = VALUES_MS[: len(histogram)]
    if not total:
        return float("nan")
    return float((histogram @ values**2) / total - ((histogram @ values) / total) ** 2)


def apart(metric: Metric, tally: Tally, variance: float | None = None) -> NDArray[np.int8]:
    """For each group of `tally`, shape `(groups,)`: 1 above the others, -1 below them, 0 within chance of them.

    A group's mean lies apart when it leaves the 99 % interval around the pooled mean of the others: the score test for
    two means of one variance, which for proportions is Wilson's interval turned round, and whose limits make a funnel
    plot (D. J. Spiegelhalter: "Funnel plots for comparing institutional performance", Statistics in Medicine 24, 2005).
    The variance of one call is that of all groups' calls, as it is where the groups are equal: exact from the counts
    of proportions and ratings, or given as `variance`.
    """
    if metric.numerator is None or metric.denominator is None:
        return np.zeros(tally.shape, np.int8)
    total, count = metric.numerator(tally).astype(np.float64), metric.denominator(tally).astype(np.float64)
    if metric.proportion:
        # As they rank: more ratings than handled calls are as many.
        total = np.minimum(total, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        if variance is None:
            squares = _SQUARES[metric.key](tally) if metric.key in _SQUARES else total
            variance = float(squares.sum() / count.sum() - (total.sum() / count.sum()) ** 2)
        others, their_count = total.sum() - total, count.sum() - count
        difference = total / count - others / their_count
        limit = _Z * np.sqrt(variance * (1 / count + 1 / their_count))
        # A comparison with what is not known is false: no calls, or nobody to compare with.
        return (difference > limit).astype(np.int8) - (difference < -limit).astype(np.int8)
