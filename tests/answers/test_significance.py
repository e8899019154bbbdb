from __future__ import annotations

import numpy as np
import pytest

from supportapi.answers.significance import counts_apart, counts_from_usual, limit, robust, shares_apart


def test_more_tests_need_more_evidence() -> None:
    assert limit(1) == pytest.approx(2.5758, abs=1e-4)
    assert limit(100) == pytest.approx(3.8906, abs=1e-4)


def test_two_counts_are_compared_by_their_common_spread() -> None:
    found = counts_apart(np.array([144, 30, 0]), np.array([112, 20, 0]))

    np.testing.assert_allclose(found, [2.0, np.nan, np.nan])


def test_a_count_is_compared_with_the_mean_of_earlier_ones() -> None:
    found = counts_from_usual(np.array([130, 9]), np.array([[100, 1]] * 9))

    np.testing.assert_allclose(found, [30 / (100 * 10 / 9) ** 0.5, np.nan])


def test_two_shares_are_compared_by_the_pooled_one_and_rare_cases_say_nothing() -> None:
    tops, bottoms = np.array([60, 60, 99, 0]), np.array([100, 40, 100, 0])

    found = shares_apart((tops, bottoms), (np.array([40, 20, 99, 0]), np.array([100, 40, 100, 0])))

    np.testing.assert_allclose(found, [0.2 / 0.005**0.5, np.nan, np.nan, np.nan])


def test_a_robust_z_is_told_from_the_median_and_its_deviation() -> None:
    z, median = robust(np.array([20.0, 5.0, np.nan]), np.array([[8.0, 5.0, 1.0], [10.0, 5.0, 2.0], [13.0, 5.0, 3.0]]))

    np.testing.assert_allclose(z, [0.6745 * 10 / 2, np.nan, np.nan])
    np.testing.assert_allclose(median, [10.0, 5.0, 2.0])
