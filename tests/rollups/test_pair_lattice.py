from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pytest

from supportapi.calls.window import Window
from supportapi.rollups.questions import Question
from tests.rollups.few_calls import aggregates_of, row

DAYS = (0, 1, 62, 63, 64, 65, 127, 128, 191, 192)
"""On both sides of where a word of the bitmap ends."""

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROWS = [
    row(FIRST + timedelta(days=day), call_id=f"{day}-{agent}", agent_id=agent, region="north", wait_seconds=float(day))
    for day in DAYS
    for agent in ("ann", "bob")
    if agent == "ann" or day % 2
]


@pytest.mark.parametrize(("start", "end"), [*combinations((0, 62, 63, 64, 65, 128, 129, 192, 193), 2)])
def test_a_window_that_ends_anywhere_in_a_word_counts_its_days_and_no_other(start: int, end: int) -> None:
    inside = [day for day in DAYS if start <= day < end]
    window = Window(date(2026, 1, 1) + timedelta(days=start), date(2026, 1, 1) + timedelta(days=end))
    question = Question("UTC", window, by=("agent_region",))

    found = aggregates_of(ROWS, ("UTC",)).tally(question)

    assert found.keys == ((("ann", "north"), ("bob", "north")),)
    assert found.source == "rollup"
    assert found.tally["calls"].tolist() == [len(inside), sum(day % 2 for day in inside)]
    assert found.tally["wait_ms"].tolist()[0] == 1000 * sum(inside)
