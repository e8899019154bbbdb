"""Whether a number moved by more than chance moves it, for many numbers at once."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_CALLS: Final = 50
"""Numbers of fewer calls than this say nothing."""

ROBUST_LIMIT: Final = 3.5
"""From here on a robust z is an outlier (Iglewicz and Hoaglin: "How to Detect and Handle Outliers", 1993)."""

_FALSE_ALARMS: Final = 0.01
_LEAST_EXPECTED: Final = 5.0
_MAD_TO_DEVIATION: Final = 0.6745


def limit(tests: int) -> float:
    """The z that one of `tests` numbers of which none really moved exceeds with a probability of 1 % (Bonferroni)."""
    return NormalDist().inv_cdf(1 - _FALSE_ALARMS / 2 / max(tests, 1))


def counts_apart(now: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.float64]:
    """The z of two Poisson counts over equal spans; NaN where both together are too few."""
    total = now + before
    z = np.divide(now - before, np.sqrt(total), out=np.full(total.shape, np.nan), where=total > 0)
    return np.where(np.maximum(now, before) >= LEAST_CALLS, z, np.nan)


def counts_from_usual(now: NDArray[np.int64], past: NDArray[np.int64]) -> NDArray[np.float64]:
    """The z of Poisson counts against those of equally long spans before, `past` of shape `(periods, groups)`."""
    mean: NDArray[np.float64] = past.mean(axis=0)
    spread = np.sqrt(mean * (1 + 1 / len(past)))
    z = np.divide(now - mean, spread, out=np.full(mean.shape, np.nan), where=spread > 0)
    return np.where(mean >= LEAST_CALLS, z, np.nan)


def shares_apart(
    now: tuple[NDArray[np.int64], NDArray[np.int64]], before: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> NDArray[np.float64]:
    """The pooled z of two proportions, each as (of which, of how many); NaN where either is of too few calls.

    Too few are also those of whom fewer than 5 would be expected to differ from the rest.
    """
    (top, bottom), (top_before, bottom_before) = now, before
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (top + top_before) / (bottom + bottom_before)
        fewest = np.minimum(bottom, bottom_before)
        z = (top / bottom - top_before / bottom_before) / np.sqrt(
            pooled * (1 - pooled) * (1 / bottom + 1 / bottom_before)
        )
    enough = (fewest >= LEAST_CALLS) & (fewest * np.minimum(pooled, 1 - pooled) >= _LEAST_EXPECTED)
    return np.where(enough, z, np.nan)


def robust(now: NDArray[np.float64], past: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The robust z of values against earlier ones, `past` of shape `(periods, groups)`, and the median of those.

    0.6745 (x - median) / MAD; NaN where a value is not known or the earlier ones do not differ.
    """
    median = np.median(past, axis=0)
    deviation = np.median(np.abs(past - median), axis=0)
    z = np.divide(_MAD_TO_DEVIATION * (now - median), deviation, out=np.full(now.shape, np.nan), where=deviation > 0)
    return z, median
