from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from supportapi.measures.tally import COUNTS, REPEAT_COUNTS
from supportapi.rollups.aggregates import Aggregates
from supportapi.rollups.audit import audit
from supportapi.rollups.audit_report import Asked, AuditReport
from supportapi.rollups.codes import UNKNOWN_BUCKET
from supportapi.rollups.questions import TIME_AXES
from tests.rollups import random_calls
from tests.rollups.few_calls import AMPLE, NOTHING, ZONES, aggregates_of, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rollups.oracle import Row

CALLS: list[Row] = [
    {
        "call_id": f"c{n:03}",
        "started_at": datetime(2024, 5, 6, tzinfo=UTC) + timedelta(hours=5 * n),
        "region": "ns"[n % 2],
        "customer_id": f"k{n % 9}",
        "agent_id": f"a{n % 3}",
        "wait_seconds": float(n),
        "duration_seconds": None if n % 5 == 0 else 60.5 + n,
        "answered": n % 4 > 0,
        "rating": None if n % 3 else 1 + n % 5,
        "resolved": n % 7 > 2,
    }
    for n in range(200)
]


def corrupted(whole: Aggregates, name: str, change: Callable[[Any], None]) -> Aggregates:
    """`whole` with `change` done to a copy of one of its arrays."""
    header, arrays = whole.to_arrays()
    copies = {key: np.array(array) for key, array in arrays.items()}
    change(copies[name])
    return Aggregates.from_arrays(header, copies)


def add_one(*at: Any) -> Callable[[Any], None]:
    def change(array: Any) -> None:
        array[at] += 1

    return change


def add_many(*at: Any) -> Callable[[Any], None]:
    def change(array: Any) -> None:
        array[at] += 10_000

    return change


def shift(at: slice) -> Callable[[Any], None]:
    def change(array: Any) -> None:
        known = array[at] != UNKNOWN_BUCKET
        array[at] -= np.where(known, np.minimum(array[at], 5), 0).astype(array.dtype)

    return change


def fill(value: int) -> Callable[[Any], None]:
    return lambda array: array.fill(value)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("budget", [AMPLE, NOTHING])
def test_honest_aggregates_pass(seed: int, budget: int) -> None:
    report = audit(aggregates_of(CALLS, budget_bytes=budget), frame(CALLS), queries=12, seed=seed)

    assert (report.passed, report.queries, report.seed, report.mismatches) == (True, 12, seed, ())
    assert report.values > 12 * 40


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(random_calls.calls(14))
def test_every_kind_of_question_is_answered_alike_by_honest_aggregates(calls: list[Row]) -> None:
    report = audit(aggregates_of(calls, ZONES), frame(calls), queries=30, seed=len(calls))

    assert report.mismatches == ()


def test_a_dataset_without_calls_passes() -> None:
    assert audit(aggregates_of([]), frame([]), queries=12, seed=7).passed


@pytest.mark.parametrize(
    ("array", "change", "budget", "measure"),
    [
        ("zone0-lattice0-counts", add_one(-1, -1, -1, -1, 0), AMPLE, "calls"),
        ("zone0-lattice0-counts", add_one(-1, -1, -1, -1, 1), AMPLE, "answered"),
        ("zone0-lattice0-counts", add_one(-1, -1, -1, -1, -2), AMPLE, "resolved_matured"),
        ("zone0-lattice0-sums", add_one(-1, -1, -1, -1, 3), AMPLE, "duration_ms"),
        ("zone0-lattice0-longest", fill(10_000_000), AMPLE, "longest_wait"),
        ("zone0-wait0", add_many(-1, -1), AMPLE, "wait_p50"),
        ("wait_steps", add_one(100), NOTHING, "wait_ms"),
        ("class", fill(0), NOTHING, "answered"),
    ],
)
def test_a_corrupt_array_is_reported(array: str, change: Callable[[Any], None], budget: int, measure: str) -> None:
    whole = aggregates_of(CALLS, budget_bytes=budget)
    name = next(key for key in whole.to_arrays()[1] if key.endswith(array))

    report = audit(corrupted(whole, name, change), frame(CALLS), queries=12, seed=7)

    assert not report.passed
    assert measure in {mismatch.measure for mismatch in report.mismatches}


@pytest.mark.parametrize("name", REPEAT_COUNTS)
def test_a_wrong_repeat_is_found_in_the_cell_and_in_the_whole(name: str) -> None:
    whole = aggregates_of(CALLS, ("UTC",))
    column = whole.zone_of["UTC"].lattices[0].column_of[COUNTS.index(name)]
    broken = corrupted(whole, "zone0-lattice0-counts", add_one(1, -1, -1, slice(20, None), column))

    report = audit(broken, frame(CALLS), queries=200, seed=1)

    assert {(one.measure, one.cell is None) for one in report.mismatches} == {(name, True), (name, False)}


def test_one_corrupt_cell_in_the_middle_is_found_by_the_questions_that_see_it() -> None:
    whole = aggregates_of(CALLS, ("UTC",))
    broken = corrupted(whole, "zone0-lattice0-counts", add_one(1, -1, -1, slice(20, None), 0))

    report = audit(broken, frame(CALLS), queries=40, seed=1)

    first = report.mismatches[0]
    assert {mismatch.measure for mismatch in report.mismatches} >= {"calls"}
    assert (first.found or 0) - (first.expected or 0) == 1


def test_rows_that_the_aggregates_never_saw_are_reported() -> None:
    stranger = {**CALLS[100], "call_id": "new", "region": "west"}

    report = audit(aggregates_of(CALLS), frame([*CALLS, stranger]), queries=40, seed=2)

    west = [mismatch for mismatch in report.mismatches if mismatch.cell is not None and "west" in mismatch.cell]
    assert (west[0].expected, west[0].found) == (1, None)


def test_the_same_seed_asks_the_same_questions() -> None:
    broken = corrupted(aggregates_of(CALLS), "zone0-lattice0-counts", add_one(..., -1, 0))

    assert audit(broken, frame(CALLS), seed=3) == audit(broken, frame(CALLS), seed=3)
    assert audit(broken, frame(CALLS), seed=3) != audit(broken, frame(CALLS), seed=4)


def test_a_report_can_be_sent_as_json() -> None:
    report = audit(
        corrupted(aggregates_of(CALLS), "zone0-lattice0-counts", add_one(..., -1, 0)), frame(CALLS), queries=8
    )

    assert report.mismatches
    assert msgspec.json.decode(msgspec.json.encode(report), type=AuditReport) == report


def test_a_wait_that_binary_fractions_cannot_hold_is_no_mismatch() -> None:
    calls: list[Row] = [{**CALLS[n], "wait_seconds": 0.051, "answered": True} for n in range(3)]

    assert audit(aggregates_of(calls), frame(calls), queries=20).mismatches == ()


@pytest.fixture(scope="module")
def asked() -> tuple[Asked, ...]:
    return audit(aggregates_of(CALLS), frame(CALLS), queries=150, seed=11).questions


@pytest.mark.parametrize(
    "axis",
    ["region", "issue_type", "channel", "agent_id", "agent_region", "rating", *TIME_AXES],
)
def test_every_axis_is_asked_for(asked: tuple[Asked, ...], axis: str) -> None:
    assert [one for one in asked if axis in one.by]


@pytest.mark.parametrize("dimension", ["region", "issue_type", "channel", "agent_id"])
def test_every_dimension_is_filtered_by(asked: tuple[Asked, ...], dimension: str) -> None:
    assert [one for one in asked if one.filter.members(dimension)]


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_is_asked_for(asked: tuple[Asked, ...], zone: str) -> None:
    assert [one for one in asked if one.timezone == zone]


def test_a_question_tells_what_it_asked_and_how_near_its_percentiles_came(asked: tuple[Asked, ...]) -> None:
    everything = asked[0]
    shares = [one.largest_deviation.deviation for one in asked if one.largest_deviation is not None]

    assert (everything.by, everything.calls.expected, everything.calls.found) == ((), 200, 200)
    assert (everything.from_, everything.to) == (date(2024, 5, 6), date(2024, 6, 17))
    assert 0 < max(shares) <= 0.01


@pytest.mark.parametrize(
    ("array", "change", "measure"),
    [
        ("wait_steps", add_many(slice(60, 80)), "longest_wait"),
        ("wait_bucket", shift(slice(0, 150)), "wait_p50"),
        ("duration_bucket", shift(slice(0, 150)), "duration_p95"),
    ],
)
def test_what_is_wrong_in_cells_alone_is_found(array: str, change: Callable[[Any], None], measure: str) -> None:
    whole = aggregates_of(CALLS, ("UTC",), NOTHING)
    name = next(key for key in whole.to_arrays()[1] if key.endswith(array))

    report = audit(corrupted(whole, name, change), frame(CALLS), queries=30, seed=5)

    assert {(one.measure, one.cell is None) for one in report.mismatches} >= {(measure, False)}
