from __future__ import annotations

from datetime import date

import pytest

from supportapi.answers.query import FIRST_DAY, LAST_DAY, MetricsQuery, window_of, zone_of
from supportapi.calls.window import Comparison, Window, comparison_window
from supportapi.errors import ValidationFailed

DATA = Window(date(2026, 1, 10), date(2026, 3, 1))


def test_a_relative_window_ends_where_the_data_ends() -> None:
    assert window_of(MetricsQuery(range="7d"), DATA) == Window(date(2026, 2, 22), date(2026, 3, 1))


def test_a_window_with_one_end_reaches_to_the_end_of_the_data_on_the_other() -> None:
    assert window_of(MetricsQuery(from_=date(2026, 2, 1)), DATA) == Window(date(2026, 2, 1), date(2026, 3, 1))
    assert window_of(MetricsQuery(to=date(2026, 2, 1)), DATA) == Window(date(2026, 1, 10), date(2026, 2, 1))


def test_a_range_beside_a_day_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="not both"):
        window_of(MetricsQuery(range="7d", from_=date(2026, 2, 1)), DATA)


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="must be before"):
        window_of(MetricsQuery(from_=date(2026, 2, 2), to=date(2026, 2, 2)), DATA)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (MetricsQuery(from_=date(234, 8, 20)), ["from"]),
        (MetricsQuery(to=date.max), ["to"]),
        (MetricsQuery(from_=date.min, to=date.max), ["from", "to"]),
    ],
)
def test_a_day_of_another_age_is_refused(query: MetricsQuery, fields: list[str]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        window_of(query, DATA)

    assert [detail["field"] for detail in refused.value.details] == fields


@pytest.mark.parametrize("comparison", ["previous", "previous_week", "previous_month", "previous_year"])
def test_before_the_longest_window_there_is_room_to_compare(comparison: Comparison) -> None:
    window = window_of(MetricsQuery(from_=FIRST_DAY, to=LAST_DAY), DATA)

    earlier = comparison_window(window, comparison)

    assert earlier is not None
    assert earlier.start < window.start


def test_an_unknown_zone_is_refused_with_the_list() -> None:
    with pytest.raises(ValidationFailed, match="UTC, Europe/Berlin"):
        zone_of("Mars/Olympus", ("UTC", "Europe/Berlin"))
