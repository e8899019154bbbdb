from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.calls.filter import Filter
from supportapi.calls.window import Window
from supportapi.measures.sketch import bucket_of, quantiles
from supportapi.measures.tally import COUNTS, SUMS
from supportapi.rollups.aggregates import Aggregates
from supportapi.rollups.build import build
from supportapi.rollups.questions import Measured, Question
from supportapi.rollups.states import partial_state
from tests.rollups.plain import (
    AMPLE,
    AXES,
    GRAINS,
    NOTHING,
    Call,
    aggregates,
    by_key,
    frame,
    groups,
    local_day,
    measures,
    some_calls,
    some_question,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
DAY = Window(date(2024, 5, 6), date(2024, 5, 7))


def assert_equal_to_plain_counting(found: Aggregates, calls: Sequence[Call], question: Question) -> None:
    expected = groups(calls, question)
    answer = found.tally(question)
    tallies = np.concatenate([answer.tally.counts, answer.tally.sums], axis=-1)
    told = {
        keys: dict(zip((*COUNTS, *SUMS), cell.tolist(), strict=True))
        for keys, cell in by_key(tallies, answer.keys).items()
    }
    assert {keys: cell for keys, cell in told.items() if cell["calls"]} == {
        keys: measures(members) for keys, members in expected.items()
    }
    assert all(not any(cell.values()) for keys, cell in told.items() if keys not in expected)


def assert_equal_waits(found: Aggregates, calls: Sequence[Call], question: Question) -> None:
    expected = groups(calls, question)
    keys = found.tally(question).keys
    longest = by_key(found.longest_wait(question), keys)
    waits = {
        at: [c["wait_seconds"] for c in members if c["wait_seconds"] is not None] for at, members in expected.items()
    }
    assert {at: float(value) for at, value in longest.items() if not np.isnan(value)} == {
        at: max(known) for at, known in waits.items() if known
    }


def assert_equal_histogram(found: Aggregates, calls: Sequence[Call], question: Question, of: Measured) -> None:
    expected = groups(calls, question)
    histogram, _ = found.histogram(question, of)
    column = f"{of}_seconds"
    plain = {
        at: sorted(bucket_of(np.array([round(c[column] * 1000) for c in members if c[column] is not None], np.int64)))
        for at, members in expected.items()
    }
    told = {
        at: np.repeat(np.arange(len(row)), row).tolist()
        for at, row in by_key(histogram, found.tally(question).keys).items()
    }
    assert {at: row for at, row in told.items() if row} == {at: row for at, row in plain.items() if row}


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([AMPLE, 200_000, NOTHING]))
def test_cells_and_codes_both_equal_counting_the_calls_one_by_one(data: st.DataObject, budget: int) -> None:
    calls = data.draw(some_calls())
    found = aggregates(calls, budget_bytes=budget)
    questions = [data.draw(some_question(calls)) for _ in range(6)]

    [assert_equal_to_plain_counting(found, calls, question) for question in questions]
    [assert_equal_waits(found, calls, question) for question in questions]
    [assert_equal_histogram(found, calls, question, "wait") for question in questions]
    [assert_equal_histogram(found, calls, question, "duration") for question in questions]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("grain", GRAINS)
def test_a_dataset_without_calls_answers_every_question_with_zeros(axis: str | None, grain: str | None) -> None:
    found = aggregates([])
    by = tuple(name for name in (axis, grain) if name is not None)

    answer = found.tally(Question("UTC", DAY, by=by))

    assert int(answer.tally.counts.sum()) == 0
    assert answer.tally.shape == tuple(len(keys) for keys in answer.keys)


def test_many_days_are_read_from_checkpoints_and_equal_the_rows() -> None:
    calls = [
        {
            "call_id": f"c{n:04}",
            "started_at": NOON + timedelta(hours=7 * n),
            "wait_seconds": n % 97 + 0.5,
            "region": "ns"[n % 2],
        }
        for n in range(600)
    ]
    calls = [{**dict.fromkeys(("answered", "resolved", "rating", "duration_seconds")), **call} for call in calls]
    question = Question("Europe/Berlin", Window(date(2024, 5, 20), date(2024, 9, 30)), Filter(region=("n",)))

    found = aggregates(calls)

    assert_equal_histogram(found, calls, question, "wait")
    known = [c["wait_seconds"] for members in groups(calls, question).values() for c in members]
    told = quantiles(found.histogram(question, "wait")[0], (0.5, 0.99))
    np.testing.assert_allclose(told, np.quantile(known, (0.5, 0.99)), rtol=0.01)


def test_a_filter_across_agent_and_issue_type_is_scanned_and_says_so() -> None:
    found = aggregates([{"call_id": "c1", "started_at": NOON, "agent_id": "a", "issue_type": "billing"}])

    scanned = Question("UTC", DAY, Filter(agent_id=("a",), issue_type=("billing",)))
    from_cells = Question("UTC", DAY, Filter(agent_id=("a",)))

    assert (found.tally(scanned).source, found.estimated_rows(scanned)) == ("scan", 1)
    assert (found.tally(from_cells).source, found.estimated_rows(from_cells)) == ("rollup", 0)


def test_arrays_can_be_saved_mapped_read_only_and_asked_again(tmp_path: Path) -> None:
    calls = [{"call_id": "c1", "started_at": NOON, "region": "n", "wait_seconds": 3.0, "answered": True}]
    question = Question("UTC", DAY, by=("region", "day"))
    found = aggregates(calls)

    header, arrays = found.to_arrays()
    [np.save(tmp_path / f"{name}.npy", array) for name, array in arrays.items()]
    mapped = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in arrays}
    again = Aggregates.from_arrays(msgspec.msgpack.decode(msgspec.msgpack.encode(header)), mapped)

    assert again.tally(question).tally == found.tally(question).tally
    assert again.members("region") == found.members("region")
    assert again.longest_wait(question).tolist() == [[3.0]]


def test_the_unknown_member_is_listed_only_when_a_call_has_it() -> None:
    known = {"call_id": "c1", "started_at": NOON, "region": "n"}
    unknown = {"call_id": "c2", "started_at": NOON, "region": None}

    assert [m.key for m in aggregates([known]).members("region")] == ["n"]
    assert [(m.key, m.label) for m in aggregates([known, unknown]).members("region")] == [
        ("n", "n"),
        ("null", "Unknown"),
    ]


def test_an_agent_is_called_by_the_name_last_seen() -> None:
    calls = [
        {"call_id": "c1", "started_at": NOON + timedelta(days=1), "agent_id": "a", "agent_name": "Ada King"},
        {"call_id": "c2", "started_at": NOON, "agent_id": "a", "agent_name": "Ada Lovelace"},
    ]

    assert [m.label for m in aggregates(calls).members("agent_id")] == ["Ada King"]


def test_the_day_on_which_clocks_go_back_has_twenty_five_hours() -> None:
    autumn = Window(date(2024, 10, 27), date(2024, 10, 28))

    answer = aggregates([{"call_id": "c1", "started_at": datetime(2024, 10, 27, 22, 30, tzinfo=UTC)}]).tally(
        Question("Europe/Berlin", autumn, by=("hour",))
    )

    assert answer.tally["calls"].tolist() == [0] * 24 + [1]


@pytest.mark.parametrize("zone", ["America/St_Johns", "America/Sao_Paulo", "America/Havana"])
def test_a_midnight_that_comes_twice_or_never_puts_each_call_on_its_clock_day(zone: str) -> None:
    # St. John's went back one hour at 00:01 until 2011; Sao Paulo skipped midnights in spring.
    nights = [datetime(2010, 11, 7, 1, tzinfo=UTC), datetime(2010, 10, 17, 1, tzinfo=UTC)]
    calls = [
        {"call_id": f"c{night:%m}{n:03}", "started_at": night + timedelta(minutes=2 * n)}
        for night in nights
        for n in range(180)
    ]
    calls = [{**dict.fromkeys(("wait_seconds", "duration_seconds")), **call} for call in calls]
    found = aggregates(calls, zones=(zone,))
    days = sorted({local_day(call, zone) for call in calls})

    [
        assert_equal_to_plain_counting(found, calls, Question(zone, Window(day, day + timedelta(days=1)), by=by))
        for day in days
        for by in ((), ("day",), ("rating",), ("rating", "day"))
    ]


def test_five_thousand_agents_and_three_thousand_topics_fit_a_small_budget_and_are_scanned() -> None:
    budget = 4 << 20
    calls = [
        {
            "call_id": f"c{n:05}",
            "started_at": NOON + timedelta(minutes=n),
            "agent_id": f"a{n % 5000}",
            "issue_type": f"t{n % 3000}",
            "region": f"r{n % 50}",
            "channel": None,
        }
        for n in range(9000)
    ]
    question = Question("UTC", DAY, Filter(issue_type=("t7",), region=("r7",)), by=("agent_id",))

    found = aggregates(calls, zones=("UTC",), budget_bytes=budget)
    answer = found.tally(question)
    wide = found.tally(Question("UTC", Window(date(2024, 5, 6), date(2024, 6, 6)), by=("issue_type",)))
    _, arrays = found.to_arrays()

    assert answer.source == "scan"
    assert int(answer.tally["calls"].sum()) == 1
    assert wide.tally["calls"].tolist() == [3] * 3000
    assert sum(array.nbytes for name, array in arrays.items() if name.startswith("zone")) <= budget


def test_answering_needs_no_polars() -> None:
    import subprocess
    import sys

    asked = "import sys, supportapi.rollups.aggregates, supportapi.rollups.catalogue; print('polars' in sys.modules)"

    told = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert told.stdout.strip() == "False"


def test_rows_of_files_that_overlap_in_time_are_put_in_order_of_instant_and_id() -> None:
    later: Call = {"call_id": "c2", "started_at": NOON.replace(microsecond=500), "agent_id": "later"}
    earlier: Call = {"call_id": "c1", "started_at": NOON, "agent_id": "earlier"}
    rows = pl.concat([frame([later]), frame([earlier])])

    codes = build(partial_state(rows, ("UTC",)), rows, ("UTC",), AMPLE).codes

    # Members are sorted by name: "earlier" is 0.
    assert codes.columns["agent_id"].tolist() == [0, 1]
