"""Nights on which a clock goes over midnight backwards or forwards, and zones that are not whole hours from UTC."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from supportapi.calls.listing import page
from supportapi.calls.selection import Order, Selection
from supportapi.calls.window import Window
from supportapi.rollups.questions import Question
from tests.rollups import oracle
from tests.rollups.few_calls import AMPLE, NOTHING, aggregates_of, frame, row

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

NIGHTS = [
    ("America/St_Johns", datetime(2006, 10, 29, 2, 31, tzinfo=UTC)),  # 00:01 on the 29th, then 23:01 on the 28th
    ("America/St_Johns", datetime(2007, 3, 11, 3, 31, tzinfo=UTC)),  # 00:01, then 01:01
    ("America/Havana", datetime(2022, 11, 6, 5, tzinfo=UTC)),  # 01:00, then 00:00: midnight comes twice
    ("America/Havana", datetime(2023, 3, 12, 5, tzinfo=UTC)),  # 00:00 becomes 01:00: no midnight
    ("America/Sao_Paulo", datetime(2018, 2, 18, 2, tzinfo=UTC)),  # 24:00 becomes 23:00
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),  # no midnight
    ("Asia/Beirut", datetime(2022, 10, 29, 21, tzinfo=UTC)),  # 24:00 becomes 23:00
    ("Asia/Amman", datetime(2021, 10, 28, 22, tzinfo=UTC)),  # midnight comes twice
    ("Australia/Lord_Howe", datetime(2023, 4, 1, 15, tzinfo=UTC)),  # back by half an hour
    ("Australia/Lord_Howe", datetime(2023, 9, 30, 15, 30, tzinfo=UTC)),  # forward by half an hour
    ("Australia/Adelaide", datetime(2023, 4, 1, 16, 30, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2023, 4, 1, 18, 15, tzinfo=UTC)),  # no change, and 5:45 from UTC
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # the 30th did not take place
]
WINDOWS = [(first, days) for first in (-2, -1, 0, 1) for days in (1, 2, 3)]


def rows_around(night: datetime) -> list[oracle.Row]:
    """A call every seven minutes, and one at each minute of the hour before and after."""
    minutes = sorted({*range(-2880, 2880, 7), *range(-61, 62)})
    return [
        row(night + timedelta(minutes=minute), call_id=f"{number:04}", rating=1 + number % 5)
        for number, minute in enumerate(minutes)
    ]


def window_around(night: datetime, zone: str, first: int, days: int) -> Window:
    start = oracle.local_day({"started_at": night}, zone) + timedelta(days=first)
    return Window(start, start + timedelta(days=days))


def counted(aggregates: Aggregates, zone: str, window: Window, grain: str) -> dict[Any, int]:
    answer = aggregates.tally(Question(zone, window, by=(grain,)))
    return dict(zip(answer.keys[-1], answer.tally["calls"].tolist(), strict=True))


@pytest.mark.parametrize(("zone", "night"), NIGHTS)
@pytest.mark.parametrize("budget", [AMPLE, NOTHING])
def test_hours_and_days_each_add_up_to_the_calls_of_the_window(zone: str, night: datetime, budget: int) -> None:
    rows = rows_around(night)
    aggregates = aggregates_of(rows, (zone,), budget)
    windows = [window_around(night, zone, *each) for each in WINDOWS]
    calls = [len(oracle.parted(rows, Question(zone, window)).cells.get((), [])) for window in windows]

    by_hour = [sum(counted(aggregates, zone, window, "hour").values()) for window in windows]
    by_day = [sum(counted(aggregates, zone, window, "day").values()) for window in windows]

    assert by_hour == calls
    assert by_day == calls


@pytest.mark.parametrize(("zone", "night"), NIGHTS)
def test_each_call_is_in_the_one_hour_that_holds_it(zone: str, night: datetime) -> None:
    rows = rows_around(night)
    window = window_around(night, zone, -1, 3)
    expected = {each["started_at"]: 0 for each in rows}

    hours = counted(aggregates_of(rows, (zone,)), zone, window, "hour")

    starts = sorted(hours)
    assert all(after - before == timedelta(hours=1) for before, after in pairwise(starts))
    inside = {
        start: sum(
            start <= moment < start + timedelta(hours=1)
            for moment in expected
            if window.start <= oracle.local_day({"started_at": moment}, zone) < window.end
        )
        for start in starts
    }
    assert hours == inside


@pytest.mark.parametrize(("zone", "night"), NIGHTS)
def test_the_hours_of_a_window_are_those_in_which_its_days_are_on_the_clock(zone: str, night: datetime) -> None:
    window = window_around(night, zone, -1, 2)
    moments = [night + timedelta(minutes=minute) for minute in range(-6000, 6000)]
    lived = [
        moment for moment in moments if window.start <= oracle.local_day({"started_at": moment}, zone) < window.end
    ]

    starts = list(counted(aggregates_of(rows_around(night), (zone,)), zone, window, "hour"))

    assert starts[0] == lived[0]
    assert starts[-1] <= lived[-1] < starts[-1] + timedelta(hours=1)


@pytest.mark.parametrize(("zone", "night"), NIGHTS)
def test_an_hour_of_the_week_has_the_calls_for_which_the_clock_on_the_wall_says_it(zone: str, night: datetime) -> None:
    rows = rows_around(night)
    window = window_around(night, zone, -2, 4)
    walls = [each["started_at"].astimezone(ZoneInfo(zone)) for each in rows]
    lived = Counter((wall.weekday(), wall.hour) for wall in walls if window.start <= wall.date() < window.end)

    hours = counted(aggregates_of(rows, (zone,)), zone, window, "hour_of_week")

    assert hours == {(weekday, hour): lived[weekday, hour] for weekday in range(7) for hour in range(24)}


@pytest.mark.parametrize(("zone", "night"), NIGHTS)
def test_a_list_has_the_calls_that_the_numbers_count(zone: str, night: datetime) -> None:
    rows = rows_around(night)
    windows = [window_around(night, zone, *each) for each in WINDOWS]

    listed = [
        page(frame(rows), Selection(window=window, zone=zone), Order(), offset=0, limit=9999) for window in windows
    ]

    aggregates = aggregates_of(rows, (zone,))
    totals = [int(aggregates.tally(Question(zone, window)).tally["calls"]) for window in windows]
    assert [len(page) for page in listed] == totals
