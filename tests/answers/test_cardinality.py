"""Thousands of members of every dimension in a small budget: nothing is cut off, and the source is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportapi.answers.agents import agents_answer
from supportapi.answers.catalogue import catalogue_answer
from supportapi.answers.metrics import metrics_answer
from supportapi.answers.query import AgentsQuery, MetricsQuery
from supportapi.calls.filter import Filter
from supportapi.calls.window import Window
from tests.answers import plain
from tests.answers.few_calls import TRUTH
from tests.rollups.few_calls import aggregates_of

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

AGENTS, TOPICS, REGIONS = 5000, 3000, 50
BUDGET = 8 << 20
DAYS = Window(date(2025, 6, 1), date(2025, 7, 1))
ROWS: list[plain.Row] = [
    {
        "call_id": f"{n:05}",
        "started_at": datetime(2025, 6, 1, tzinfo=UTC) + timedelta(minutes=4 * n),
        "customer_id": f"k{n % 1700}",
        "agent_id": f"a{n * 7 % AGENTS}",
        "issue_type": f"t{n * 11 % TOPICS}",
        "region": f"r{n % REGIONS}",
        "answered": n % 9 > 0,
        "resolved": n % 5 > 1,
        "rating": 1 + n % 5 if n % 3 else None,
        "wait_seconds": float(n % 90),
        "duration_seconds": 30.0 + n % 700,
    }
    for n in range(10_000)
]
KEYS = ("calls", "answered", "service_level", "average_duration", "csat", "first_contact_resolution")


@pytest.fixture(scope="module")
def aggregates() -> Aggregates:
    return aggregates_of(ROWS, ("UTC",), BUDGET)


@pytest.mark.parametrize(
    ("dimension", "column", "members"),
    [("agent", "agent", AGENTS), ("issue_type", "issue_type", TOPICS), ("region", "region", REGIONS)],
)
def test_every_one_of_thousands_of_members_has_the_numbers_of_plain_rows(
    aggregates: Aggregates, dimension: Any, column: str, members: int
) -> None:
    query = MetricsQuery(from_=DAYS.start, to=DAYS.end, compare="none", include=("breakdowns",), by=(dimension,),
                         metrics=KEYS, top=100)  # fmt: skip
    wanted = plain.by(plain.selected(ROWS, "UTC", DAYS, Filter()), column)

    data: Any = metrics_answer(aggregates, query, TRUTH).data
    (found,) = data.breakdowns

    rest = 0 if found.other is None else found.other.members
    assert len(wanted) == len(found.rows) + rest == members
    possible = [key for key in KEYS if key not in found.unavailable]
    assert {row.key: {key: getattr(row, key) for key in possible} for row in found.rows} == {
        row.key: {key: plain.about(wanted[row.key][key], key) for key in possible} for row in found.rows
    }
    assert sum(row.calls for row in (*found.rows, *([found.other] if found.other else []))) == len(ROWS)


def test_a_channel_that_is_never_known_is_one_member(aggregates: Aggregates) -> None:
    query = MetricsQuery(from_=DAYS.start, to=DAYS.end, compare="none", include=("breakdowns",), by=("channel",))

    data: Any = metrics_answer(aggregates, query, TRUTH).data
    (found,) = data.breakdowns

    assert [(row.key, row.label, row.calls) for row in found.rows] == [("null", "Unknown", len(ROWS))]


def test_the_arrays_stay_in_the_budget_and_what_did_not_fit_is_said_to_be_scanned(aggregates: Aggregates) -> None:
    _, arrays = aggregates.to_arrays()
    told = {one.key: one.served_from for one in catalogue_answer(aggregates, TRUTH).data.dimensions}

    assert sum(array.nbytes for name, array in arrays.items() if name.startswith("zone")) <= BUDGET
    assert (told["issue_type"], told["agent"], told["region"]) == ("scan", "rollup", "rollup")


@pytest.mark.parametrize(
    ("limits", "source"), [({"issue_type": ("t11",)}, "scan"), ({"region": ("r7",)}, "rollup"), ({}, "rollup")]
)
def test_an_answer_says_what_served_it(aggregates: Aggregates, limits: dict[str, Any], source: str) -> None:
    query = MetricsQuery(from_=DAYS.start, to=DAYS.end, compare="none", include=("kpis",), metrics=KEYS, **limits)

    found: Any = metrics_answer(aggregates, query, TRUTH)

    told = plain.measured(plain.selected(ROWS, "UTC", DAYS, Filter(**limits)))
    assert found.meta.source == source
    assert {card.key: card.value for card in found.data.kpis} == {key: plain.about(told[key], key) for key in KEYS}


def test_the_board_has_every_agent_and_region_in_pages(aggregates: Aggregates) -> None:
    query = AgentsQuery(from_=DAYS.start, to=DAYS.end, compare="none", per_page=50, page=3)
    pairs = {(row["agent_id"], row["region"]) for row in ROWS}

    found = agents_answer(aggregates, query, TRUTH)

    assert (len(found.data.rows), found.meta.total) == (50, len(pairs))
