from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.calls.changes import ChangedCall, Changes, ColumnChanges, DayChanges, Examples
from supportapi.calls.comparison import changes
from supportapi.calls.record import SCHEMA
from tests.rollups import random_calls
from tests.rollups.few_calls import ZONES, frame
from tests.rollups.oracle import local_day

if TYPE_CHECKING:
    from tests.rollups.oracle import Row


@st.composite
def edited(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Some calls, and what became of them: some removed, some changed or moved in time, some new."""
    before = draw(random_calls.calls(14))
    other = draw(random_calls.calls(14))
    after: list[Row] = []
    for call in before:
        fate = draw(st.sampled_from(("kept", "kept", "removed", "changed")))
        replacement: dict[str, Any] = dict(draw(st.sampled_from(other))) if other else {"rating": 5}
        if fate != "removed":
            after.append(call if fate == "kept" else {**call, **replacement, "call_id": call["call_id"]})
    return before, after + [{**call, "call_id": f"new {n}"} for n, call in enumerate(other[:4])]


def _call(call_id: str, day: int, **known: Any) -> Row:
    return {"call_id": call_id, "started_at": datetime(2026, 3, day, 9, tzinfo=UTC), **known}


def one_by_one(before: list[Row], after: list[Row], zone: str) -> tuple[dict[date, list[int]], dict[str, int]]:
    """By day how many calls were added, removed and changed, and by column how many changed calls differ in it."""
    old, new = ({call["call_id"]: call for call in calls} for calls in (before, after))
    days: dict[date, list[int]] = {}
    columns: dict[str, int] = {}
    for call_id in {**old, **new}:
        was, now = old.get(call_id), new.get(call_id)
        different = [name for name in SCHEMA if was and now and was.get(name) != now.get(name)]
        for name in different:
            columns[name] = columns.get(name, 0) + 1
        kind = 0 if was is None else 1 if now is None else 2
        if kind < 2 or different:
            days.setdefault(local_day(now or was or {}, zone), [0, 0, 0])[kind] += 1
    return days, columns


@pytest.mark.parametrize("slice_calls", [1, 500_000])
@settings(max_examples=60, derandomize=True, database=None)
@given(pair=edited(), zone=st.sampled_from(ZONES))
def test_what_differs_equals_comparing_calls_one_by_one(
    slice_calls: int, pair: tuple[list[Row], list[Row]], zone: str
) -> None:
    found = changes(frame(pair[0]), frame(pair[1]), zone, slice_calls=slice_calls)

    days, columns = one_by_one(*pair, zone)
    assert {day.day: [day.added, day.removed, day.changed] for day in found.days} == days
    assert {column.column: column.calls for column in found.columns} == columns
    totals = [sum(counts[kind] for counts in days.values()) for kind in range(3)]
    assert [found.added, found.removed, found.changed] == totals


def test_a_call_that_moved_to_another_day_is_one_change_and_not_two() -> None:
    before = [_call("a", 3, rating=1), _call("b", 3), _call("c", 4)]
    after = [_call("a", 9, rating=2), _call("b", 3), _call("d", 5)]

    found = changes(frame(before), frame(after), "UTC", slice_calls=1)

    assert found == Changes(
        added=1,
        removed=1,
        changed=1,
        days=(
            DayChanges(day=date(2026, 3, 4), added=0, removed=1, changed=0),
            DayChanges(day=date(2026, 3, 5), added=1, removed=0, changed=0),
            DayChanges(day=date(2026, 3, 9), added=0, removed=0, changed=1),
        ),
        columns=(ColumnChanges(column="started_at", calls=1), ColumnChanges(column="rating", calls=1)),
        examples=Examples(
            added=("d",), removed=("c",), changed=(ChangedCall(call_id="a", columns=("started_at", "rating")),)
        ),
    )


def test_examples_are_few_and_the_first_ones() -> None:
    after = [_call(f"c{n:02}", 1 + n) for n in range(20)]

    found = changes(frame([]), frame(after), "UTC")

    assert (found.added, found.examples.added) == (20, ("c00", "c01", "c02", "c03", "c04"))


def test_a_value_that_became_known_is_a_change() -> None:
    found = changes(frame([_call("a", 1)]), frame([_call("a", 1, resolved=False)]), "UTC")

    assert found.columns == (ColumnChanges(column="resolved", calls=1),)
