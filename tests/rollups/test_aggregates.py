from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supportapi.calls.filter import Filter
from supportapi.calls.record import SCHEMA
from supportapi.calls.window import Window
from supportapi.measures.sketch import quantiles
from supportapi.measures.tally import COUNTS, SUMS, Tally
from supportapi.rollups.aggregates import Aggregates
from supportapi.rollups.build import build
from supportapi.rollups.questions import Member, Question
from supportapi.rollups.states import partial_state
from tests.rollups import oracle
from tests.rollups.few_calls import AMPLE, NOTHING, SCARCE, ZONES, aggregates_of, frame, row
from tests.rollups.random_calls import FILTERS, calls, windows

MEMBER_AXES = (None, "region", "issue_type", "channel", "rating", "agent_id", "agent_region")
TIME_AXES = (None, "hour", "day", "week", "month", "step", "hour_of_week")


def _every_question(zone: str, short: Window, long: Window, limits: Filter) -> list[Question]:
    """One question for each pair of axes; hours are asked of the short window, for there are many."""
    return [
        Question(zone, short if along == "hour" else long, limits, tuple(name for name in (axis, along) if name))
        for axis in MEMBER_AXES
        for along in TIME_AXES
    ]


def _dense(parted: oracle.Parted, width: int, values: dict[tuple[int, ...], list[int]]) -> np.ndarray[Any, Any]:
    found = np.zeros((*(len(keys) for keys in parted.keys), width), np.int64)
    for at, measured in values.items():
        found[at] = measured
    return found


def _assert_same(aggregates: Aggregates, rows: list[oracle.Row], question: Question) -> None:
    """`aggregates` answer `question` exactly as the oracle does."""
    expected = oracle.parted(rows, question)
    counts = {at: [oracle.measured(cell)[name] for name in COUNTS] for at, cell in expected.cells.items()}
    sums = {at: [oracle.measured(cell)[name] for name in SUMS] for at, cell in expected.cells.items()}

    answer = aggregates.tally(question)

    assert answer.keys == expected.keys, question
    wanted = Tally(_dense(expected, len(COUNTS), counts), _dense(expected, len(SUMS), sums))
    assert answer.tally.counts.dtype == answer.tally.sums.dtype == np.int64
    assert answer.tally == wanted, (question, answer.source)
    selection = aggregates.select(question.zone, question.window, question.filter)
    if "agent_region" in question.by:
        some = np.arange(0, len(expected.keys[0]), 2)
        counted = selection.calls(question.by, some)
        np.testing.assert_array_equal(counted, wanted["calls"][some], err_msg=repr(question))
    assert (aggregates.estimated_rows(question) == 0) or answer.source == "scan", question
    _assert_same_longest_wait(aggregates, question, expected)
    _assert_same_histogram(aggregates, question, expected, "wait")
    _assert_same_histogram(aggregates, question, expected, "duration")


def _assert_same_longest_wait(aggregates: Aggregates, question: Question, expected: oracle.Parted) -> None:
    wanted = np.full(tuple(len(keys) for keys in expected.keys), np.nan)
    for at, cell in expected.cells.items():
        longest = oracle.longest_wait(cell)
        wanted[at] = np.nan if longest is None else longest

    found = aggregates.longest_wait(question)

    np.testing.assert_array_equal(found, wanted, err_msg=repr(question), strict=False)


def _assert_same_histogram(aggregates: Aggregates, question: Question, expected: oracle.Parted, of: Any) -> None:
    found, _ = aggregates.histogram(question, of)
    buckets = {at: oracle.histogram(cell, of) for at, cell in expected.cells.items()}
    listed = {at: [counted[bucket] for bucket in range(found.shape[-1])] for at, counted in buckets.items()}

    np.testing.assert_array_equal(found, _dense(expected, found.shape[-1], listed), err_msg=repr((question, of)))
    assert found.sum() == sum(counted.total() for counted in buckets.values()), question


def _assert_all_same(aggregates: Aggregates, rows: list[oracle.Row], questions: list[Question]) -> None:
    judged = oracle.judged(rows)
    for question in questions:
        _assert_same(aggregates, judged, question)


_property = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(_property, max_examples=40)
@given(st.data())
def test_cells_and_row_codes_answer_every_question_like_plain_rows(data: st.DataObject) -> None:
    rows = data.draw(calls())
    zone, limits = data.draw(st.sampled_from(ZONES)), data.draw(FILTERS)
    short, long = data.draw(windows(rows, 3)), data.draw(windows(rows, 75))
    questions = _every_question(zone, short, long, limits)

    _assert_all_same(aggregates_of(rows, (zone,)), rows, questions)
    _assert_all_same(aggregates_of(rows, (zone,), SCARCE), rows, questions)
    _assert_all_same(aggregates_of(rows, (zone,), NOTHING), rows, questions)


@settings(_property, max_examples=30)
@given(st.data())
def test_a_file_read_out_of_order_changes_nothing(data: st.DataObject) -> None:
    rows = data.draw(calls(30))
    zone = data.draw(st.sampled_from(ZONES))
    shuffled = data.draw(st.permutations(rows))
    window = data.draw(windows(rows, 40))
    questions = _every_question(zone, Window(window.start, window.start), window, data.draw(FILTERS))

    _assert_all_same(aggregates_of(shuffled, (zone,), NOTHING), rows, questions)


@settings(_property, max_examples=20)
@given(st.data())
def test_arrays_that_were_saved_and_only_read_answer_the_same(data: st.DataObject) -> None:
    rows = data.draw(calls())
    window, limits = data.draw(windows(rows, 60)), data.draw(FILTERS)
    aggregates = aggregates_of(rows, ZONES[1:3], data.draw(st.sampled_from((AMPLE, NOTHING))))

    again = _saved(aggregates)

    assert again.zones == aggregates.zones
    assert [again.data_window(zone) for zone in again.zones] == [aggregates.data_window(zone) for zone in again.zones]
    assert [again.members(name) for name in oracle.DIMENSIONS] == [aggregates.members(n) for n in oracle.DIMENSIONS]
    assert again.columns_present == aggregates.columns_present
    assert (again.row_count, again.min_started_at) == (aggregates.row_count, aggregates.min_started_at)
    _assert_all_same(again, rows, _every_question(ZONES[2], Window(window.start, window.start), window, limits))


def _saved(aggregates: Aggregates) -> Aggregates:
    header, arrays = aggregates.to_arrays()
    read = {name: array.copy() for name, array in arrays.items()}
    for array in read.values():
        array.flags.writeable = False
    return Aggregates.from_arrays(msgspec.msgpack.decode(msgspec.msgpack.encode(header)), read)


@settings(_property, max_examples=15)
@given(st.data())
def test_several_zones_of_one_version_know_their_own_days(data: st.DataObject) -> None:
    rows = data.draw(calls())
    aggregates = aggregates_of(rows)
    days = {zone: sorted(oracle.local_day(row, zone) for row in rows) for zone in ZONES}
    windows = {zone: Window(d[0], d[-1] + timedelta(days=1)) for zone, d in days.items() if d}
    questions = [Question(zone, window, by=("day",)) for zone, window in windows.items()]

    assert {zone: aggregates.data_window(zone) for zone in windows} == windows
    assert all(aggregates.data_window(zone).days > 0 for zone in ZONES) == bool(rows)
    assert {name: tuple(m.key for m in aggregates.members(name)) for name in oracle.DIMENSIONS} == {
        name: oracle.members(rows, name) for name in oracle.DIMENSIONS
    }
    assert aggregates.max_started_at == max((row["started_at"] for row in rows), default=None)
    _assert_all_same(aggregates, rows, questions)


NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def test_without_rows_every_answer_is_there_and_empty() -> None:
    aggregates = aggregates_of([])
    day, winter = Window(date(2025, 3, 30), date(2025, 3, 31)), Window(date(2025, 1, 1), date(2025, 3, 1))
    questions = _every_question("Europe/Berlin", day, winter, Filter(region=("north",)))

    _assert_all_same(aggregates, [], questions)
    assert aggregates.data_window("UTC").days == 0
    assert (aggregates.row_count, aggregates.min_started_at) == (0, None)
    assert aggregates.columns_present == frozenset(SCHEMA)


def test_one_row_is_enough() -> None:
    rows = [row(NOON, region="north", wait_seconds=20.0, answered=True)]
    window = Window(date(2025, 5, 30), date(2025, 6, 3))
    aggregates = aggregates_of(rows)

    _assert_all_same(aggregates, rows, _every_question("UTC", window, window, Filter()))
    assert aggregates.columns_present == {"call_id", "started_at", "region", "wait_seconds", "answered"}


def test_a_ticket_may_stay_open_for_months() -> None:
    rows = [row(NOON, wait_seconds=5e6, answered=False, duration_seconds=9e6), row(NOON, call_id="2")]
    window = Window(date(2025, 5, 30), date(2025, 6, 3))

    _assert_all_same(aggregates_of(rows), rows, _every_question("UTC", window, window, Filter()))
    _assert_all_same(aggregates_of(rows, budget_bytes=NOTHING), rows, _every_question("UTC", window, window, Filter()))


def test_a_day_that_comes_twice_keeps_its_calls() -> None:
    # St John's once put the clock back at a minute past midnight: 29 October 2006 began, stopped, and began again.
    back = datetime(2006, 10, 29, 2, 31, tzinfo=UTC)
    minutes = (-90, -30, -1, 0, 1, 30, 59, 60, 90, 200)
    rows = [row(back + timedelta(minutes=minute), call_id=f"{minute}") for minute in minutes]
    nothing, day = Window(date(2006, 10, 29), date(2006, 10, 29)), Window(date(2006, 10, 29), date(2006, 10, 30))
    questions = _every_question("America/St_Johns", nothing, day, Filter())

    _assert_all_same(aggregates_of(rows, ("America/St_Johns",)), rows, questions)
    _assert_all_same(aggregates_of(rows, ("America/St_Johns",), NOTHING), rows, questions)


def test_an_agent_is_called_by_the_name_last_seen() -> None:
    rows = [
        row(NOON, agent_id="a", agent_name="Ann Old"),
        row(NOON + timedelta(days=1), agent_id="a", agent_name="Ann New", call_id="2"),
        row(NOON + timedelta(days=2), agent_id="a", call_id="3"),
        row(NOON + timedelta(days=3), call_id="4"),
    ]

    members = aggregates_of(rows).members("agent_id")

    assert members == (Member("a", "Ann New"), Member("null", "Unknown"))


@pytest.mark.parametrize(
    ("by", "source"),
    [
        ((), "rollup"),
        (("region", "day"), "rollup"),
        (("agent_region",), "rollup"),
        (("hour",), "scan"),
        (("rating",), "scan"),
    ],
)
def test_an_answer_says_whether_cells_or_rows_gave_it(by: tuple[str, ...], source: str) -> None:
    aggregates = aggregates_of([row(NOON)])
    question = Question("UTC", Window(date(2025, 6, 1), date(2025, 6, 2)), by=by)

    answer = aggregates.tally(question)

    assert answer.source == source
    assert aggregates.estimated_rows(question) == (source == "scan")


def test_a_filter_across_agent_and_issue_type_is_scanned_and_says_so() -> None:
    aggregates = aggregates_of([row(NOON, agent_id="a", issue_type="billing")])
    day = Window(date(2025, 6, 1), date(2025, 6, 2))
    across = Question("UTC", day, Filter(agent_id=("a",), issue_type=("billing",)))
    along = Question("UTC", day, Filter(agent_id=("a",)))

    assert (aggregates.tally(across).source, aggregates.estimated_rows(across)) == ("scan", 1)
    assert (aggregates.tally(along).source, aggregates.estimated_rows(along)) == ("rollup", 0)


def test_without_a_budget_everything_is_counted_from_the_rows() -> None:
    aggregates = aggregates_of([row(NOON)], budget_bytes=NOTHING)
    question = Question("UTC", Window(date(2025, 6, 1), date(2025, 6, 2)))

    assert aggregates.tally(question).source == "scan"
    assert aggregates.histogram(question, "wait")[1] == "scan"


def test_many_days_are_read_from_checkpoints_and_equal_the_rows() -> None:
    rows = [
        row(NOON + timedelta(hours=7 * n), call_id=f"{n:03}", wait_seconds=n % 97 + 0.5, region="ns"[n % 2])
        for n in range(600)
    ]
    question = Question("Europe/Berlin", Window(date(2025, 6, 15), date(2025, 10, 20)), Filter(region=("n",)))
    aggregates = aggregates_of(rows)

    _assert_all_same(aggregates, rows, [question])
    known = [each["wait_seconds"] for each in oracle.parted(rows, question).cells[()]]
    told = quantiles(aggregates.histogram(question, "wait")[0], (0.5, 0.99))
    np.testing.assert_allclose(told, np.quantile(known, (0.5, 0.99)), rtol=0.01)


def test_five_thousand_agents_and_three_thousand_topics_fit_a_small_budget_and_are_scanned() -> None:
    budget = 4 << 20
    rows = [
        row(
            NOON + timedelta(minutes=n),
            call_id=f"{n:04}",
            agent_id=f"a{n % 5000}",
            issue_type=f"t{n % 3000}",
            region=f"r{n % 50}",
        )
        for n in range(9000)
    ]
    day, month = Window(date(2025, 6, 1), date(2025, 6, 2)), Window(date(2025, 6, 1), date(2025, 7, 1))

    aggregates = aggregates_of(rows, ("UTC",), budget)
    answer = aggregates.tally(Question("UTC", day, Filter(issue_type=("t7",), region=("r7",)), by=("agent_id",)))
    wide = aggregates.tally(Question("UTC", month, by=("issue_type",)))
    _, arrays = aggregates.to_arrays()

    assert answer.source == "scan"
    assert int(answer.tally["calls"].sum()) == 1
    assert wide.tally["calls"].tolist() == [3] * 3000
    assert sum(array.nbytes for name, array in arrays.items() if name.startswith("zone")) <= budget


def test_answering_needs_no_polars() -> None:
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
    later = row(NOON.replace(microsecond=500), call_id="2", agent_id="later")
    earlier = row(NOON, agent_id="earlier")
    rows = pl.concat([frame([later]), frame([earlier])])

    codes = build(partial_state(rows, ("UTC",)), rows, ("UTC",), AMPLE).codes

    # Members are sorted by name: "earlier" is 0.
    assert codes.columns["agent_id"].tolist() == [0, 1]


def test_what_a_limit_leaves_out_is_not_taken_for_all_where_no_member_is_unknown() -> None:
    # Many rows of few members, of which a limit leaves more than it takes: the answer is a difference.
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    many = [
        row(
            start + timedelta(hours=n), call_id=str(n), agent_id=f"a{n % 4}", channel="phone",
            region=("north", "south", None)[n % 3], issue_type=("billing", "technical")[n % 2],
        )
        for n in range(103)
    ]  # fmt: skip
    limits = Filter(issue_type=("billing",), agent_id=("a1", "a2", "a3"))
    question = Question("UTC", Window(date(2026, 3, 1), date(2026, 3, 5)), limits, ())

    counts = aggregates_of(many).tally(question).tally.counts

    assert counts[0] == 22
