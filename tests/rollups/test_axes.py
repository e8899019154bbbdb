from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from supportapi.calls.window import Window
from supportapi.rollups.axes import time_axis
from supportapi.rollups.questions import Question
from tests.rollups.few_calls import aggregates_of, row


@pytest.mark.parametrize(
    ("days", "steps", "first"),
    [(1, 1, date(2026, 1, 1)), (30, 30, date(2026, 1, 1)), (31, 15, date(2026, 1, 2)), (90, 30, date(2026, 1, 1))],
)
def test_steps_are_at_most_thirty_of_equally_many_days_and_end_with_the_window(
    days: int, steps: int, first: date
) -> None:
    window = Window(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=days))

    axis = time_axis(window, "step", "UTC", window)

    assert (len(axis.keys), axis.keys[0], axis.edges[-1]) == (steps, first, days)
    assert len(set(np.diff(axis.edges).tolist())) == 1


def test_days_that_do_not_fill_the_first_step_are_left_out() -> None:
    aggregates = aggregates_of([row(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)) for day in range(31)])

    found = aggregates.tally(Question("UTC", Window(date(2026, 1, 1), date(2026, 2, 1)), by=("step",)))

    assert found.tally["calls"].tolist() == [2] * 15


def test_a_week_without_data_has_all_its_hours() -> None:
    week = Question("UTC", Window(date(2026, 1, 1), date(2026, 1, 8)), by=("hour_of_week",))

    assert aggregates_of([]).tally(week).tally["calls"].tolist() == [0] * 168
