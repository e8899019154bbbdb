from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from supportapi.calls.clean import ROW, clean
from supportapi.calls.judge import REASON
from supportapi.calls.mapping import read_mapping

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def read(rule: str, written: object, zone: str = '"UTC"', **others: object) -> dict[str, object]:
    """A row whose start is `written`, read by `rule`."""
    mapping = read_mapping(f'time_zone = {zone}\n[columns]\ncall_id = "id"\nstarted_at = {{ from = "start"{rule} }}')
    source = {"id": "a", "start": written} | others
    frame = pl.LazyFrame({name: [value] for name, value in source.items()}).with_row_index(ROW)
    return clean(frame, mapping).calls.collect().row(0, named=True)


@pytest.mark.parametrize(
    "written",
    [
        "2024-05-06T12:00:00Z",
        "2024-05-06t12:00:00z",
        "2024-05-06T14:00:00+02:00",
        "2024-05-06T14:00:00+0200",
        "2024-05-06T14:00:00+02",
        "2024-05-06 14:00:00 +0200",
        "2024-05-06T14:00:00+02:00[Europe/Berlin]",
        "2024-05-06 12:00:00 UTC",
        "2024-05-06 12:00:00 (GMT)",
        "2024-05-06 12:00:00",
        "2024-05-06T12:00",
        "2024-05-06T12:00Z",
        "20240506T120000Z",
        "20240506T140000+0200",
        "20240506T120000",
        "20240506T1200",
        "\ufeff 2024-05-06\u00a012:00:00\u200b",
        "\uff12\uff10\uff12\uff14-\uff10\uff15-\uff10\uff16 \uff11\uff12:\uff10\uff10",
    ],
)
def test_iso_8601_is_read_in_all_its_spellings(written: str) -> None:
    assert read("", written)["started_at"] == NOON


@pytest.mark.parametrize(
    ("written", "microsecond"),
    [
        ("2024-05-06T12:00:00.5Z", 500_000),
        ("2024-05-06T12:00:00.123456789123Z", 123_456),
        ("2024-05-06 12:00:00,123", 123_000),
    ],
)
def test_a_fraction_of_a_second_may_have_any_length_and_a_comma(written: str, microsecond: int) -> None:
    assert read("", written)["started_at"] == NOON.replace(microsecond=microsecond)


@pytest.mark.parametrize("written", ["2024-05-06T12:00:00[Europe/Berlin]", "2024-05-06 12:00:00 CEST", "06/05/2024"])
def test_what_iso_8601_does_not_say_is_not_guessed(written: str) -> None:
    assert read("", written)[REASON] == "started_at_unreadable"


@pytest.mark.parametrize(
    ("pattern", "written", "instant"),
    [
        ("%m/%d/%Y %I:%M %p", "5/6/2024 1:05 PM", NOON.replace(hour=13, minute=5)),
        ("%m/%d/%Y %I:%M %p", "5/6/2024 1:05pm", NOON.replace(hour=13, minute=5)),
        ("%m/%d/%Y %I:%M %p", "05/06/2024 01:05 p.m.", NOON.replace(hour=13, minute=5)),
        ("%d/%m/%Y %I:%M %p", "6/5/2024 1:05 p. m.", NOON.replace(hour=13, minute=5)),
        ("%d/%m/%Y %I:%M %p", "6/5/2024 1:05\u202fp.\u00a0m.", NOON.replace(hour=13, minute=5)),
        ("%d/%m/%Y %I:%M:%S %p", "6/5/2024 12:00:01 AM", NOON.replace(hour=0, second=1)),
        ("%d/%m/%Y %I:%M:%S %p", "6/5/2024 12:00:01 a.m.", NOON.replace(hour=0, second=1)),
        ("%d %b %Y %H:%M", "6 MAY 2024 12:00", NOON),
        ("%B %d, %Y %H:%M", "May 6, 2024 12:00", NOON),
        ("%d.%m.%y %H:%M", "6.5.24 12:00", NOON),
        ("%d/%m/%Y %H:%M:%S%.f", "06/05/2024 12:00:00,25", NOON.replace(microsecond=250_000)),
        ("%d/%m/%Y %H:%M %z", "06/05/2024 14:00 +0200", NOON),
        ("epoch_seconds", "1714996800", NOON),
        ("epoch_seconds", 1714996800.5, NOON.replace(microsecond=500_000)),
        ("epoch_milliseconds", 1714996800500, NOON.replace(microsecond=500_000)),
        ("epoch_microseconds", "1714996800123456", NOON.replace(microsecond=123_456)),
        ("epoch_nanoseconds", "1714996800123456789", NOON.replace(microsecond=123_456)),
        ("excel", "45418.5", NOON),
        ("excel", "45418,5", NOON),
    ],
)
def test_an_instant_is_read_by_its_declared_format(pattern: str, written: object, instant: datetime) -> None:
    assert read(f', formats = "{pattern}"', written)["started_at"] == instant


def test_epochs_of_two_units_are_told_apart_by_the_years_that_they_mean() -> None:
    rule = ', formats = ["epoch_seconds", "epoch_milliseconds"]'

    assert read(rule, "1714996800000")["started_at"] == NOON


@pytest.mark.parametrize(("first", "month"), [("%d/%m/%Y", 6), ("%m/%d/%Y", 5)])
def test_day_or_month_first_is_what_the_format_says(first: str, month: int) -> None:
    assert read(f', formats = "{first}"', "05/06/2024")["started_at"] == datetime(2024, month, 11 - month, tzinfo=UTC)


def test_a_day_that_cannot_be_one_does_not_turn_the_format_round() -> None:
    assert read(', formats = "%d/%m/%Y"', "05/13/2024")[REASON] == "started_at_unreadable"


def test_abbreviations_mean_the_offsets_that_are_declared() -> None:
    rule = ', formats = "%Y-%m-%d %H:%M %z", offsets = { CET = "+01:00", CEST = "+02:00" }'

    assert read(rule, "2024-10-27 02:30 CEST")["started_at"] == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert read(rule, "2024-10-27 02:30 CET")["started_at"] == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)


def test_abbreviations_stand_behind_halves_of_the_day_too() -> None:
    rule = ', formats = "%b %d, %Y %I:%M %p %z", offsets = { PST = "-08:00" }'

    assert read(rule, "May 06, 2024 04:00 AM PST")["started_at"] == NOON


def test_a_column_may_have_a_zone_of_its_own() -> None:
    assert read(', time_zone = "Asia/Tokyo"', "2024-05-06 21:00:00")["started_at"] == NOON


@pytest.mark.parametrize(("site", "clock"), [("B1", "14:00"), ("ny", "08:00")])
def test_the_zone_may_stand_in_another_column(site: str, clock: str) -> None:
    zone = '{ from = "site", words = { B1 = "Europe/Berlin", NY = "America/New_York" } }'

    assert read("", f"2024-05-06 {clock}", zone, site=site)["started_at"] == NOON


def test_a_site_without_a_declared_zone_is_rejected() -> None:
    zone = '{ from = "site", words = { B1 = "Europe/Berlin" } }'

    assert read("", "2024-05-06 12:00", zone, site="X")[REASON] == "started_at_not_in_time_zone"


def test_the_first_known_of_several_columns_counts() -> None:
    mapping = read_mapping(
        'time_zone = "UTC"\n[columns]\ncall_id = { first_of = ["a", "b"] }\nstarted_at = { first_of = ["s", "t"] }'
    )
    frame = pl.LazyFrame({"a": [None, "1"], "b": ["2", "3"], "s": ["", "2024-05-06"], "t": ["2024-05-06T12:00Z", None]})

    calls = clean(frame.with_row_index(ROW), mapping).calls.collect()

    assert calls.select("call_id", "started_at").rows() == [("2", NOON), ("1", NOON.replace(hour=0))]
