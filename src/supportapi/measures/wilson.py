"""How far a rate from a few calls can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE: Final = 0.95
_Z: Final = 1.959963984540054  # of the normal distribution, two-sided, for `CONFIDENCE`


def wilson_interval(
    successes: NDArray[np.int64], total: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lower and upper end of the 95 % interval of `successes / total`, as shares from 0 to 1; same shape.

    Wilson's score interval (E. B. Wilson: "Probable Inference, the Law of Succession, and Statistical Inference",
    JASA 22, 1927): it stays inside 0..1 and is sound for few calls and for shares near 0 and 1. NaN where `total` is 0.
    """
    count = np.where(np.asarray(total) > 0, total, np.nan)
    share = successes / count
    spread = 1.0 + _Z**2 / count
    centre = (share + _Z**2 / (2.0 * count)) / spread
    half = _Z / spread * np.sqrt(share * (1.0 - share) / count + _Z**2 / (4.0 * count**2))
    # At 0 and at `total` the ends are 0 and 1 exactly, which rounding would miss.
    lower = np.where(np.equal(successes, 0), 0.0, centre - half)
    upper = np.where(np.equal(successes, total), 1.0, centre + half)
    return np.where(np.isnan(count), np.nan, lower), np.where(np.isnan(count), np.nan, upper)
