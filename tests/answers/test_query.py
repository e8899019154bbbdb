from __future__ import annotations

from datetime import date

import pytest

from supportapi.answers.query import MetricsQuery, window_of, zone_of
from supportapi.calls.window import Window
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


def test_an_unknown_zone_is_refused_with_the_list() -> None:
    with pytest.raises(ValidationFailed, match="UTC, Europe/Berlin"):
        zone_of("Mars/Olympus", ("UTC", "Europe/Berlin"))
