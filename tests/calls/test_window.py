from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from supportapi.calls.window import Comparison, Window, comparison_window, hour_starts, partial_day

THE_28TH = Window(date(2006, 10, 28), date(2006, 10, 29))
THE_29TH = Window(date(2006, 10, 29), date(2006, 10, 30))


def test_a_day_ends_when_its_date_is_gone_from_the_clock_for_good() -> None:
    # St. John's showed the 29th for a minute, and then the last 59 minutes of the 28th again.
    assert THE_28TH.instants("America/St_Johns")[1] == datetime(2006, 10, 29, 3, 30, tzinfo=UTC)
    assert THE_29TH.instants("America/St_Johns")[0] == datetime(2006, 10, 29, 2, 30, tzinfo=UTC)


def test_a_midnight_that_comes_twice_ends_the_day_before_the_first_time() -> None:
    havana = Window(date(2022, 11, 5), date(2022, 11, 6))

    assert havana.instants("America/Havana")[1] == datetime(2022, 11, 6, 4, tzinfo=UTC)


def test_a_midnight_that_does_not_take_place_is_the_instant_that_skips_it() -> None:
    window = Window(date(2018, 11, 3), date(2018, 11, 4))

    assert window.instants("America/Sao_Paulo")[1] == datetime(2018, 11, 4, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "window", "exact"),
    [
        ("America/St_Johns", THE_28TH, False),
        ("America/St_Johns", THE_29TH, False),
        ("America/St_Johns", Window(date(2006, 10, 27), date(2006, 10, 28)), True),
        ("America/Havana", Window(date(2022, 11, 5), date(2022, 11, 6)), True),
        ("UTC", THE_28TH, True),
    ],
)
def test_only_a_clock_that_goes_back_over_midnight_mixes_two_days(zone: str, window: Window, *, exact: bool) -> None:
    assert window.exact(zone) is exact


@pytest.mark.parametrize(
    ("zone", "window", "hours"),
    [
        ("America/St_Johns", THE_28TH, 25),
        ("Europe/Berlin", Window(date(2024, 10, 27), date(2024, 10, 28)), 25),
        ("Europe/Berlin", Window(date(2024, 3, 31), date(2024, 4, 1)), 23),
        ("Australia/Lord_Howe", Window(date(2023, 4, 2), date(2023, 4, 3)), 25),
        ("Pacific/Apia", Window(date(2011, 12, 30), date(2011, 12, 31)), 0),
    ],
)
def test_a_day_has_as_many_hours_as_elapse_in_it(zone: str, window: Window, hours: int) -> None:
    assert len(hour_starts(window, zone)) == hours


@pytest.mark.parametrize(
    ("comparison", "window", "before"),
    [
        ("previous", ("2024-03-01", "2024-04-01"), ("2024-01-30", "2024-03-01")),
        ("previous_week", ("2024-03-04", "2024-03-05"), ("2024-02-26", "2024-02-27")),
        ("previous_month", ("2024-03-01", "2024-04-01"), ("2024-02-01", "2024-03-01")),
        ("previous_month", ("2023-03-31", "2023-04-01"), ("2023-02-28", "2023-03-01")),
        ("previous_month", ("2023-03-30", "2023-03-31"), ("2023-02-28", "2023-03-01")),
        ("previous_month", ("2023-03-29", "2023-03-31"), ("2023-02-28", "2023-03-01")),
        ("previous_month", ("2024-01-15", "2024-01-16"), ("2023-12-15", "2023-12-16")),
        ("previous_year", ("2024-02-29", "2024-03-01"), ("2023-02-28", "2023-03-01")),
        ("previous_year", ("2024-02-01", "2024-03-01"), ("2023-02-01", "2023-03-01")),
        ("previous_year", ("2025-02-01", "2025-03-01"), ("2024-02-01", "2024-03-01")),
    ],
)
def test_a_window_is_compared_with_the_days_that_its_comparison_names(
    comparison: Comparison, window: tuple[str, str], before: tuple[str, str]
) -> None:
    first, end, first_before, end_before = map(date.fromisoformat, (*window, *before))

    assert comparison_window(Window(first, end), comparison) == Window(first_before, end_before)


def test_nothing_is_compared_with_nothing() -> None:
    empty = Window(date(2024, 3, 31), date(2024, 3, 31))

    assert comparison_window(THE_28TH, "none") is None
    assert comparison_window(empty, "previous_month") == Window(date(2024, 2, 29), date(2024, 2, 29))


@pytest.mark.parametrize(
    ("newest", "zone", "day"),
    [
        ("2024-03-31T21:00:00", "Europe/Berlin", None),
        ("2024-03-31T20:59:59", "Europe/Berlin", "2024-03-31"),
        ("2024-10-27T21:59:59", "Europe/Berlin", "2024-10-27"),
        ("2024-10-27T22:00:00", "Europe/Berlin", None),
        ("2024-10-27T22:00:00", "UTC", "2024-10-27"),
        ("2006-10-29T02:15:00", "America/St_Johns", "2006-10-28"),
    ],
)
def test_a_day_may_have_calls_to_come_until_its_last_hour(newest: str, zone: str, day: str | None) -> None:
    moment = datetime.fromisoformat(newest).replace(tzinfo=UTC)

    assert partial_day(moment, zone) == (None if day is None else date.fromisoformat(day))


def test_without_calls_no_day_is_partial() -> None:
    assert partial_day(None, "UTC") is None
