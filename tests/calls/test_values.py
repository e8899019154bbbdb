from __future__ import annotations

import polars as pl
import pytest

from supportapi.calls.clean import ROW, clean
from supportapi.calls.judge import ALTERED, REASON
from supportapi.calls.mapping import read_mapping

BASE = 'time_zone = "UTC"\n[columns]\ncall_id = "id"\nstarted_at = "start"\n'


def row(columns: str, **source: object) -> dict[str, object]:
    values = {"id": "a", "start": "2024-05-06 12:00:00"} | source
    frame = pl.LazyFrame({name: [value] for name, value in values.items()}).with_row_index(ROW)
    return clean(frame, read_mapping(BASE + columns)).calls.collect().row(0, named=True)


@pytest.mark.parametrize(
    ("unit", "written", "seconds"),
    [
        ("h:mm:ss", "1.02:03:04", 93_784.0),
        ("h:mm:ss", "1 day, 2:03:04", 93_784.0),
        ("h:mm:ss", "0 days 00:05:00.250", 300.25),
        ("h:mm:ss", "0:00:07,25", 7.25),
        ("h:mm:ss", "\uff11:\uff10\uff12:\uff10\uff13", 3723.0),
        ("h:mm", "2:30", 9000.0),
        ("m:ss", "2:30", 150.0),
        ("iso8601", "PT1H2M3.5S", 3723.5),
        ("iso8601", "PT1,5M", 90.0),
        ("iso8601", "P1W", 604_800.0),
        ("iso8601", "p0.5d", 43_200.0),
        ("words", "5m 3s", 303.0),
        ("words", "2 min", 120.0),
        ("words", "1h02m03s", 3723.0),
        ("words", "1 hour, 2 minutes and 3 seconds", 3723.0),
        ("words", "2 hrs", 7200.0),
        ("words", "90 secs", 90.0),
        ("words", "250 ms", 0.25),
        ("words", "1 week 1 day", 691_200.0),
        ("seconds", "\u00a012\u200b", 12.0),
    ],
)
def test_a_length_is_read_in_every_spelling_of_its_unit(unit: str, written: str, seconds: float) -> None:
    assert row(f'wait_seconds = {{ from = "w", unit = "{unit}" }}', w=written)["wait_seconds"] == seconds


@pytest.mark.parametrize(("unit", "written"), [("iso8601", "P"), ("words", "and"), ("h:mm:ss", "1:75:00")])
def test_a_unit_without_an_amount_is_no_length(unit: str, written: str) -> None:
    assert row(f'wait_seconds = {{ from = "w", unit = "{unit}" }}', w=written)[REASON] == "wait_seconds_unreadable"


@pytest.mark.parametrize("written", ["-0:00:05", "\u22120:00:05"])
def test_a_negative_clock_is_negative_and_not_unreadable(written: str) -> None:
    cleaned = row('wait_seconds = { from = "w", unit = "h:mm:ss" }', w=written)

    assert (cleaned["wait_seconds"], cleaned[f"{ALTERED}wait_negative"], cleaned[REASON]) == (None, True, None)


@pytest.mark.parametrize(
    ("rule", "written", "seconds"),
    [
        ('thousands = ","', "1,234.5", 1234.5),
        ('thousands = " "', "1\u202f234", 1234.0),
        ('thousands = "\'"', "1'234'567", 1_234_567.0),
        ('decimal = ","', "1.234,5", 1234.5),
        ('decimal = ","', "12,5", 12.5),
        ('decimal = ","', 12.5, 12.5),
    ],
)
def test_signs_between_digits_are_declared(rule: str, written: object, seconds: float) -> None:
    assert row(f'wait_seconds = {{ from = "w", {rule} }}', w=written)["wait_seconds"] == seconds


@pytest.mark.parametrize(
    ("rule", "written"), [("", "1,234"), ('thousands = ","', "12,34"), ('decimal = ","', "1.5"), ("", "inf")]
)
def test_a_number_in_another_countrys_spelling_is_not_read_as_another_number(rule: str, written: str) -> None:
    cleaned = row(f'wait_seconds = {{ from = "w"{", " + rule if rule else ""} }}', w=written)

    assert cleaned[REASON] == "wait_seconds_unreadable"


def test_a_length_may_lie_between_two_instants() -> None:
    columns = 'duration_seconds = { between = ["answered", ["day", "hung_up"]] }'

    cleaned = row(columns, answered="2024-05-06T14:00:00+02:00", day="2024-05-06", hung_up="12:01:30.5")

    assert (cleaned["duration_seconds"], cleaned[REASON]) == (90.5, None)


@pytest.mark.parametrize(
    ("answered", "hung_up", "reason"),
    [(None, "2024-05-06 12:00", None), ("soon", "2024-05-06 12:00", "wait_seconds_unreadable"), (None, None, None)],
)
def test_a_length_is_not_known_unless_both_its_ends_are(answered: object, hung_up: object, reason: object) -> None:
    cleaned = row('wait_seconds = { between = ["b", "e"] }', b=answered, e=hung_up)

    assert (cleaned["wait_seconds"], cleaned[REASON]) == (None, reason)


def test_a_length_over_midnight_is_declared() -> None:
    columns = 'duration_seconds = { between = ["b", { from = "e", next_day_when_before_start = true }] }'

    assert row(columns, b="2024-05-06 23:59:00", e="2024-05-06 00:01:00")["duration_seconds"] == 120.0


def test_an_end_before_its_beginning_is_negative_and_counted() -> None:
    cleaned = row('duration_seconds = { between = ["b", "e"] }', b="2024-05-06 12:01", e="2024-05-06 12:00")

    assert (cleaned["duration_seconds"], cleaned[f"{ALTERED}duration_negative"]) == (None, True)


@pytest.mark.parametrize(
    ("rule", "talk", "answered"),
    [
        ("above = 0", "12", True),
        ("above = 0", "0", False),
        ("above = 0", None, None),
        ("present = true", "x", True),
        ("present = true", " ", False),
        ("present = false", None, True),
        ('matches = "[1-9]"', "0:00:07", True),
        ('matches = "[1-9]"', "0:00:00", False),
        ('is = ["agent", "bot"]', "AGENT", True),
        ('is_not = "lost"', "Lost", False),
    ],
)
def test_a_flag_may_be_what_another_column_says(rule: str, talk: object, answered: object) -> None:
    assert row(f'answered = {{ when = {{ column = "t", {rule} }} }}', t=talk)["answered"] is answered


@pytest.mark.parametrize(
    ("rule", "written", "rating"),
    [
        ('words = { "Very good" = 5, Bad = 1 }', "very good", 5),
        ('words = { "Very good" = 5 }', "4", 4),
        ("words = { Best = 10 }, rating_scale = { from = [0, 10] }", "best", 5),
        ("rating_scale = { from = [5, 1] }", "1", 5),
        ("rating_scale = { from = [5, 1] }", "4", 2),
        ("rating_scale = { from = [6, 1] }", "7", None),
        ("rating_scale = { from = [1, 5] }", "4.5", 5),
        ("rating_scale = { from = [0, 100] }", "80 %", 4),
        ('decimal = ","', "4,0", 4),
    ],
)
def test_ratings_come_in_words_and_on_scales_of_either_direction(rule: str, written: str, rating: object) -> None:
    cleaned = row(f'rating = {{ from = "r", {rule} }}', r=written)

    assert (cleaned["rating"], cleaned[REASON]) == (rating, None)


@pytest.mark.parametrize(
    ("rule", "written", "region"),
    [
        ('words = { n = "North" }', "N", "North"),
        ('words = { n = "North" }', "South", "South"),
        ('words = { n = "North" }, other = "Elsewhere"', "South", "Elsewhere"),
        ('words = { n = "North" }, other = ""', "South", None),
        ('words = { n = "" }', "N", None),
        ('words = { n = "North" }, other = "Elsewhere"', "", None),
        ('null_words = ["n/a"]', "N/A", None),
        ('null_words = ["-"]', " - ", None),
        ("constant = 'x'", "y", "x"),
        ("only_when = { column = 'id', matches = '^b' }", "y", None),
    ],
)
def test_texts_become_the_words_that_are_declared(rule: str, written: str, region: object) -> None:
    origin = "" if "constant" in rule else 'from = "r", '

    assert row(f"region = {{ {origin}{rule} }}", r=written)["region"] == region
