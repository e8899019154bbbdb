from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.calls.filter import Filter, ServiceLevelVariant, key_of
from supportapi.calls.listing import count, find, page
from supportapi.calls.record import COLUMNS, SCHEMA
from supportapi.calls.selection import Known, Order, Selection, SortColumn
from supportapi.calls.window import Window
from supportapi.rollups import call_index, chosen, stretches, text_search, texts, walk
from supportapi.rollups.aggregates import Aggregates
from supportapi.rollups.call_frames import call_frames
from tests.rollups.few_calls import SCARCE, aggregates_of, frame, row

if TYPE_CHECKING:
    from tests.rollups.oracle import Row

BEGIN = datetime(2026, 3, 28, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")
_TIMES = st.sampled_from((None, 0.001, 1.0, 4.999, 5.0, 59.999, 60.0, 5_000_000.0))
_WAITS = st.just(0.0) | _TIMES
_WORDS = st.sampled_from((None, "a", "Ab", "ab-1", "Ä", "null", "b\nc"))
_ROWS: st.SearchStrategy[Row] = st.fixed_dictionaries(
    {
        "call_id": st.text("aAb-0Ä\n", min_size=1, max_size=5),
        "customer_id": _WORDS,
        "agent_id": st.sampled_from((None, "ann", "Bo")),
        "agent_name": _WORDS,
        "region": st.sampled_from((None, "north", "south")),
        "channel": st.sampled_from((None, "phone")),
        "issue_type": st.sampled_from((None, "billing")),
        "started_at": st.one_of(
            st.sampled_from((0, 1, 1_000_000, 3_600_000_000, 172_800_000_000)),
            st.integers(-8, 24 * 9).map(lambda quarters: quarters * 900_000_000),
        ).map(lambda micros: BEGIN + timedelta(microseconds=micros)),
        "lasted": st.sampled_from((None, 0, 1, 90_000_000)),
        "wait_seconds": _WAITS,
        "duration_seconds": _TIMES,
        "answered": st.sampled_from((None, True, False)),
        "resolved": st.sampled_from((None, True, False)),
        "resolution": _WORDS,
        "rating": st.sampled_from((None, 1, 5)),
    }
)
_MEMBERS = {
    name: st.sets(values.map(key_of) | st.just("nobody"), max_size=2).map(lambda kept: tuple(sorted(kept)))
    for name, values in {
        "region": st.sampled_from((None, "north", "south")),
        "channel": st.sampled_from((None, "phone")),
        "issue_type": st.sampled_from((None, "billing")),
        "agent_id": st.sampled_from((None, "ann", "Bo")),
        "customer_id": _WORDS,
    }.items()
}
_INSTANTS = st.sampled_from((-1, 0, 1, 2, 999_999, 1_000_000, 3_600_000_001, 90_000_000_000)).map(
    lambda micros: BEGIN + timedelta(microseconds=micros)
)
_FLAGS = st.sets(st.sampled_from(get_args(Known)), max_size=2).map(lambda kept: tuple(sorted(kept)))
_KEYS = st.builds(Order, st.sampled_from(get_args(SortColumn)), st.booleans())


def _mostly_none(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.none() | values


def _numbers(most: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(0, most), min_size=1, max_size=most).map(lambda kept: tuple(sorted(kept)))


@st.composite
def calls(draw: st.DrawFn) -> list[Row]:
    """Rows with ids of their own, in no order."""
    rows = draw(st.lists(_ROWS, max_size=25, unique_by=lambda row: row["call_id"]))
    return [
        {
            **row,
            "ended_at": None if row["lasted"] is None else row["started_at"] + timedelta(microseconds=row["lasted"]),
        }
        for row in rows
    ]


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    start = date(2026, 3, 27) + timedelta(days=draw(st.integers(0, 2)))
    limits = {name: draw(st.just(()) | members) for name, members in _MEMBERS.items()}
    return Selection(
        window=Window(start, start + timedelta(days=draw(st.integers(0, 5)))),
        zone=draw(st.sampled_from(ZONES)),
        customer_id=limits.pop("customer_id"),
        filter=Filter(**limits),
        rating=draw(st.just(()) | st.sampled_from([("1",), ("5", "null"), ("3",)])),
        answered=draw(st.just(()) | _FLAGS),
        resolved=draw(st.just(()) | _FLAGS),
        min_duration_seconds=draw(_mostly_none(st.sampled_from((0.0, 0.001, 0.0011, 60.0)))),
        max_duration_seconds=draw(_mostly_none(st.sampled_from((0.0, 59.9989, 60.0, 1e9)))),
        min_wait_seconds=draw(_mostly_none(st.sampled_from((0.0, 0.001, 4.9991, 60.0)))),
        max_wait_seconds=draw(_mostly_none(st.sampled_from((0.0, 5.0, 59.9989, 60.0)))),
        weekday=draw(st.just(()) | _numbers(6)),
        hour=draw(st.just(()) | _numbers(23)),
        started_from=draw(_mostly_none(_INSTANTS)),
        started_to=draw(_mostly_none(_INSTANTS)),
        offered=draw(_mostly_none(st.sampled_from(get_args(ServiceLevelVariant)))),
        threshold_seconds=draw(st.sampled_from((0.5, 5.0, 20.0, 60.0))),
        text=draw(_mostly_none(st.text("aAbB-0ä1n\n", min_size=1, max_size=3))),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    first, *then = draw(st.lists(_KEYS, min_size=1, max_size=3))
    return Order(first.column, first.descending, tuple(then))


@pytest.fixture(params=["few are listed", "all are walked"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small data takes the ways of few rows; limits of nothing send it those of millions."""
    if request.param == "all are walked":
        for room in (call_index, chosen):
            monkeypatch.setattr(room, "MOST_LISTED", 0)
        monkeypatch.setattr(stretches, "_STRETCH", 3)
        monkeypatch.setattr(text_search, "_CHUNK", 3)
        monkeypatch.setattr(walk, "_BLOCK", 3)
        monkeypatch.setattr(walk, "_WALKED", 3)
        monkeypatch.setattr(walk, "_SAMPLED", 2)
        monkeypatch.setattr(chosen, "_SELECTIVE", 1_000)
        monkeypatch.setattr(text_search, "_SELECTIVE", 1_000)
    return str(request.param)


@pytest.mark.usefixtures("size")
@settings(max_examples=150)
@given(rows=calls(), selection=selections(), order=orders(), offset=st.integers(0, 12), limit=st.integers(1, 9))
def test_a_page_is_the_one_that_plain_polars_makes(
    rows: list[Row], selection: Selection, order: Order, offset: int, limit: int
) -> None:
    made = aggregates_of(rows, ZONES, SCARCE)
    aggregates = Aggregates.from_arrays(*made.to_arrays())

    listed = aggregates.call_index.listed(selection, order)

    assert listed.total == count(frame(rows), selection)
    assert listed.page(offset, limit) == page(frame(rows), selection, order, offset=offset, limit=limit)
    assert not listed.at_least


@settings(max_examples=50)
@given(rows=calls(), order=orders(), size=st.integers(1, 9))
def test_frames_together_are_the_whole_list(rows: list[Row], order: Order, size: int) -> None:
    aggregates = aggregates_of(rows, ZONES, SCARCE)
    everything = Selection(window=Window(date(2026, 3, 1), date(2026, 5, 1)), zone="UTC")
    listed = aggregates.call_index.listed(everything, order)

    frames, schema = call_frames(aggregates.calls, listed, COLUMNS, size)

    whole = pl.concat([pl.DataFrame(schema=schema), *frames])
    assert whole.to_dicts() == page(frame(rows), everything, order, offset=0, limit=100)
    assert whole.schema == pl.Schema(SCHEMA)


@settings(max_examples=50)
@given(rows=calls(), call_id=st.text("aAb-0Ä\n", min_size=1, max_size=5))
def test_a_call_is_found_by_its_id_and_by_no_other(rows: list[Row], call_id: str) -> None:
    found = aggregates_of(rows, ZONES, SCARCE).call_index.find(call_id)

    assert found == find(frame(rows), call_id)


def test_a_search_that_ended_early_is_whole_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen, "MOST_FOUND", 1)
    monkeypatch.setattr(texts, "_SEARCHED_BYTES", 1)
    index = aggregates_of([row(BEGIN, call_id=f"{number} call") for number in range(5)], ZONES, SCARCE).call_index
    asked = Selection(window=Window(date(2026, 3, 28), date(2026, 3, 29)), zone="UTC", text="all")

    found = [index.listed(asked, Order(), whole=whole) for whole in (False, True)]

    assert [(each.total, each.at_least) for each in found] == [(1, True), (5, False)]


@pytest.mark.parametrize(
    ("text", "found"),
    [("call", 4), ("l-0", 3), ("call-01", 2), ("-1", 1), ("01", 3), ("10", 2), ("0", 4), ("all-2", 0)],
)
def test_a_text_is_found_in_what_all_ids_begin_with_behind_it_and_on_both_sides(text: str, found: int) -> None:
    rows = [row(BEGIN, call_id=call_id) for call_id in ("call-001", "call-010", "call-011", "call-110")]
    index = aggregates_of(rows, ("UTC",), SCARCE).call_index

    listed = index.listed(
        Selection(window=Window(date(2026, 3, 28), date(2026, 3, 29)), zone="UTC", text=text), Order()
    )

    assert listed.total == found


def test_pages_among_many_that_share_a_value_are_cut_from_what_was_sorted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in (call_index, chosen):
        monkeypatch.setattr(room, "MOST_LISTED", 0)
    rows = [row(BEGIN, call_id=f"{number}", rating=5, wait_seconds=float(9 - number)) for number in range(9)]
    index = aggregates_of(rows, ("UTC",), SCARCE).call_index
    asked = Selection(window=Window(date(2026, 3, 28), date(2026, 3, 29)), zone="UTC")
    order = Order("rating", descending=True, then=(Order("wait_seconds", descending=False),))

    pages = [index.listed(asked, order).rows(offset, 3) for offset in (0, 3, 6)]

    assert np.concatenate(pages).tolist() == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert {id(page.base) for page in pages} == {id(pages[0].base)}
