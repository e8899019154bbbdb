from __future__ import annotations

import pytest

from supportapi.calls.suggest.times import Times, times_of
from tests.calls.suggest.frames import column


def found(header: str, *values: str | None) -> Times:
    times = times_of(column(header, values))
    assert times is not None
    return times


@pytest.mark.parametrize(
    ("values", "formats", "kind"),
    [
        (("2024-05-06T12:00:00Z", "2024-05-07T12:00:00+02:00"), ("iso",), "instant"),
        (("2024-05-06 12:00", "2024-05-07 12:00"), ("iso",), "instant"),
        (("2024-05-06", "2024-05-07"), ("iso",), "date"),
        (("06.05.2024 12:00:00 UTC", "17.05.2024 12:00:00 UTC"), ("%d.%m.%Y %H:%M:%S %z",), "instant"),
        (("13.5.24 7:05", "1.6.24 17:45"), ("%d.%m.%y %H:%M",), "instant"),
        (("05/13/2024 7:05 PM", "06/01/2024 11:45 AM"), ("%m/%d/%Y %I:%M %p",), "instant"),
        (("05/13/2024 7:05pm", "06/01/2024 11:45am"), ("%m/%d/%Y %I:%M%p",), "instant"),
        (("13-May-2024 07:05:09", "1-Jun-2024 17:45:00"), ("%d-%b-%Y %H:%M:%S",), "instant"),
        (("May 13, 2024, 7:05 AM", "Jun 1, 2024, 9:05 AM"), ("%b %d, %Y, %I:%M %p",), "instant"),
        (("Mon, 13 May 2024 07:05:09 +0200",), ("%a, %d %b %Y %H:%M:%S %z",), "instant"),
        (("Mon 05/13/2024 7:05 AM", "Sat 06/01/2024 5:45 PM"), ("%a %m/%d/%Y %I:%M %p",), "instant"),
        (("Monday, 13/05/2024 7:05", "Saturday, 1/6/2024 17:45"), ("%A, %d/%m/%Y %H:%M",), "instant"),
        (("2024/05/06 12:00:00.123", "2024/05/07 12:00:00.5"), ("%Y/%m/%d %H:%M:%S%.f",), "instant"),
        (("990213", "990214", "990128"), ("%y%m%d",), "date"),
        (("20240513", "20240514"), ("%Y%m%d",), "date"),
        (("7:02:47", "17:31:45"), ("%H:%M:%S",), "clock"),
        (("07h02", "17h31"), ("%Hh%M",), "clock"),
        (("5/13/2024, 7:05:09\u202fAM", "5/14/2024, 5:45:00\u202fPM"), ("%m/%d/%Y, %I:%M:%S %p",), "instant"),
        (("7:02 AM", "5:31 PM"), ("%I:%M %p",), "clock"),
        (("1714980000", "1714980611"), ("epoch_seconds",), "instant"),
        (("1714980000123", "1714980611456"), ("epoch_milliseconds",), "instant"),
        (("45418.375", "45418.5"), ("excel",), "instant"),
        (("05.06.2024 12:00", "07.08.2024 12:00"), ("%d.%m.%Y %H:%M",), "instant"),
        (("13/05/2024 7:05", "14/05/2024 7:05:30"), ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"), "instant"),
    ],
)  # fmt: skip
def test_formats_are_told_from_the_values(values: tuple[str, ...], formats: tuple[str, ...], kind: str) -> None:
    times = found("call date", *values)

    assert (set(times.formats), times.kind, times.read) == (set(formats), kind, len(values))
    assert times.other == ()


def test_six_digits_are_a_time_of_day_where_the_header_says_so() -> None:
    times = found("CALL_TM", "051950", "235959", "000007")

    assert (times.formats, times.kind, times.read) == (("%H%M%S",), "clock", 3)


def test_one_day_above_twelve_decides_and_is_counted() -> None:
    times = found("date", "01/02/2024", "03/04/2024", "05/31/2024")

    assert (times.formats, times.other) == (("%m/%d/%Y",), ())
    assert times.hint == "1 values cannot be %d/%m/%Y"


def test_days_up_to_twelve_leave_both_ways_open() -> None:
    times = found("date", "01/02/2024", "03/02/2024", "02/03/2024")

    assert {times.formats, *times.other} == {("%d/%m/%Y",), ("%m/%d/%Y",)}
    assert times.hint == "the rows are in ascending order as %d/%m/%Y only"


def test_a_year_of_one_digit_is_none() -> None:
    times = found("date", "3/4/24", "5/4/24")

    assert {times.formats, *times.other} == {("%d/%m/%y",), ("%m/%d/%y",)}


def test_two_digits_for_the_year_are_told_when_the_other_way_would_take_decades() -> None:
    times = found("date", *(f"2405{day:02d}" for day in range(1, 32)))

    assert (times.formats, times.other) == (("%y%m%d",), ())


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("customer number", ("990213", "990214")),
        ("account", ("1714980000", "1714980611")),
        ("date", ("soon", "later")),
        ("date", ("2024-05-06", "soon", "later")),
        ("started", (None, None)),
    ],
)
def test_what_is_no_time_is_not_taken_for_one(header: str, values: tuple[str | None, ...]) -> None:
    assert times_of(column(header, values)) is None


def test_a_few_unreadable_values_are_counted_and_not_hidden() -> None:
    times = found("date", *["2024-05-06"] * 19, "soon")

    assert times.evidence == "19 of 20 values read as iso (dates without a time of day)"
