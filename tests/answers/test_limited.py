"""Who may see some regions only is answered as if the dataset held the calls of those regions alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.answers import prepared
from supportapi.answers.agent import agent_answer
from supportapi.answers.query import AgentQuery, AgentsQuery, CatalogueQuery, MetricsQuery, OptionsQuery
from supportapi.calls.filter import Filter, key_of
from supportapi.calls.selection import Order, Selection
from supportapi.errors import NotFound
from supportapi.rollups import chosen, texts
from supportapi.rollups.limited import limited_to
from tests.answers.few_calls import TRUTH, aggregates_of, call
from tests.rollups import random_calls
from tests.rollups.few_calls import AMPLE, NOTHING, SCARCE
from tests.rollups.few_calls import aggregates_of as aggregates_of_rows

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

ZONES = ("UTC", "Europe/Berlin")
REGIONS = ("north", "\\null", "null", "åse", "nowhere")
SECTIONS = ("kpis", "series", "breakdowns", "heatmap", "distribution", "pivot", "insights")
FIRST, SECOND = "2026-03-02T09:00:00", "2026-03-04T09:00:00"
LATER = "2026-03-20T09:00:00"


@st.composite
def questions(draw: st.DrawFn) -> list[prepared.Query]:
    """One of each kind, about the same calls."""
    limits = draw(random_calls.FILTERS)
    about: dict[str, Any] = {
        **msgspec.structs.asdict(limits),
        "range": draw(st.sampled_from(("7d", "90d", "mtd", "all"))),
        "timezone": draw(st.sampled_from(ZONES)),
    }
    return [
        MetricsQuery(
            **about,
            include=SECTIONS,
            by=("agent", "channel", "issue_type", "rating", "region"),
            top=draw(st.sampled_from((2, 100))),
            pivot=draw(st.sampled_from(("region,agent", "region,issue_type", "agent,channel"))),
            pivot_metric="first_contact_resolution",
            heatmap_metric="first_contact_resolution",
            metrics=("calls", "first_contact_resolution", "csat", "wait_p90", "longest_wait"),
            complete=False,
        ),
        AgentsQuery(**about, sort=draw(st.sampled_from(("-calls", "agent_name", "-first_contact_resolution")))),
        OptionsQuery(**about),
        CatalogueQuery(),
    ]


@st.composite
def datasets(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Calls whose agents go by several names, now and then by none."""
    names = st.sampled_from((None, "Ann", "Ann B.", "Cy"))
    return [{**row, "agent_name": draw(names)} for row in draw(random_calls.calls(most=40))]


def without_sources(answer: Any) -> Any:
    """An answer, but for what served it: other arrays may."""
    if isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        return {name: without_sources(part) for name, part in fields.items() if name not in {"source", "served_from"}}
    return list(map(without_sources, cast("list[Any]", answer))) if isinstance(answer, list | tuple) else answer


def answered(aggregates: Aggregates, asked: list[prepared.Query]) -> list[Any]:
    return [without_sources(msgspec.to_builtins(prepared.answer(aggregates, query, TRUTH))) for query in asked]


def listed(aggregates: Aggregates, limits: Filter, order: Order) -> list[dict[str, Any]]:
    selection = Selection(window=aggregates.data_window("UTC"), zone="UTC", filter=limits)
    return aggregates.call_index.listed(selection, order).page(0, 100)


@settings(max_examples=25)
@given(
    rows=datasets(),
    regions=st.sets(st.sampled_from(REGIONS)),
    asked=questions(),
    budget=st.sampled_from((AMPLE, SCARCE, NOTHING)),
)
def test_every_answer_is_that_of_a_dataset_without_the_other_regions(
    rows: list[dict[str, Any]], regions: set[str], asked: list[prepared.Query], budget: int
) -> None:
    alone = aggregates_of_rows([row for row in rows if key_of(row["region"]) in regions], ZONES, budget)

    seen = limited_to(aggregates_of_rows(rows, ZONES, budget), regions)

    assert answered(seen, asked) == answered(alone, asked)
    assert (seen.row_count, seen.min_started_at, seen.max_started_at) == (
        alone.row_count, alone.min_started_at, alone.max_started_at,
    )  # fmt: skip
    assert seen.facts.agent_names == alone.facts.agent_names


@settings(max_examples=25)
@given(
    rows=datasets(),
    regions=st.sets(st.sampled_from(REGIONS)),
    limits=random_calls.FILTERS,
    order=st.sampled_from((Order("started_at", descending=True), Order("agent_name"), Order("wait_seconds"))),
)
def test_the_calls_are_those_of_a_dataset_without_the_other_regions(
    rows: list[dict[str, Any]], regions: set[str], limits: Filter, order: Order
) -> None:
    kept = [row for row in rows if key_of(row["region"]) in regions]

    seen = limited_to(aggregates_of_rows(rows, ZONES), regions)

    assert listed(seen, limits, order) == listed(aggregates_of_rows(kept, ZONES), limits, order)
    found = {row["call_id"] for row in rows if seen.call_index.find(row["call_id"]) is not None}
    assert found == {row["call_id"] for row in kept}


def test_a_customer_who_calls_again_elsewhere_has_not_called_again_as_far_as_one_can_see() -> None:
    whole = aggregates_of(
        call(FIRST, customer_id="kim", region="north", resolved=True),
        call(SECOND, customer_id="kim", region="south", resolved=True),
        call(LATER, region="north"),
        call(LATER, region="south"),
    )
    asked: Any = MetricsQuery(range="all", include=("kpis",), metrics=("first_contact_resolution",))

    seen: list[Any] = [
        prepared.answer(aggregates, asked, TRUTH) for aggregates in (whole, limited_to(whole, ["north"]))
    ]

    assert [answer.data.kpis[0].value for answer in seen] == [50.0, 100.0]


def test_what_is_remembered_of_one_selection_is_not_what_others_are_shown() -> None:
    whole = aggregates_of(call(FIRST, region="north"), call(SECOND, region="south"))
    order = Order("started_at", descending=False)

    shown = [
        [row["region"] for row in listed(aggregates, Filter(), order)]
        for aggregates in (limited_to(whole, ["north"]), whole, limited_to(whole, ["south"]), limited_to(whole, []))
    ]

    assert shown == [["north"], ["north", "south"], ["south"], []]


def test_a_search_does_not_end_where_calls_of_others_would_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen, "MOST_FOUND", 1)
    monkeypatch.setattr(texts, "_SEARCHED_BYTES", 1)
    rows = [
        call(FIRST, region="north", customer_id="a kim"),
        *(call(SECOND, region="south", customer_id=f"{n} kim") for n in range(9)),
    ]
    whole = aggregates_of(*rows)
    selection = Selection(window=whole.data_window("UTC"), zone="UTC", text="kim")

    of_all, of_some = (
        aggregates.call_index.listed(selection, Order("started_at"))
        for aggregates in (whole, limited_to(whole, ["north"]))
    )

    assert of_all.at_least
    assert (of_some.total, of_some.at_least) == (1, False)


def test_an_agent_of_another_region_is_nobody() -> None:
    whole = aggregates_of(call(FIRST, region="north", agent_id="ann"), call(SECOND, region="south", agent_id="ben"))
    seen = limited_to(whole, ["north"])

    assert agent_answer(seen, "ann", AgentQuery(), TRUTH).data.agent_id == "ann"
    with pytest.raises(NotFound):
        agent_answer(seen, "ben", AgentQuery(), TRUTH)


def test_a_days_calls_of_others_do_not_move_the_end_of_the_data() -> None:
    whole = aggregates_of(call(FIRST, region="north"), call(LATER, region="south"))

    window = limited_to(whole, ["north"]).data_window("UTC")

    assert (window.start.isoformat(), window.days, window.end - window.start) == ("2026-03-02", 1, timedelta(days=1))
