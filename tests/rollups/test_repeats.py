from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from supportapi.calls.filter import Filter
from supportapi.calls.window import Window
from supportapi.measures.tally import REPEAT_COUNTS
from supportapi.rollups.build import build
from supportapi.rollups.questions import Question
from supportapi.rollups.states import merge, partial_state
from tests.rollups.few_calls import AMPLE, NOTHING, aggregates_of, frame, row

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates
    from tests.rollups.oracle import Row

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
TICK = timedelta(microseconds=1)
LAST = NOON + timedelta(days=30)
MONTHS = Window(date(2025, 5, 1), date(2025, 8, 1))


def kim(call_id: str, after: timedelta, **known: Any) -> Row:
    return row(NOON + after, call_id=call_id, **{"customer_id": "kim", "issue_type": "login", "resolved": True} | known)


NEWEST = row(LAST, call_id="newest", customer_id="lee", issue_type="login")


def counted(aggregates: Aggregates, limits: Filter | None = None, window: Window = MONTHS) -> tuple[int, int, int]:
    """Calls too young to tell, old enough, and of those without a repeat."""
    tally = aggregates.tally(Question("UTC", window, limits or Filter())).tally
    young, matured, final = (int(tally[name]) for name in REPEAT_COUNTS)
    return young, matured, final


@pytest.mark.parametrize(
    ("second", "final"),
    [
        (kim("b", WEEK, resolved=None), 0),
        (kim("b", WEEK + TICK, resolved=None), 1),
        (kim("b", TICK, resolved=None), 0),
        (kim("b", -TICK, resolved=None), 1),
        (kim("b", timedelta(), resolved=None), 1),
        (kim("b", timedelta(days=1), resolved=None, answered=False), 0),
        (kim("b", timedelta(days=1), resolved=None, issue_type="billing"), 1),
        (kim("b", timedelta(days=1), resolved=None, issue_type=None), 1),
        (kim("b", timedelta(days=1), resolved=None, customer_id="lee"), 1),
        (kim("b", timedelta(days=1), resolved=None, customer_id=None), 1),
        (kim("b", timedelta(days=1), resolved=None, region="north", channel="chat", agent_id="ann"), 0),
    ],
    ids=[
        "seven days later", "more than seven days later", "at once", "before", "in the same instant", "given up",
        "another issue", "an unknown issue", "another customer", "an unknown customer", "elsewhere",
    ],
)  # fmt: skip
@pytest.mark.parametrize("budget", [AMPLE, NOTHING])
def test_a_later_call_about_the_same_within_seven_days_is_a_repeat(second: Row, final: int, budget: int) -> None:
    rows = sorted([kim("a", timedelta()), second, NEWEST], key=lambda each: (each["started_at"], each["call_id"]))

    assert counted(aggregates_of(rows, ("UTC",), budget)) == (0, 1, final)


def test_two_calls_of_one_instant_are_followed_by_what_comes_later() -> None:
    rows = [kim("a", timedelta()), kim("b", timedelta()), kim("c", timedelta(days=1)), NEWEST]

    assert counted(aggregates_of(rows, ("UTC",))) == (0, 3, 1)


def test_issue_types_that_are_not_known_are_one() -> None:
    rows = [kim("a", timedelta(), issue_type=None), kim("b", timedelta(days=1), issue_type=None), NEWEST]

    assert counted(aggregates_of(rows, ("UTC",))) == (0, 2, 1)


def test_customers_who_are_not_known_are_nobody() -> None:
    rows = [kim("a", timedelta(), customer_id=None), kim("b", timedelta(days=1), customer_id=None), NEWEST]

    assert counted(aggregates_of(rows, ("UTC",))) == (0, 0, 0)


@pytest.mark.parametrize(("age", "expected"), [(WEEK, (0, 1, 1)), (WEEK - TICK, (1, 0, 0)), (timedelta(), (1, 0, 0))])
def test_a_call_is_old_enough_when_seven_days_lie_between_it_and_the_newest(
    age: timedelta, expected: tuple[int, int, int]
) -> None:
    rows = [kim("a", LAST - age - NOON), NEWEST]

    assert counted(aggregates_of(rows, ("UTC",))) == expected


def test_a_call_that_is_too_young_is_left_out_even_when_it_is_known_to_be_repeated() -> None:
    rows = [kim("a", timedelta()), kim("b", timedelta(days=1))]

    assert counted(aggregates_of(rows, ("UTC",))) == (2, 0, 0)


def test_a_repeat_counts_whatever_the_window_and_the_filter_show() -> None:
    rows = [kim("a", timedelta(), region="north"), kim("b", timedelta(days=1), region="south"), NEWEST]
    day = Window(date(2025, 6, 1), date(2025, 6, 2))

    assert counted(aggregates_of(rows, ("UTC",)), Filter(region=("north",)), day) == (0, 1, 0)


def test_a_repeat_may_lie_in_another_file_and_files_may_overlap() -> None:
    first = [kim("a", timedelta()), kim("c", timedelta(days=9))]
    second = [kim("b", timedelta(days=6)), NEWEST]
    calls = pl.concat([frame(first), frame(second)])
    states = [partial_state(frame(rows), ("UTC",)) for rows in (first, second)]

    # The first is followed by the second file's, and that by the first file's.
    assert counted(build(merge(states), calls, ("UTC",), AMPLE)) == (0, 3, 1)


def test_a_new_file_makes_calls_of_an_old_one_grow_up_without_touching_its_state() -> None:
    old, new = [kim("a", timedelta()), kim("b", timedelta(days=3))], [kim("c", timedelta(days=11))]
    state = partial_state(frame(old), ("UTC",))
    before = build(state, frame(old), ("UTC",), AMPLE)

    both = merge([state, partial_state(frame(new), ("UTC",))])
    after = build(both, pl.concat([frame(old), frame(new)]), ("UTC",), AMPLE)

    assert counted(before) == (2, 0, 0)
    assert counted(after) == (1, 2, 1)
