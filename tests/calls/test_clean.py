from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from supportapi.calls.clean import ROW, clean
from supportapi.calls.columns import ENDED_AT_SUMS
from supportapi.calls.judge import ALTERED, REASON
from supportapi.calls.mapping import read_mapping
from supportapi.errors import MappingInvalid

BASE = """
time_zone = "{zone}"
{top}
[columns]
call_id = "id"
started_at = {{ from = "start", formats = ["iso"] }}
{columns}
"""


def row(columns: str = "", *, zone: str = "UTC", top: str = "", **source: object) -> dict[str, object]:
    """The one row of a source with a good id and start, by a mapping with `columns` added."""
    return one_row(columns, source, zone=zone, top=top)


def one_row(columns: str, source: dict[str, object], *, zone: str = "UTC", top: str = "") -> dict[str, object]:
    mapping = read_mapping(BASE.format(zone=zone, top=top, columns=columns))
    frame = pl.LazyFrame(
        {name: [value] for name, value in ({"id": "a", "start": "2024-05-06 12:00:00"} | source).items()}
    )
    return clean(frame.with_row_index(ROW), mapping).calls.collect().row(0, named=True)


def altered(cleaned: dict[str, object]) -> list[str]:
    return [name.removeprefix(ALTERED) for name, value in cleaned.items() if name.startswith(ALTERED) and value is True]


def test_an_unanswered_call_without_times_is_a_call() -> None:
    cleaned = row('answered = "a"\nduration_seconds = "d"\nwait_seconds = "w"', a="N", d="", w=None)

    assert (cleaned["answered"], cleaned["duration_seconds"], cleaned["wait_seconds"], cleaned[REASON]) == (
        False,
        None,
        None,
        None,
    )
    assert altered(cleaned) == []


def test_headers_may_differ_in_case_blanks_and_signs() -> None:
    assert row('region = "customer region"', Customer_Region="North")["region"] == "North"


def test_a_missing_source_column_is_told_with_the_nearest_one() -> None:
    with pytest.raises(MappingInvalid) as refused:
        row('region = "Regoin"', Region="North")

    assert refused.value.facts["problems"] == [
        "columns.region.from: the file has no column 'Regoin'; did you mean 'Region'?"
    ]


@pytest.mark.parametrize(("name", "value"), [("id", None), ("id", "  "), ("start", None)])
def test_a_row_without_an_id_or_a_start_is_rejected(name: str, value: object) -> None:
    column = {"id": "call_id", "start": "started_at"}[name]

    assert one_row("", {name: value})[REASON] == f"{column}_missing"


def test_several_columns_make_a_key_and_a_null_part_makes_none() -> None:
    assert row('customer_id = { from = ["x", "y"], join = "/" }', x="1", y="2")["customer_id"] == "1/2"
    assert row('customer_id = { from = ["x", "y"] }', x="1", y=None)["customer_id"] is None


def test_null_words_words_and_constants() -> None:
    cleaned = row(
        'region = { from = "r", null_words = ["0"] }\nissue_type = { from = "i", words = { PS = "Regular" } }\n'
        'channel = { constant = "phone" }\nresolution = "x"',
        top='null_words = ["n/a"]',
        r="0",
        i="PS",
        x="n/a",
    )

    assert (cleaned["region"], cleaned["issue_type"], cleaned["channel"], cleaned["resolution"]) == (
        None,
        "Regular",
        "phone",
        None,
    )


@pytest.mark.parametrize(
    ("zone", "rules", "written", "instant"),
    [
        ("Europe/Berlin", "", "2024-05-06 12:00:00", datetime(2024, 5, 6, 10, tzinfo=UTC)),
        ("Europe/Berlin", "", "2024-05-06T12:00:00+05:00", datetime(2024, 5, 6, 7, tzinfo=UTC)),
        ("Europe/Berlin", "", "2024-10-27 02:30:00", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
        ("Europe/Berlin", 'ambiguous = "latest"', "2024-10-27 02:30:00", datetime(2024, 10, 27, 1, 30, tzinfo=UTC)),
        ("Europe/Berlin", 'nonexistent = "shift"', "2024-03-31 02:30:00", datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
    ],
)
def test_clock_times_become_instants_by_the_zones_rules(zone: str, rules: str, written: str, instant: datetime) -> None:
    assert row(zone=zone, top=rules, start=written)["started_at"] == instant


@pytest.mark.parametrize(
    ("rules", "written", "reason"),
    [
        ("", "2024-03-31 02:30:00", "started_at_not_in_time_zone"),
        ('ambiguous = "reject"', "2024-10-27 02:30:00", "started_at_not_in_time_zone"),
        ("", "last Tuesday", "started_at_unreadable"),
    ],
)
def test_a_start_that_cannot_be_placed_is_rejected(rules: str, written: str, reason: str) -> None:
    assert row(zone="Europe/Berlin", top=rules, start=written)[REASON] == reason


@pytest.mark.parametrize(
    ("pattern", "written", "instant"),
    [
        ('["%d/%m/%Y %H:%M", "%Y%m%d %H%M"]', "06/05/2024 12:00", datetime(2024, 5, 6, 12, tzinfo=UTC)),
        ('["%d/%m/%Y %H:%M", "%Y%m%d %H%M"]', "20240506 1200", datetime(2024, 5, 6, 12, tzinfo=UTC)),
        ('"%m/%d/%Y %I:%M %p"', "5/6/2024 12:00 AM", datetime(2024, 5, 6, tzinfo=UTC)),
        ('"%d.%m.%y %H:%M"', "6.5.99 7:02", datetime(1999, 5, 6, 7, 2, tzinfo=UTC)),
        ('"epoch_seconds"', 1714996800, datetime(2024, 5, 6, 12, tzinfo=UTC)),
        ('"epoch_milliseconds"', "1714996800500", datetime(2024, 5, 6, 12, 0, 0, 500_000, tzinfo=UTC)),
        ('"excel"', 45418.5, datetime(2024, 5, 6, 12, tzinfo=UTC)),
        ('"%d/%m/%Y"', datetime(2024, 5, 6, 12, tzinfo=UTC), datetime(2024, 5, 6, 12, tzinfo=UTC)),
        ('"%d/%m/%Y"', date(2024, 5, 6), datetime(2024, 5, 6, tzinfo=UTC)),
    ],
)
def test_instants_are_read_by_the_declared_formats(pattern: str, written: object, instant: datetime) -> None:
    mapping = read_mapping(
        f'time_zone = "UTC"\n[columns]\ncall_id = "id"\nstarted_at = {{ from = "start", formats = {pattern} }}'
    )

    calls = clean(pl.LazyFrame({"id": ["a"], "start": [written]}).with_row_index(ROW), mapping).calls.collect()

    assert calls["started_at"].to_list() == [instant]


def test_a_two_digit_year_is_not_read_as_a_year_of_the_first_century() -> None:
    mapping = read_mapping(
        'time_zone = "UTC"\n[columns]\ncall_id = "id"\nstarted_at = { from = "s", formats = "%d/%m/%Y" }'
    )

    calls = clean(pl.LazyFrame({"id": ["a"], "s": ["06/05/24"]}).with_row_index(ROW), mapping).calls.collect()

    assert calls[REASON].to_list() == ["started_at_unreadable"]


@pytest.mark.parametrize(
    ("unit", "written", "seconds"),
    [
        ('"seconds"', "12.5", 12.5),
        ('"minutes"', "2.38", 142.8),
        ('"hours"', "0.5", 1800.0),
        ('"milliseconds"', "1500", 1.5),
        ('"h:mm:ss"', "1:02:03", 3723.0),
        ('"h:mm:ss"', "26:00:00", 93600.0),
        ('"m:ss"', "75:01", 4501.0),
        ('"iso8601"', "PT2M3.5S", 123.5),
        ('"excel_days"', "0.5", 43200.0),
        ('["h:mm:ss", "seconds"]', "90", 90.0),
        ('"seconds"', timedelta(seconds=7), 7.0),
        ('"seconds"', timedelta(hours=30, seconds=7, milliseconds=250), 108_007.25),
    ],
)
def test_lengths_of_time_are_read_by_their_unit(unit: str, written: object, seconds: float) -> None:
    assert row(f'wait_seconds = {{ from = "w", unit = {unit} }}', w=written)["wait_seconds"] == seconds


def test_a_decimal_comma_is_declared() -> None:
    assert row('wait_seconds = { from = "w", decimal = "," }', w="1.234,5")["wait_seconds"] == 1234.5


def test_an_unreadable_number_rejects_the_row_unless_it_may_be_null() -> None:
    strict = row('wait_seconds = "w"', w="soon")
    lenient = row('wait_seconds = { from = "w", unreadable = "null" }', w="soon")

    assert strict[REASON] == "wait_seconds_unreadable"
    assert (lenient[REASON], lenient["wait_seconds"], altered(lenient)) == (None, None, ["wait_seconds_unreadable"])


def test_a_negative_wait_becomes_null_and_is_counted_unless_it_is_to_be_rejected() -> None:
    lenient = row('wait_seconds = "w"', w="-3")
    strict = row('wait_seconds = { from = "w", outside = "reject" }', w="-3")

    assert (lenient[REASON], lenient["wait_seconds"], altered(lenient)) == (None, None, ["wait_negative"])
    assert strict[REASON] == "wait_negative"


def test_a_duration_of_0_becomes_null_and_is_counted() -> None:
    cleaned = row('duration_seconds = "d"', d="0")

    assert (cleaned["duration_seconds"], altered(cleaned)) == (None, ["duration_zero"])


def test_an_end_before_the_start_becomes_null_and_is_counted() -> None:
    cleaned = row('ended_at = "e"', e="2024-05-06 11:59:59")

    assert (cleaned["ended_at"], altered(cleaned)) == (None, ["ended_at_before_started_at"])


def test_an_end_on_the_clock_may_belong_to_the_next_day() -> None:
    cleaned = row(
        'ended_at = { from = "e", next_day_when_before_start = true }',
        start="2024-05-06 23:59:00",
        e="2024-05-06 00:02:00",
    )

    assert cleaned["ended_at"] == datetime(2024, 5, 7, 0, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wait", "talk", "seconds"), [("10", "20", 30), ("10", "", None), ("", "20", None), ("0", "20", 20)]
)
def test_an_end_is_derived_when_both_lengths_are_known(wait: str, talk: str, seconds: int | None) -> None:
    cleaned = row(
        f'wait_seconds = "w"\nduration_seconds = "d"\nended_at = {{ derive = "{ENDED_AT_SUMS[0]}" }}',
        w=wait,
        d=talk,
    )

    ended = None if seconds is None else datetime(2024, 5, 6, 12, tzinfo=UTC) + timedelta(seconds=seconds)
    assert cleaned["ended_at"] == ended


def test_a_value_counts_only_in_the_rows_that_are_meant() -> None:
    rule = 'duration_seconds = { from = "d", only_when = { column = "o", is = "AGENT" } }'

    assert row(rule, d="7", o="AGENT")["duration_seconds"] == 7.0
    assert row(rule, d="7", o="HANG")["duration_seconds"] is None
    assert row(rule.replace("is =", "is_not ="), d="7", o="AGENT")["duration_seconds"] is None
    assert row(rule.replace("is =", "is_not ="), d="7", o=None)["duration_seconds"] == 7.0


@pytest.mark.parametrize(
    ("other", "word", "answered", "reason"),
    [
        ("reject", "Agent", True, None),
        ("reject", "HANG", False, None),
        ("reject", "?", None, "answered_unknown_word"),
        ("null", "?", None, None),
        ("false", "?", False, None),
        ("true", "", None, None),
    ],
)
def test_yes_and_no_are_declared_words(other: str, word: str, answered: object, reason: str | None) -> None:
    cleaned = row(
        f'answered = {{ from = "o", true_words = "agent", false_words = ["hang"], other = "{other}" }}', o=word
    )

    assert (cleaned["answered"], cleaned[REASON]) == (answered, reason)


@pytest.mark.parametrize(
    ("scale", "written", "rating"),
    [
        ("", "4", 4),
        ("", "4.0", 4),
        ("", "4.5", None),
        ("", "7", None),
        (', rating_scale = { from = [1, 10], rule = "ceil(x/2)" }', "7", 4),
        (', rating_scale = { from = [0, 50], to = [1, 5], rule = "ceil(x/10)" }', "30", 3),
        (', rating_scale = { from = [0, 1], to = [1, 5], rule = "ceil(x/0.2)" }', "0.6", 3),
        (", rating_scale = { from = [1, 10] }", "10", 5),
        (", rating_scale = { from = [1, 10] }", "1", 1),
        (", rating_scale = { from = [0, 100] }", "49", 3),
        (", rating_scale = { from = [1, 10] }", "11", None),
    ],
)
def test_ratings_are_mapped_by_a_declared_rule_and_never_clipped(scale: str, written: str, rating: int | None) -> None:
    cleaned = row(f'rating = {{ from = "r"{scale} }}', r=written)

    assert (cleaned["rating"], cleaned[REASON]) == (rating, None)
    assert altered(cleaned) == ([] if rating else ["rating_outside_scale"])


def test_a_rating_outside_its_scale_may_reject_the_row() -> None:
    assert row('rating = { from = "r", outside = "reject" }', r="6")[REASON] == "rating_outside_scale"


def test_an_agents_id_is_made_of_the_name_and_resolved_of_the_word() -> None:
    cleaned = row('agent_name = "n"\nresolution = "r"', n="Anna-Lena Groß", r="Escalated")

    assert (cleaned["agent_id"], cleaned["resolved"]) == ("anna-lena-groß", False)


def test_iso_times_without_zone_or_offset_are_marked() -> None:
    mapping = read_mapping('[columns]\ncall_id = "id"\nstarted_at = "start"')
    frame = pl.LazyFrame({"id": ["a", "b"], "start": ["2024-05-06T12:00:00", "2024-05-06T12:00:00Z"]})

    calls = clean(frame.with_row_index(ROW), mapping).calls.collect()

    assert calls[REASON].to_list() == ["started_at_without_time_zone", None]
