"""Every link of every number is followed, and lists as many calls as plain rows say there are behind it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supportapi.answers.agent import agent_answer
from supportapi.answers.agents import agents_answer
from supportapi.answers.choice import DIMENSIONS
from supportapi.answers.drill_down import DrillDown
from supportapi.answers.metrics import metrics_answer
from supportapi.answers.query import AgentQuery, AgentsQuery, MetricsQuery
from supportapi.answers.query_string import decode
from supportapi.api.calls import CallsQuery, asked
from supportapi.api.calls_query import selection_of
from supportapi.calls.filter import Filter
from supportapi.calls.listing import selected
from supportapi.calls.window import Window, bucket_starts
from supportapi.dataset.ingest import ingest
from supportapi.refresh.reading import calls_of
from supportapi.rollups.build import build
from supportapi.rollups.catalogue import METRICS
from supportapi.rollups.states import partial_state
from tests.answers import plain
from tests.answers.few_calls import TRUTH
from tests.answers.test_sections import random_rows
from tests.datasets import MAPPINGS, shared
from tests.rollups.few_calls import ZONES, aggregates_of, frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from supportapi.rollups.aggregates import Aggregates
    from tests.api.world import Api

_A, _U = pl.col("answered").fill_null(value=False), ~pl.col("answered").fill_null(value=True)
_W, _D, _R = pl.col("wait_seconds"), pl.col("duration_seconds"), pl.col("rating")
_RESOLVED = pl.col("resolved")
_LONG = (_A | _U) & ~(_U & (_W < 5)).fill_null(value=False)

UNSAID = {"first_contact_resolution"}
"""What no filter can say: these metrics lead nowhere."""

BEHIND: Mapping[str, pl.Expr] = {
    "calls": pl.lit(value=True),
    "answered": _A,
    "unanswered": _U,
    "answer_rate": _A | _U,
    "abandonment_rate": _A | _U,
    "abandonment_rate_excl_short": _LONG,
    "service_level": _LONG,
    "average_speed_of_answer": _A & _W.is_not_null(),
    "average_wait_unanswered": _U & _W.is_not_null(),
    "longest_wait": _W.is_not_null(),
    **{f"wait_p{percent}": _W.is_not_null() for percent in (50, 90, 95, 99)},
    **{f"duration_p{percent}": _D.is_not_null() for percent in (50, 90, 95, 99)},
    "average_duration": _D.is_not_null(),
    "total_talk_time": _D.is_not_null(),
    "resolved": _RESOLVED,
    "resolution_rate": _RESOLVED.is_not_null() & ~_U,
    "resolved_share_of_calls": _RESOLVED.is_not_null(),
    **dict.fromkeys(("csat", "average_rating", "rated", "net_satisfaction"), _R.is_not_null()),
    "response_rate": ~_U,
}
"""The calls that each metric counts or is computed from, straight from the definitions."""

_property = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Expected = tuple[str, str | None, int]


class Case:
    """Some calls, a window and a filter, and who answers about them."""

    def __init__(self, rows: list[plain.Row], zone: str, window: Window, limits: Filter) -> None:
        self.zone, self.window, self.limits = zone, window, limits
        self.aggregates: Aggregates = aggregates_of(rows, ZONES)
        self.calls = frame(rows)
        self.plain = plain.selected(rows, zone, window, limits).with_columns(
            pl.col("started_at").dt.convert_time_zone(zone).alias("local")
        )

    def query(self, kind: Any, **given: Any) -> Any:
        limits = {name: self.limits.members(name) for name in self.limits.limited}
        return kind(from_=self.window.start, to=self.window.end, timezone=self.zone, **limits, **given)

    def ask(self, **given: Any) -> Any:
        return metrics_answer(self.aggregates, self.query(MetricsQuery, **given), TRUTH).data

    def behind(self, key: str, among: pl.Expr | None = None) -> int:
        return self.plain.filter(pl.lit(value=True) if among is None else among).filter(BEHIND[key]).height

    def follow(self, links: list[Expected]) -> list[Expected]:
        """The same links with the number of calls that each of them lists; none for one that leads nowhere."""
        return [
            (name, link, 0 if link is None else listed(self.aggregates, self.calls, link)) for name, link, _ in links
        ]


def listed(aggregates: Aggregates, calls: pl.LazyFrame, link: str) -> int:
    path, _, spelled = link.partition("?")
    assert path == "/api/calls"
    query = decode(spelled.encode(), CallsQuery)
    zone, window = asked(aggregates, query)
    return selected(calls, selection_of(query, window, zone)).collect().height


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows = random_rows(draw(st.integers(0, 2**32)))
    first = rows[0]["started_at"].date() + timedelta(days=draw(st.integers(-3, 8)))
    window = Window(first, first + timedelta(days=draw(st.integers(1, 30))))
    limits = draw(st.sampled_from((Filter(), Filter(region=("a", "null", r"\null")), Filter(agent_id=("a", "b")))))
    return Case(rows, draw(st.sampled_from(ZONES)), window, limits)


@_property
@given(cases(), st.sampled_from(("abandon_after_threshold", "all_offered", "answered_only", "standard")))
def test_a_card_leads_to_the_calls_that_it_counts_or_divides_by(case: Case, variant: Any) -> None:
    beyond = _A | (_U & (_W > 60)).fill_null(value=False)
    offered = {"abandon_after_threshold": beyond, "all_offered": _A | _U, "answered_only": _A, "standard": _LONG}

    cards = [card for card in case.ask(include=("kpis",), variant=variant, threshold=60).kpis if card.available]

    said = [card for card in cards if card.key not in UNSAID]
    assert [card.links.calls for card in cards if card.key in UNSAID] == [None] * (len(cards) - len(said))
    wanted = [(card.key, card.links.calls, case.behind(card.key)) for card in said if card.key != "service_level"]
    levels = [card for card in cards if card.key == "service_level"]
    wanted += [(card.key, card.links.calls, case.plain.filter(offered[variant]).height) for card in levels]
    wanted += [
        (name, card.links.counts[name], count) for card in said if card.counts for name, count in card.counts.items()
    ]
    assert case.follow(wanted) == wanted


@_property
@given(cases(), st.sampled_from(("day", "week", "month")), st.sampled_from(sorted(BEHIND)))
def test_a_bucket_leads_to_its_calls(case: Case, grain: Any, key: str) -> None:
    starts = bucket_starts(case.window, grain)

    series = case.ask(include=("series",), metrics=(key,), grain=grain).series[0]

    ends = [*starts[1:], case.window.end]
    days = [(pl.col("day") >= start) & (pl.col("day") < end) for start, end in zip(starts, ends, strict=True)]
    wanted = [
        (str(point.start), point.links.calls, case.behind(key, among))
        for point, among in zip(series.points, days, strict=bool(series.points))
    ]
    assert case.follow(wanted) == wanted


@settings(_property, max_examples=6)
@given(cases(), st.sampled_from(("calls", "csat")))
def test_an_hour_leads_to_its_calls_whatever_the_clock_did(case: Case, key: str) -> None:
    case.window = Window(case.window.start, case.window.start + timedelta(days=min(case.window.days, 6)))

    series = case.ask(include=("series",), metrics=(key,), grain="hour").series[0]

    inside = pl.col("day").is_between(case.window.start, case.window.end, closed="left")
    hour = timedelta(hours=1)
    started = pl.col("started_at")
    wanted = [
        (str(p.start), p.links.calls, case.behind(key, inside & (started >= p.start) & (started < p.start + hour)))
        for p in series.points
    ]
    assert case.follow(wanted) == wanted


def test_buckets_of_a_longer_window_before_lead_to_their_own_calls() -> None:
    rows = random_rows(4)
    first: date = _span(rows)[0].replace(day=1)
    march = Window(first.replace(month=first.month % 12 + 1), first.replace(month=first.month % 12 + 1, day=28))
    case = Case(rows, "Europe/Berlin", march, Filter())

    series = case.ask(include=("series",), metrics=("calls",), compare="previous_month").series[0]

    wanted = [(str(each.start), each.links.calls, each.value) for each in series.previous_beyond]
    assert case.follow(wanted) == wanted


@_property
@given(cases(), st.integers(1, 9))
def test_a_row_of_a_breakdown_leads_to_its_calls_and_the_rest_has_no_link(case: Case, top: int) -> None:
    found = case.ask(include=("breakdowns",), by=DIMENSIONS, top=top).breakdowns

    wanted = [(f"{each.dimension} {row.key}", row.links.calls, row.calls) for each in found for row in each.rows]
    assert case.follow(wanted) == wanted
    assert [each.other for each in found if hasattr(each.other, "links")] == []


@settings(_property, max_examples=5)
@given(cases(), st.sampled_from(("calls", "csat", "unanswered")))
def test_a_cell_of_a_heat_map_leads_to_the_calls_of_that_hour_on_the_wall(case: Case, key: str) -> None:
    found = case.ask(include=("heatmap",), heatmap_metric=key).heatmap

    wanted = [
        (f"{weekday} {hour}", link, case.behind(key, (pl.col("weekday") == weekday) & (pl.col("hour") == hour)))
        for weekday, line in enumerate(found.links.calls)
        for hour, link in enumerate(line)
        if link is not None
    ]
    assert case.follow(wanted) == wanted
    assert bool(wanted) == found.available


@_property
@given(
    cases(),
    st.permutations(DIMENSIONS),
    st.integers(1, 4),
    st.sampled_from(("calls", "csat", "rated", "service_level")),
)
def test_a_cell_of_a_pivot_leads_to_its_calls_and_so_do_its_totals(
    case: Case, dimensions: list[str], top: int, key: str
) -> None:
    rows, columns = dimensions[:2]

    found = case.ask(include=("pivot",), pivot=f"{rows},{columns}", pivot_metric=key, pivot_top=top).pivot

    def among(dimension: str, member: str | None) -> pl.Expr:
        name = "rating_key" if dimension == "rating" else dimension
        return pl.lit(value=True) if member is None else pl.col(name) == member

    lines = [*((row.key, row) for row in found.rows), (None, found.totals)] if found.available else []
    members = [*(column.key for column in found.columns), None]
    wanted = [
        (f"{row} {column}", link, case.behind(key, among(rows, row) & among(columns, column)))
        for row, line in lines
        for column, link in zip(members, [*line.links.calls, line.links.total], strict=True)
    ]
    assert case.follow(wanted) == wanted
    assert found.other is None or found.other.links is None


@_property
@given(cases(), st.sampled_from(("wait", "duration")))
def test_a_bar_of_a_distribution_leads_to_its_calls(case: Case, of: Any) -> None:
    found = case.ask(include=("distribution",), distribution_of=of).distribution

    wanted = [(str(each.up_to), each.links.calls, each.calls) for each in found.bins]
    assert case.follow(wanted) == wanted


@_property
@given(cases())
def test_a_row_of_the_leaderboard_leads_to_its_calls(case: Case) -> None:
    found: Any = agents_answer(case.aggregates, case.query(AgentsQuery, per_page=200), TRUTH).data

    wanted = [(f"{row.agent_id} {row.region}", row.links.calls, row.calls) for row in found.rows]
    assert case.follow(wanted) == wanted


def test_the_numbers_of_one_agent_lead_to_the_calls_of_that_agent() -> None:
    case = Case(random_rows(1), "Europe/Berlin", Window(*_span(random_rows(1))), Filter(agent_id=("a",)))
    query = AgentQuery(from_=case.window.start, to=case.window.end, timezone=case.zone)

    found: Any = agent_answer(case.aggregates, "a", query, TRUTH).data

    said = [card for card in found.kpis if card.available and card.key not in UNSAID]
    wanted = [(card.key, card.links.calls, case.behind(card.key)) for card in said]
    wanted += [(row.key, row.links.calls, row.calls) for each in found.breakdowns for row in each.rows]
    wanted += [
        (str(point.start), point.links.calls, point.value)
        for series in found.series
        if series.key == "calls"
        for point in series.points
    ]
    wanted += [
        (str(count), link, count)
        for links, counts in zip(found.heatmap.links.calls, found.heatmap.calls, strict=True)
        for link, count in zip(links, counts, strict=True)
    ]
    assert case.follow(wanted) == wanted


def _span(rows: list[plain.Row]) -> tuple[Any, Any]:
    days = [row["started_at"].date() for row in rows]
    return min(days), max(days) + timedelta(days=1)


def test_every_metric_of_the_catalogue_says_which_calls_are_behind_it() -> None:
    links = DrillDown(Window(*_span(random_rows(1))), None, Filter())

    assert [metric.key for metric in METRICS if links.kept(metric) is None] == sorted(UNSAID)
    assert {metric.key for metric in METRICS} == set(BEHIND) | UNSAID


def test_no_calls_at_all_lead_nowhere() -> None:
    found: Any = metrics_answer(aggregates_of([], ("UTC",)), MetricsQuery(range="all"), TRUTH).data

    assert {card.links.calls for card in found.kpis if card.available} == {None}


def test_what_is_rated_among_the_calls_without_a_rating_leads_nowhere() -> None:
    rows = [row | {"rating": None if at % 2 else 5, "region": "a"} for at, row in enumerate(random_rows(2))]
    case = Case(rows, "UTC", Window(*_span(rows)), Filter())

    found = case.ask(include=("pivot",), pivot="rating,region", pivot_metric="csat").pivot

    assert [(row.key, row.links.total is None) for row in found.rows] == [("5", False), ("null", True)]


@pytest.mark.parametrize(
    ("name", "file", "zone"),
    [
        ("pwc-call-centre", "call_center.csv", "Asia/Kathmandu"),
        ("anonymous-bank-1999-02", "data_anonymous_bank_february.txt", "Asia/Jerusalem"),
    ],
)
def test_every_link_of_a_real_centre_lists_what_its_number_counts(
    name: str, file: str, zone: str, tmp_path: Path
) -> None:
    ingest([shared(name) / file], MAPPINGS / f"{name}.toml", tmp_path)
    calls = calls_of([tmp_path / "cleaned_calls.parquet"])
    aggregates = build(partial_state(calls, ("UTC", zone)), calls, ("UTC", zone), 64 << 20)
    counts = ("answered", "calls", "rated", "resolved", "unanswered")
    query = MetricsQuery(
        range="all", timezone=zone, metrics=counts, by=DIMENSIONS, grain="week", compare="none",
        include=("breakdowns", "distribution", "heatmap", "kpis", "pivot", "series"), heatmap_metric="unanswered",
    )  # fmt: skip

    found = list(counted(metrics_answer(aggregates, query, TRUTH).data))

    assert len(found) > 250
    assert [(link, listed(aggregates, calls, link)) for link, _ in found] == found


def counted(data: Any) -> Iterator[tuple[str, int]]:
    """Every link of an answer about counts, and the count beside it."""
    yield from ((card.links.calls, card.value) for card in data.kpis if card.available)
    for series in data.series:
        yield from ((point.links.calls, point.value) for point in series.points)
    for each in data.breakdowns:
        yield from ((row.links.calls, row.calls) for row in each.rows)
    for links, values in zip(data.heatmap.links.calls, data.heatmap.values, strict=True):
        yield from ((link, value) for link, value in zip(links, values, strict=True) if link is not None)
    yield from ((each.links.calls, each.calls) for each in data.distribution.bins)
    for line in (*data.pivot.rows, data.pivot.totals):
        yield from zip((*line.links.calls, line.links.total), (*line.values, line.total), strict=True)


@pytest.mark.anyio
async def test_the_links_of_a_dashboard_are_answered_by_the_running_api(api: Api) -> None:
    data = (
        await api.get("/api/metrics?range=7d&timezone=Europe/Berlin&metrics=calls,unanswered&region=north,null")
    ).json()["data"]
    wanted = [(card["links"]["calls"], card["value"]) for card in data["kpis"]]
    wanted += [(point["links"]["calls"], point["value"]) for series in data["series"] for point in series["points"]]
    wanted += [(row["links"]["calls"], row["calls"]) for each in data["breakdowns"] for row in each["rows"]]

    found = [(link, (await api.get(link)).json()["meta"]["total"]) for link, _ in wanted]

    assert found == wanted
    assert len(found) > 20
