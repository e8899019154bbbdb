from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.answers.options import FilterOption, options_answer
from supportapi.answers.query import OptionsQuery
from supportapi.calls.filter import DIMENSIONS
from supportapi.errors import ValidationFailed
from tests.answers.few_calls import TRUTH, aggregates_of, call
from tests.rollups import few_calls, oracle, random_calls
from tests.rollups.few_calls import AMPLE, NOTHING, ZONES

LISTS = {"region": "regions", "issue_type": "issue_types", "channel": "channels", "agent_id": "agents"}
FOUR = (
    call("2026-03-01", region="north", channel="phone", issue_type="billing", rating=5),
    call("2026-03-02", region="north", channel="chat", issue_type="billing", rating=1),
    call("2026-03-03", region="south", channel="chat", issue_type="delivery"),
    call("2026-03-04", channel="chat", issue_type="delivery", rating=1),
)


def counts(options: list[FilterOption]) -> dict[str, int]:
    return {option.value: option.calls for option in options}


def facets(query: OptionsQuery) -> dict[str, dict[str, int]]:
    data = options_answer(aggregates_of(*FOUR), query, TRUTH).data
    return {name: counts(getattr(data, listed)) for name, listed in LISTS.items()} | {"rating": counts(data.ratings)}


def by_polars(rows: pl.LazyFrame, query: OptionsQuery, zone: str) -> dict[str, dict[str, int]]:
    """What plain Polars counts for each choice that the dataset has."""
    day = pl.col("started_at").dt.convert_time_zone(zone).dt.date()
    keys = pl.col(*DIMENSIONS).map_elements(oracle.key, pl.String, skip_nulls=False)
    ratings = pl.col("rating").cast(pl.String).fill_null("null")
    spelled = rows.with_columns(keys, ratings, day=day).collect()
    inside = spelled.filter(
        (pl.col("day") >= query.from_) if query.from_ else pl.lit(value=True),
        (pl.col("day") < query.to) if query.to else pl.lit(value=True),
    )
    found: dict[str, dict[str, int]] = {}
    for name in (*DIMENSIONS, "rating"):
        others = [other for other in query.filter.limited if other != name]
        kept = inside.filter(*(pl.col(other).is_in(query.filter.members(other)) for other in others))
        left = dict(kept.group_by(name).len().iter_rows())
        found[name] = {key: left.get(key, 0) for key in spelled.get_column(name).unique().to_list()}
    return found


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[oracle.Row], OptionsQuery]:
    calls = draw(random_calls.calls(14))
    limits: dict[str, Any] = {
        name: tuple(sorted(draw(st.sets(st.sampled_from(["nobody", *_members(calls, name)]), max_size=2))))
        for name in DIMENSIONS
    }
    days = [found["started_at"].date() for found in calls] or [date(2026, 1, 1)]
    start = draw(st.none() | st.sampled_from(days))
    end = draw(st.none() | st.integers(1, 9).map(lambda more: (start or min(days)) + timedelta(days=more)))
    zone = draw(st.sampled_from(ZONES))
    return calls, OptionsQuery(from_=start, to=end, timezone=zone, **limits)


def _members(calls: list[oracle.Row], name: str) -> list[str]:
    return sorted({oracle.key(found[name]) for found in calls})


@pytest.mark.parametrize("budget", [AMPLE, NOTHING], ids=["lattices", "codes"])
@settings(max_examples=40, derandomize=True, database=None)
@given(asked=questions())
def test_every_choice_counts_what_plain_polars_counts(
    budget: int, asked: tuple[list[oracle.Row], OptionsQuery]
) -> None:
    calls, query = asked
    rollups = few_calls.aggregates_of(calls, budget_bytes=budget)
    window = rollups.data_window(query.timezone or "UTC")
    unanswerable = (query.from_ or window.start) >= (query.to or window.end) and (query.from_ or query.to)

    if unanswerable:
        with pytest.raises(ValidationFailed, match="must be before"):
            options_answer(rollups, query, TRUTH)
        return
    data = options_answer(rollups, query, TRUTH).data

    expected = by_polars(few_calls.frame(calls), query, query.timezone or "UTC")
    assert {name: counts(getattr(data, listed)) for name, listed in LISTS.items()} == {
        name: expected[name] for name in DIMENSIONS
    }
    assert counts(data.ratings) == expected["rating"]


def test_without_a_window_and_filters_the_whole_dataset_is_counted() -> None:
    assert facets(OptionsQuery()) == {
        "region": {"north": 2, "south": 1, "null": 1},
        "issue_type": {"billing": 2, "delivery": 2},
        "channel": {"chat": 3, "phone": 1},
        "agent_id": {"null": 4},
        "rating": {"5": 1, "1": 2, "null": 1},
    }


def test_a_dimension_is_counted_without_its_own_filter_and_what_is_left_empty_stays_listed() -> None:
    assert facets(OptionsQuery(region=("north",), channel=("phone",))) == {
        "region": {"north": 1, "south": 0, "null": 0},
        "issue_type": {"billing": 1, "delivery": 0},
        "channel": {"chat": 1, "phone": 1},
        "agent_id": {"null": 1},
        "rating": {"5": 1, "1": 0, "null": 0},
    }


@pytest.mark.parametrize(
    ("query", "regions"),
    [
        (OptionsQuery(range="7d"), {"north": 2, "south": 1, "null": 1}),
        (OptionsQuery(from_=date(2026, 3, 2), to=date(2026, 3, 4)), {"north": 1, "south": 1, "null": 0}),
        (OptionsQuery(from_=date(2027, 1, 1), to=date(2027, 2, 1)), {"north": 0, "south": 0, "null": 0}),
    ],
)
def test_only_calls_of_the_window_are_counted(query: OptionsQuery, regions: dict[str, int]) -> None:
    assert facets(query)["region"] == regions


@pytest.mark.parametrize(("budget", "source"), [(AMPLE, "rollup"), (NOTHING, "scan")])
def test_what_really_served_the_options_is_said(budget: int, source: str) -> None:
    calls: list[dict[str, Any]] = [{"call_id": "c", **FOUR[0]}]

    assert (
        options_answer(few_calls.aggregates_of(calls, budget_bytes=budget), OptionsQuery(), TRUTH).meta.source == source
    )
