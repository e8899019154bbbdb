from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.measures.sketch import BUCKETS, EDGES, RELATIVE_ERROR, VALUES_MS, bucket_of, quantiles

LAST_EDGE = int(EDGES[-1])
SHARES = (0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0)
_settings = settings(max_examples=80, derandomize=True, deadline=None, database=None)


def _histogram(ms: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.bincount(bucket_of(np.array(ms, dtype=np.int64)), minlength=BUCKETS)


def test_edges_are_the_ones_that_stored_histograms_were_counted_by() -> None:
    # Whoever changes these raises SKETCH_VERSION.
    assert BUCKETS == 1220
    assert EDGES[:5].tolist() == [0, 1, 2, 3, 4]
    assert EDGES[47:53].tolist() == [47, 48, 49, 51, 53, 55]
    assert EDGES[[600, 906, 907, -1]].tolist() == [4_664_830, 2_122_312_539, 2_165_187_540, 1_110_665_880_118]
    assert int(EDGES.sum()) == 56_088_626_913_504


def test_edges_grow_and_reach_a_ticket_of_thirty_years() -> None:
    assert (np.diff(EDGES) > 0).all()
    assert LAST_EDGE >= 2**40


def test_zero_and_every_millisecond_below_fifty_have_a_bucket_of_their_own() -> None:
    assert bucket_of(np.arange(50)).tolist() == list(range(50))
    assert VALUES_MS[:50].tolist() == list(range(50))


def test_each_value_is_within_one_percent_of_both_ends_of_its_bucket() -> None:
    # Fractions: the proof must not round. Integers between the ends are nearer than one of them.
    highest = [Fraction(edge) for edge in EDGES.tolist()[1:]]
    lowest = [Fraction(edge) + 1 for edge in EDGES.tolist()[:-1]]
    values = [2 * low * high / (low + high) for low, high in zip(lowest, highest, strict=True)]

    worst = max(
        abs(value - end) / end
        for value, *ends in zip(values, lowest, highest, strict=True)
        for end in ends
    )  # fmt: skip

    assert worst <= Fraction(1, 100)
    assert np.allclose(VALUES_MS[1:], [float(value) for value in values], rtol=1e-15, atol=0)


def test_both_ends_of_every_bucket_are_found_in_it() -> None:
    buckets = np.arange(BUCKETS)

    assert bucket_of(EDGES).dtype == np.uint16
    assert np.array_equal(bucket_of(EDGES), buckets)
    assert np.array_equal(bucket_of(EDGES[:-1] + 1), buckets[1:])


def test_what_lies_beyond_the_last_edge_falls_into_the_last_bucket() -> None:
    assert bucket_of(np.array([LAST_EDGE + 1, 2**62])).tolist() == [BUCKETS - 1, BUCKETS - 1]


def test_buckets_keep_the_shape_of_what_they_were_asked_for() -> None:
    assert bucket_of(np.zeros((2, 3), np.int64)).shape == (2, 3)
    assert bucket_of(np.zeros(0, np.int64)).shape == (0,)


@_settings
@given(st.lists(st.integers(0, LAST_EDGE) | st.integers(2**20 - 3, 2**20 + 3), max_size=50))
def test_a_bucket_is_the_first_whose_edge_is_not_below_the_value(ms: list[int]) -> None:
    found = bucket_of(np.array(ms, dtype=np.int64))

    assert found.tolist() == np.searchsorted(EDGES, np.array(ms, dtype=np.int64)).tolist()


@_settings
@given(st.lists(st.one_of(st.integers(0, 100), st.integers(0, 10_000_000), st.integers(0, LAST_EDGE)), min_size=1))
def test_percentiles_are_within_one_percent_of_those_of_the_values(ms: list[int]) -> None:
    expected = np.quantile(np.array(ms), SHARES) / 1000

    found = quantiles(_histogram(ms), SHARES)

    assert (np.abs(found - expected) <= RELATIVE_ERROR * expected + 1e-9).all(), (found, expected)


def test_few_short_calls_have_the_percentiles_that_numpy_gives() -> None:
    assert quantiles(_histogram([10, 20, 40]), SHARES) == pytest.approx(np.quantile([10, 20, 40], SHARES) / 1000)


@_settings
@given(st.lists(st.lists(st.integers(0, 5_000_000), max_size=9), min_size=6, max_size=6))
def test_a_group_has_the_same_percentiles_alone_and_among_others(groups: list[list[int]]) -> None:
    stacked = np.stack([_histogram(ms) for ms in groups]).reshape(2, 3, BUCKETS)

    found = quantiles(stacked, SHARES)

    assert found.shape == (2, 3, len(SHARES))
    np.testing.assert_array_equal(found.reshape(6, -1), [quantiles(_histogram(ms), SHARES) for ms in groups])


@_settings
@given(st.lists(st.integers(0, 5_000_000)), st.lists(st.integers(0, 5_000_000)))
def test_adding_histograms_is_counting_all_the_calls_at_once(some: list[int], others: list[int]) -> None:
    assert np.array_equal(_histogram(some) + _histogram(others), _histogram(some + others))


def test_buckets_that_are_missing_at_the_end_are_empty() -> None:
    histogram = _histogram([100, 200, 300])

    assert np.array_equal(quantiles(histogram[:300], SHARES), quantiles(histogram, SHARES))


def test_nothing_counted_has_no_percentiles() -> None:
    assert np.isnan(quantiles(np.zeros((2, BUCKETS), np.int64), (0.5, 0.9))).all()
    assert np.isnan(quantiles(np.zeros((2, 0), np.int64), (0.5,))).all()
    assert quantiles(np.zeros((0, BUCKETS), np.int64), (0.5,)).shape == (0, 1)
