from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from supportapi.calls.window import Window, hour_starts

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
