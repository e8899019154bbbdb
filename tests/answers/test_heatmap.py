from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from supportapi.answers.drill_down import DrillDown
from supportapi.answers.heatmap import heatmap
from supportapi.calls.filter import Filter
from supportapi.calls.window import Window
from supportapi.rollups.catalogue import metric_of
from tests.answers.few_calls import aggregates_of, call

if TYPE_CHECKING:
    from supportapi.rollups.selection import Selection

CALLS = (
    call("2026-01-05T08:10", region="North", wait_seconds=10.0, resolved=True),
    call("2026-01-05T08:50", region="North", wait_seconds=30.0, resolved=False),
    call("2026-01-12T08:00", region="South", wait_seconds=90.0, resolved=True),
    call("2026-01-11T23:59", region="South"),
)
JANUARY = Window(date(2026, 1, 1), date(2026, 2, 1))
LINKS = DrillDown(JANUARY, None, Filter())


def january(**limits: tuple[str, ...]) -> Selection:
    return aggregates_of(*CALLS).select("UTC", JANUARY, Filter(**limits))


def test_each_weekday_has_its_hours_and_monday_is_first() -> None:
    found = heatmap(january(), metric_of("calls"), LINKS)

    assert (len(found.values), {len(day) for day in found.values}) == (7, {24})
    assert (found.values[0][8], found.values[6][23], found.values[0][9]) == (3, 1, 0)
    assert found.days == [2, 1, 1, 1, 1, 1, 1]


def test_a_ratio_of_nothing_is_null_and_says_how_many_calls_it_is_of() -> None:
    found = heatmap(january(), metric_of("resolution_rate"), LINKS)

    assert found.values[0][8] == 200 / 3
    assert (found.values[6][23], found.calls[6][23]) == (None, 1)


def test_percentiles_and_maxima_have_heat_maps_too() -> None:
    north = january(region=("North",))

    longest = heatmap(north, metric_of("longest_wait"), LINKS)
    median = heatmap(north, metric_of("wait_p50"), LINKS)

    assert longest.values[0][8] == 30.0
    assert median.values[0][8] is not None
    assert abs(median.values[0][8] - 20.0) <= 0.2


def test_an_hour_that_comes_twice_is_one_and_one_that_is_skipped_is_empty() -> None:
    back, forward = ("2025-10-26T00:30", "2025-10-26T01:30"), ("2025-03-30T00:30", "2025-03-30T01:30")
    aggregates = aggregates_of(*map(call, (*back, *forward)), zones=("Europe/Berlin",))
    window = Window(date(2025, 1, 1), date(2026, 1, 1))

    sunday = heatmap(aggregates.select("Europe/Berlin", window, Filter()), metric_of("calls"), LINKS).values[6]

    assert [(hour, calls) for hour, calls in enumerate(sunday) if calls] == [(1, 1), (2, 2), (3, 1)]
