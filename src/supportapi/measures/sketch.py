"""Percentiles from counts: a histogram whose buckets are 1 % wide, so that adding counts merges them.

DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees",
VLDB 2019) as a relation: its bucket number is a column that is counted. Its logarithm is replaced by a table of whole
milliseconds, because a logarithm may differ by an ulp between engines and platforms, and integers cannot.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SKETCH_VERSION: Final = 1
"""Raised when an edge moves: histograms of different versions must never be added."""

RELATIVE_ERROR: Final = 0.01
"""How far a percentile may lie from the true one, as a share of the true one."""

_REACH_MS: Final = 1 << 40  # 34 years: tickets that stay open for months are still told apart
_TABLE_MS: Final = 1 << 20  # 17 minutes: most calls find their bucket by one look-up, twenty times faster than a search


def _edges() -> NDArray[np.int64]:
    # gamma = (1 + 0.01) / (1 - 0.01) = 101 / 99: the widest bucket that keeps both its ends within 1 % of one value.
    edges = [0]
    while edges[-1] < _REACH_MS:
        edges.append((edges[-1] + 1) * 101 // 99)
    return np.array(edges, dtype=np.int64)


def _values(edges: NDArray[np.int64]) -> NDArray[np.float64]:
    # The harmonic mean of the lowest and the highest integer inside is off by the same share of either.
    lowest, highest = edges[:-1] + 1.0, edges[1:].astype(np.float64)
    return np.concatenate([[0.0], 2.0 * lowest * highest / (lowest + highest)])


EDGES: Final[NDArray[np.int64]] = _edges()
"""The highest millisecond that each bucket holds. Bucket 0 holds 0; below 50 ms each bucket holds one integer."""

BUCKETS: Final[int] = len(EDGES)

VALUES_MS: Final[NDArray[np.float64]] = _values(EDGES)
"""What stands for each bucket: within `RELATIVE_ERROR` of every integer inside."""

_TABLE: Final[NDArray[np.uint16]] = np.searchsorted(EDGES, np.arange(_TABLE_MS)).astype(np.uint16)


def bucket_of(ms: NDArray[np.int64]) -> NDArray[np.uint16]:
    """The bucket of each of `ms` (whole milliseconds, at least 0), same shape; beyond the last edge the last bucket."""
    found = _TABLE[np.clip(ms, 0, _TABLE_MS - 1)]
    long = ms >= _TABLE_MS
    if long.any():
        found[long] = np.minimum(np.searchsorted(EDGES, ms[long]), BUCKETS - 1)
    return found


def quantiles(histogram: NDArray[np.int64], qs: Sequence[float]) -> NDArray[np.float64]:
    """The quantiles `qs` (shares, 0 to 1) in seconds, of counts by bucket: shape `(..., B)` gives `(..., len(qs))`.

    Interpolated linearly between the two nearest calls, as numpy does by default; within `RELATIVE_ERROR` of what
    numpy says of the values themselves. NaN where nothing is counted. `B` may be less than `BUCKETS`: the buckets
    that are missing at the end are empty.
    """
    groups, width = histogram.shape[:-1], histogram.shape[-1]
    rows = histogram.reshape(math.prod(groups), width)
    totals = rows.sum(axis=1, dtype=np.int64)[:, None]
    ranks = np.asarray(qs, dtype=np.float64) * np.maximum(totals - 1, 0)
    below = np.floor(ranks)
    low, high = _nth_values(rows, totals, below), _nth_values(rows, totals, np.ceil(ranks))
    seconds = (low + (high - low) * (ranks - below)) / 1000.0
    return np.where(totals > 0, seconds, np.nan).reshape(*groups, len(qs))


def _nth_values(rows: NDArray[np.int64], totals: NDArray[np.int64], ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    # One running count through all rows, one after the other, is sorted: a single search finds every row's bucket.
    width = rows.shape[1]
    before = np.cumsum(totals)[:, None] - totals
    found = np.searchsorted(np.cumsum(rows, dtype=np.int64), before + ranks.astype(np.int64), side="right")
    bucket = found - np.arange(len(rows))[:, None] * width
    # Not by np.clip, whose checks take longer than the work on few numbers.
    return VALUES_MS[np.minimum(np.maximum(bucket, 0), BUCKETS - 1)]
