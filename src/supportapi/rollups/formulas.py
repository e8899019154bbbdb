"""Many metrics of a tally at once: every part of a formula is a weighted sum of what is counted."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from supportapi.measures.tally import COUNTS, SUMS, Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.rollups.catalogue import Metric, Part


def computed(metrics: tuple[Metric, ...], tally: Tally) -> dict[str, NDArray[np.float64]]:
    """`metric.compute(tally)` of each of `metrics` (all of them from a tally), by key; equal to the last bit."""
    if not metrics:
        return {}
    over, under, scale, divided = _weights(metrics)
    # Doubles: their product is many times faster than that of integers, and exact up to 2^53.
    measured = np.concatenate([tally.counts, tally.sums], axis=-1).astype(np.float64)
    tops, bottoms = measured @ over * scale, measured @ under
    values = np.where(divided, np.nan, tops)
    np.divide(tops, bottoms, out=values, where=divided & (bottoms > 0))
    return {metric.key: values[..., at] for at, metric in enumerate(metrics)}


@lru_cache(256)
def _weights(
    metrics: tuple[Metric, ...],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """How much each measure (rows) adds to the numerator and to the denominator of each metric (columns)."""
    over = [_weights_of(metric.numerator) for metric in metrics]
    under = [_weights_of(metric.denominator) for metric in metrics]
    scale, divided = [metric.scale for metric in metrics], [metric.denominator is not None for metric in metrics]
    return np.column_stack(over), np.column_stack(under), np.array(scale), np.array(divided)


def _weights_of(part: Part | None) -> NDArray[np.float64]:
    """What `part` makes of each measure alone."""
    each = np.eye(len(COUNTS) + len(SUMS), dtype=np.int64)
    alone = Tally(each[:, : len(COUNTS)], each[:, len(COUNTS) :])
    return np.zeros(len(each)) if part is None else part(alone).astype(np.float64)
