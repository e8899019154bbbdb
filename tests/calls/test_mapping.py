from __future__ import annotations

from typing import cast

import pytest

from supportapi.calls.mapping import ENDED_AT_SUMS, ZONE_REMEDY, read_mapping
from supportapi.errors import MappingInvalid

SMALLEST = """
time_zone = "UTC"
[columns]
call_id = "id"
started_at = { from = "start", formats = "%Y-%m-%d %H:%M" }
"""


def problems(document: str) -> list[str]:
    with pytest.raises(MappingInvalid) as refused:
        read_mapping(document)
    found = refused.value.facts["problems"]
    assert isinstance(found, list)
    return cast("list[str]", found)


def test_one_word_may_stand_where_a_list_is_expected() -> None:
    mapping = read_mapping(SMALLEST)

    assert mapping.columns.call_id.sources == ("id",)
    assert mapping.columns.started_at.formats == ("%Y-%m-%d %H:%M",)


def test_all_problems_are_told_at_once_with_the_nearest_names() -> None:
    document = """
    timezone = "UTC"
    [read]
    delimeter = ";"
    format = "word"
    [columns]
    call_id = "id"
    started_at = "start"
    ratng = "stars"
    """

    assert problems(document) == [
        "timezone: there is no such field; did you mean 'time_zone'?",
        "read.delimeter: there is no such field; did you mean 'delimiter'?",
        "read.format: Invalid enum value 'word'.",
        "columns.ratng: there is no such field; did you mean 'rating'?",
    ]


def test_naive_times_need_a_declared_zone() -> None:
    assert problems(SMALLEST.replace('time_zone = "UTC"', "")) == [
        f"columns.started_at: times in the format '%Y-%m-%d %H:%M' do not say their zone. {ZONE_REMEDY}"
    ]


def test_times_with_an_offset_need_no_zone() -> None:
    mapping = read_mapping('[columns]\ncall_id = "id"\nstarted_at = { from = "start", formats = "%d.%m.%Y %H:%M %z" }')

    assert mapping.time_zone is None


def test_a_city_is_told_its_zone() -> None:
    assert problems(SMALLEST.replace("UTC", "berlin")) == [
        "time_zone: 'berlin' is no IANA time zone; did you mean 'Europe/Berlin'?"
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('answered = { true_words = ["y"] }', "columns.answered: say exactly one of from, constant."),
        (
            'answered = { from = "a", true_words = "y", false_words = "y" }',
            "columns.answered: y cannot mean both yes and no.",
        ),
        (
            'wait_seconds = { from = "w", unit = "minute" }',
            "columns.wait_seconds.unit: 'minute' is no unit; did you mean 'minutes'?",
        ),
        (
            'ended_at = { derive = "guess" }',
            f"columns.ended_at.derive: must be '{ENDED_AT_SUMS[0]}' or '{ENDED_AT_SUMS[1]}'.",
        ),
        (
            'rating = { from = "r", rating_scale = { from = [10, 1] } }',
            "columns.rating.rating_scale.from: write the lowest and the highest value, as in [1, 10].",
        ),
        (
            'rating = { from = "r", rating_scale = { from = [1, 10], rule = "clip" } }',
            "columns.rating.rating_scale.rule: must be 'linear', or as in 'ceil(x/2)', 'round(x/2)', 'floor(x/2)'.",
        ),
        ('region = { from = "r", only_when = { is = "x" } }', "columns.region.only_when.column: is required here."),
        (
            'region = { from = "r", only_when = { column = "x" } }',
            "columns.region.only_when: say exactly one of is, is_not.",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_told(line: str, problem: str) -> None:
    assert problems(SMALLEST + line) == [problem]


def test_a_mapping_needs_columns() -> None:
    assert len(problems('time_zone = "UTC"')) == 1


def test_what_is_not_toml_is_told_with_its_line() -> None:
    assert "line 1" in problems("columns = ]")[0]


def test_the_reading_of_files_and_lookups_is_declared_by_name() -> None:
    mapping = read_mapping(
        """
        [read]
        range = "B4:H"
        records = "data.items"
        header_row = 0
        [lookups.agents]
        file = "agents.xlsx"
        here = "agent"
        there = "id"
        read = { sheet = 2 }
        [columns]
        call_id = "id"
        started_at = "start"
        """
    )

    assert (mapping.read.cells, mapping.read.records, mapping.read.header_row) == ("B4:H", "data.items", 0)
    assert mapping.lookups["agents"].read.sheet == 2
