from __future__ import annotations

import numpy as np
import pytest

from supportapi.measures.tally import COUNTS, SUMS, Tally


def _tally(shape: tuple[int, ...], start: int = 0) -> Tally:
    """Every measure of every group another number."""
    counts = np.arange(start, start + int(np.prod(shape)) * len(COUNTS)).reshape(*shape, len(COUNTS))
    sums = np.arange(start, start + int(np.prod(shape)) * len(SUMS)).reshape(*shape, len(SUMS))
    return Tally(counts, sums)


def test_a_measure_is_read_by_its_name() -> None:
    tally = _tally((2,))

    assert tally["answered"].tolist() == [1, 1 + len(COUNTS)]
    assert tally["duration_ms"].tolist() == [3, 7]


def test_rated_calls_are_those_of_all_five_ratings() -> None:
    tally = _tally(())

    assert int(tally["rated"]) == sum(int(tally[f"rating_{rating}"]) for rating in (1, 2, 3, 4, 5))


def test_handled_calls_are_those_not_known_to_be_unanswered() -> None:
    tally = Tally.zeros((1,))
    tally.counts[0, [COUNTS.index("calls"), COUNTS.index("unanswered")]] = 5, 2

    assert tally["handled"].tolist() == [3]


def test_a_name_that_is_no_measure_is_refused() -> None:
    with pytest.raises(KeyError, match="mood"):
        _tally(())["mood"]


def test_adding_and_taking_away_leaves_what_was_there() -> None:
    one, other = _tally((2, 3)), _tally((2, 3), start=7)

    assert one + other - other == one


def test_one_group_is_added_to_each_of_several() -> None:
    found = _tally((2,)) + _tally(())

    assert found.shape == (2,)
    assert found["calls"].tolist() == [0, len(COUNTS)]


def test_groups_fold_along_any_axis() -> None:
    tally = _tally((2, 3))

    assert tally.sum(axis=-1) == tally.sum(axis=1)
    assert tally.sum(axis=0).shape == (3,)
    assert tally.sum() == tally.sum(axis=0).sum() == tally.sum(axis=(0, 1))


def test_groups_are_taken_in_the_order_asked_for() -> None:
    tally = _tally((3, 2))

    taken = tally.take([2, 0], axis=-2)

    assert np.array_equal(taken["calls"], tally["calls"][[2, 0]])


def test_groups_keep_their_measures_in_another_shape() -> None:
    assert np.array_equal(_tally((6,)).reshape((2, 3))["wait_ms"], _tally((2, 3))["wait_ms"])


def test_tallies_of_other_numbers_or_shapes_differ() -> None:
    assert Tally.zeros((2,)) == Tally.zeros((2,))
    assert Tally.zeros((2,)) != _tally((2,))
    assert Tally.zeros((2,)) != Tally.zeros((3,))
    assert Tally.zeros() != "nothing"
