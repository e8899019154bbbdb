from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.measures.wilson import wilson_interval


def test_the_interval_is_the_one_that_textbooks_print() -> None:
    # Newcombe: Statistics in Medicine 17 (1998), table I, method 3, printed with four digits.
    low, high = wilson_interval(np.array([81, 15, 0, 1]), np.array([263, 148, 20, 29]))

    assert low.tolist() == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high.tolist() == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


def test_nothing_to_judge_by_has_no_interval() -> None:
    low, high = wilson_interval(np.array([0]), np.array([0]))

    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_none_and_all_reach_the_ends_exactly() -> None:
    low, high = wilson_interval(np.array([0, 7]), np.array([7, 7]))

    assert (low[0], high[1]) == (0.0, 1.0)


def test_one_lucky_call_is_trusted_less_than_many_good_ones() -> None:
    low, _ = wilson_interval(np.array([1, 90]), np.array([1, 100]))

    assert low[0] < low[1]


def test_the_shape_is_that_of_the_counts() -> None:
    low, high = wilson_interval(np.ones((2, 3), np.int64), np.full((2, 3), 4))

    assert low.shape == high.shape == (2, 3)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(st.integers(1, 10**9), st.floats(0, 1))
def test_the_share_lies_inside_its_interval_and_that_inside_zero_to_one(total: int, share: float) -> None:
    successes = round(total * share)

    low, high = wilson_interval(np.array([successes]), np.array([total]))

    assert 0 <= low[0] <= successes / total <= high[0] <= 1
