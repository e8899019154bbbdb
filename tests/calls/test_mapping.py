from __future__ import annotations

from typing import cast

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from supportapi.calls.columns import ENDED_AT_SUMS
from supportapi.calls.mapping import read_mapping
from supportapi.calls.mapping_problems import ZONE_REMEDY
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
        ('answered = { true_words = ["y"] }', "columns.answered: say exactly one of from, first_of, constant, when."),
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
            'rating = { from = "r", rating_scale = { from = [10, 1], rule = "ceil(x/2)" } }',
            (
                "columns.rating.rating_scale.from: write the worst and the best value, as in [1, 10]; "
                "[5, 1] for a scale on which 1 is best, which only 'linear' can turn round."
            ),
        ),
        (
            'rating = { from = "r", rating_scale = { from = [1, 10], rule = "clip" } }',
            "columns.rating.rating_scale.rule: must be 'linear', or as in 'ceil(x/2)', 'round(x/2)', 'floor(x/2)'.",
        ),
        ('region = { from = "r", only_when = { is = "x" } }', "columns.region.only_when.column: is required here."),
        (
            'answered = { when = { column = "talk", matches = "(" } }',
            "columns.answered.when.matches: '(' is no regular expression: unclosed group.",
        ),
        (
            'region = { from = "r", words = { PS = "x", ps = "y" } }',
            "columns.region.words: PS, ps differ in case alone, which makes no difference; write one of them.",
        ),
        (
            'ended_at = { from = "e", formats = "%H:%M" }',
            (
                "columns.ended_at.formats: '%H:%M' is no instant: a pattern needs a year, a month and a day at least, "
                "and %p beside %I."
            ),
        ),
        (
            'ended_at = { from = "e", time_zone = { from = "site", words = { A = "Berlin" } } }',
            "columns.ended_at.time_zone: 'Berlin' is no IANA time zone; did you mean 'Europe/Berlin'?",
        ),
        (
            'ended_at = { from = "e", formats = "%Y-%m-%d %H:%M", offsets = { EST = "-5" } }',
            "columns.ended_at.offsets: '-5' is no offset; write it as in '+02:00'.",
        ),
        ('wait_seconds = { between = ["a"] }', "columns.wait_seconds.between: write 2 of them."),
        (
            'wait_seconds = { between = ["a", { constant = "x", first_of = ["b"] }] }',
            "columns.wait_seconds.between.2: say exactly one of from, first_of, constant.",
        ),
        (
            'wait_seconds = { from = "w", thousands = "." }',
            "columns.wait_seconds: '.' cannot both group digits and begin the decimals.",
        ),
        (
            'region = { from = "r", take = "last" }',
            "columns.region.take: there is no table [fold], so that every row is a call of its own.",
        ),
        (
            'region = { from = "r", take = "sum" }\n[fold]',
            "columns.region.take: must be one of first, last here.",
        ),
        ("[fold]\nkey = []", "fold.key: say which columns the rows of a call have in common."),
        ('[fold]\nkey = "cal_id"', "fold.key: 'cal_id' is not a column of a call; did you mean 'call_id'?"),
        ('[[filters]]\ncolumn = "q"', "filters.1: say exactly one of is, is_not, matches, present, above."),
        (
            'region = { from = "r", only_when = { column = "x" } }',
            "columns.region.only_when: say exactly one of is, is_not, matches, present, above.",
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


WORDS = st.sampled_from(["id", "start", "%Y", "UTC", "../../etc/passwd", "", "null", "a.b", "iso"]) | st.text(
    max_size=20
)
TOML = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["from", "formats", "unit", "map", "zone", "is", "path"]) | WORDS, inner, max_size=3
        )
    ),
    max_leaves=8,
)
TABLES = st.sampled_from(
    ["columns", "read", "lookups", "filters", "duplicates", "fold", "write", "time_zone", "rows_are_calls"]
)
COLUMNS = st.dictionaries(st.sampled_from(["call_id", "started_at", "ended_at", "region", "rating", "resolved"]), TOML)


def read_or_told(document: str) -> object:
    try:
        return read_mapping(document)
    except MappingInvalid as refused:
        return refused.facts["problems"]


@given(st.dictionaries(TABLES, TOML), COLUMNS)
def test_whatever_a_mapping_says_it_is_read_or_refused_with_its_problems(
    tables: dict[str, object], columns: dict[str, object]
) -> None:
    assert read_or_told(tomli_w.dumps(tables | {"columns": columns}))


@given(st.text())
def test_what_is_no_toml_is_refused_by_name(document: str) -> None:
    assert read_or_told(document)


@pytest.mark.parametrize("document", ["a = " + "[" * 50_000, "[" + ".".join("a" * 50_000) + "]"])
def test_a_mapping_nested_without_end_is_refused_by_name(document: str) -> None:
    assert read_or_told(document)
