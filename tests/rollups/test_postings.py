from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from supportapi.rollups.codes import UNKNOWN_BUCKET
from supportapi.rollups.postings import BUCKETED, Postings, postings

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMS = ("region", "channel")
SIZES = {"region": 4, "channel": 3}
_DRAW = np.random.default_rng(1)
COLUMNS = {name: _DRAW.integers(0, size - 1, 500).astype(np.uint8) for name, size in SIZES.items()}


def posted(sizes: dict[str, int] = SIZES) -> Postings:
    found = postings(DIMS, COLUMNS, sizes)
    assert found is not None
    return found


def codes(*members: int) -> NDArray[np.intp]:
    return np.array(members, dtype=np.intp)


@pytest.mark.parametrize(
    "members",
    [
        {"region": codes(1)},
        {"channel": codes(0, 1)},
        {"region": codes(0, 2), "channel": codes(1)},
        {"region": codes(3)},
        {"region": codes()},
        {"region": codes(2), "agent_id": codes(7)},
    ],
)
@pytest.mark.parametrize(("first", "end"), [(0, 500), (120, 121), (33, 400), (500, 500)])
def test_the_rows_of_members_are_those_that_looking_at_each_row_finds(
    members: dict[str, NDArray[np.intp]], first: int, end: int
) -> None:
    looked = np.ones(500, dtype=bool)
    for name in members.keys() & SIZES.keys():
        looked &= np.isin(COLUMNS[name], members[name])

    found = posted().between(first, end, members)

    assert found is not None
    assert np.sort(found).tolist() == [row for row in np.flatnonzero(looked).tolist() if first <= row < end]


def test_members_of_other_dimensions_alone_find_nothing() -> None:
    assert posted().between(0, 500, {"agent_id": codes(1)}) is None


def test_so_many_combinations_that_looking_at_rows_is_quicker_are_not_looked_up() -> None:
    many = posted({"region": 4, "channel": 1000})

    assert many.between(0, 500, {"region": codes(1)}) is None
    assert many.between(0, 500, {"region": codes(1), "channel": codes(0)}) is not None


def test_combinations_that_two_bytes_cannot_tell_apart_have_no_postings() -> None:
    assert postings(DIMS, COLUMNS, {"region": 300, "channel": 300}) is None


BUCKETS = {
    f"{of}_bucket": np.where(_DRAW.random(500) < 0.2, UNKNOWN_BUCKET, _DRAW.integers(0, 9, 500)).astype(np.uint16)
    for of in ("wait", "duration")
}


def bucketed() -> Postings:
    columns = {**COLUMNS, "issue_type": COLUMNS["region"][::-1], **BUCKETS}
    found = postings(BUCKETED, columns, {**SIZES, "issue_type": 4})
    assert found is not None
    return found


@pytest.mark.parametrize("bounds", [(0, 500), (33, 400), (10, 10, 75, 300, 300, 499), (500, 500)])
@pytest.mark.parametrize(
    "members", [{"region": codes(1)}, {"region": codes(0, 2), "channel": codes(1)}, {"channel": codes()}]
)
def test_histograms_of_postings_count_each_row_of_the_members_in_its_step_and_bucket(
    members: dict[str, NDArray[np.intp]], bounds: tuple[int, ...]
) -> None:
    looked = np.ones(500, dtype=bool)
    for name, kept in members.items():
        looked &= np.isin(COLUMNS[name], kept)
    expected = [
        [int((looked & (BUCKETS["wait_bucket"] == bucket))[start:end].sum()) for bucket in range(9)]
        for start, end in itertools.pairwise(bounds)
    ]

    found = bucketed().histograms(bounds, members, {"wait": 9, "duration": 9})

    assert found is not None
    assert found["wait"].tolist() == expected
    assert found["duration"].shape == (len(bounds) - 1, 9)


def test_histograms_are_left_to_others_where_the_postings_cannot_tell_the_members_apart() -> None:
    limits = {"region": codes(1), "agent_id": codes(7)}

    assert bucketed().histograms((0, 500), limits, {"wait": 9}) is None
    assert posted().histograms((0, 500), {"region": codes(1)}, {"wait": 9}) is None
