"""Every section of an answer against plain Polars over the same rows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from supportapi.answers.choice import DIMENSIONS
from supportapi.answers.metrics import metrics_answer
from supportapi.answers.query import BreakdownsQuery, MetricsQuery
from supportapi.answers.tables import Table, breakdowns_table
from supportapi.calls.filter import Filter
from supportapi.calls.window import Window, bucket_starts, midnight
from supportapi.rollups.catalogue import METRICS
from tests.answers import plain
from tests.answers.few_calls import TRUTH
from tests.rollups.few_calls import AMPLE, NOTHING, ZONES, aggregates_of, row
from tests.rollups.random_calls import CLOCK_CHANGES

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

VALUES: dict[str, tuple[Any, ...]] = {
    "customer_id": ("kim", "lee", "max", "noa", None),
    "region": ("a", "a", "a", "b", "null", "other", None),
    "issue_type": ("a", "b", "b", "c", "d", "other", None),
    "channel": ("a", "b", None),
    "agent_id": ("a", "b", "c", "d", "e", r"\null", None),
    "answered": (True, True, False, None),
    "resolved": (True, False, None),
    "rating": (None, 1, 2, 3, 4, 5),
}
KEYS = tuple(plain.METRICS)
SECTIONS = ("breakdowns", "distribution", "heatmap", "kpis", "pivot", "series")
NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)

_property = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Case:
    """Some calls, a question about them, and who answers it."""

    def __init__(self, rows: list[plain.Row], zone: str, window: Window, limits: Filter, budget: int = AMPLE) -> None:
        self.rows, self.zone, self.window, self.limits = rows, zone, window, limits
        self.aggregates: Aggregates = aggregates_of(rows, (zone,), budget)
        self.plain = plain.selected(rows, zone, window, limits)

    def ask(self, **asked: Any) -> Any:
        limits = {name: self.limits.members(name) for name in self.limits.limited}
        query = MetricsQuery(from_=self.window.start, to=self.window.end, compare="none", **limits, **asked)
        return metrics_answer(self.aggregates, query, TRUTH).data

    def table(self, **asked: Any) -> Table:
        limits = {name: self.limits.members(name) for name in self.limits.limited}
        query = BreakdownsQuery(from_=self.window.start, to=self.window.end, compare="none", **limits, **asked)
        return breakdowns_table(self.aggregates, query, TRUTH)

    def known(self, values: dict[str, Any]) -> dict[str, Any]:
        """What the metrics must be; unavailable ones, whose columns no call has, are null."""
        optional = ("answered", "customer_id", "wait_seconds", "duration_seconds", "rating", "resolved")
        missing = [column for column in optional
                   if self.rows and all(each.get(column) is None for each in self.rows)]  # fmt: skip
        return {key: None if NEEDS[key] & set(missing) else plain.about(values[key], key) for key in KEYS}


NEEDS: dict[str, set[str]] = {
    **{key: {"wait_seconds"} for key in KEYS if "wait" in key},
    **{key: {"duration_seconds"} for key in KEYS if "duration" in key or key == "total_talk_time"},
    **{key: {"answered"} for key in ("answered", "unanswered", "answer_rate", "abandonment_rate")},
    **{
        key: {"answered", "wait_seconds"}
        for key in (
            "abandonment_rate_excl_short",
            "service_level",
            "average_speed_of_answer",
            "average_wait_unanswered",
        )
    },
    **{key: {"resolved"} for key in ("resolved", "resolution_rate", "resolved_share_of_calls")},
    "first_contact_resolution": {"customer_id", "resolved"},
    **{key: {"rating"} for key in ("csat", "average_rating", "rated", "response_rate", "net_satisfaction")},
    "calls": set(),
}


def random_rows(seed: int) -> list[plain.Row]:
    """Up to 300 calls in the month around a clock change; any column may be null in some or in all of them."""
    draw = random.Random(seed)  # noqa: S311  a sample, not a secret
    change = draw.choice(CLOCK_CHANGES)
    absent = {name for name in VALUES if draw.random() < 0.1}
    moments = sorted(
        change + timedelta(seconds=draw.randint(-15 * 86_400, 15 * 86_400)) for _ in range(draw.randint(1, 300))
    )
    return [
        {name: None if name in absent else draw.choice(values) for name, values in VALUES.items()}
        | {
            "call_id": f"{number:03}",
            "started_at": moment,
            "wait_seconds": seconds(draw),
            "duration_seconds": seconds(draw) or None,
        }
        for number, moment in enumerate(moments)
    ]


def seconds(draw: random.Random) -> float | None:
    return draw.choice(
        (None, 0.0, 4.999, 5.0, 20.0, round(draw.expovariate(1 / 60), 3), round(draw.expovariate(1 / 5000), 3))
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows = random_rows(draw(st.integers(0, 2**32)))
    first = rows[0]["started_at"].date() + timedelta(days=draw(st.integers(-3, 8)))
    window = Window(first, first + timedelta(days=draw(st.integers(1, 40))))
    limits = draw(
        st.sampled_from((Filter(), Filter(), Filter(region=("a", "null")), Filter(agent_id=("a", "b"), channel=("a",))))
    )
    return Case(rows, draw(st.sampled_from(ZONES)), window, limits, draw(st.sampled_from((AMPLE, AMPLE, NOTHING))))


@_property
@given(cases())
def test_cards_are_what_plain_rows_say(case: Case) -> None:
    found = case.ask(include=("kpis",)).kpis

    assert {card.key: card.value for card in found} == case.known(plain.measured(case.plain))


@_property
@given(cases(), st.sampled_from(("day", "week", "month")))
def test_series_are_what_plain_rows_say_in_every_bucket(case: Case, grain: Any) -> None:
    starts = bucket_starts(case.window, grain)
    told = plain.by(
        case.plain.with_columns(bucket=case.plain["day"].dt.truncate(f"1{grain[0].replace('m', 'mo')}")), "bucket"
    )
    expected = [case.known(told.get(start) or plain.nothing()) for start in starts]

    found = case.ask(include=("series",), metrics=KEYS, grain=grain).series

    assert {series.key for series in found} == set(KEYS)
    assert [_values(series, starts, case.zone) for series in found] == [
        [bucket[series.key] for bucket in expected] for series in found
    ]


def _values(series: Any, starts: list[Any], zone: str) -> list[Any]:
    """The values of a series whose points begin where they should; as many nulls when it is not available."""
    if not series.available:
        assert series.points == []
        return [None] * len(starts)
    assert [point.start for point in series.points] == [midnight(start, zone) for start in starts]
    return [point.value for point in series.points]


@_property
@given(cases(), st.integers(1, 4), st.sampled_from(("calls", "average_duration", "csat", "wait_p90")))
def test_breakdowns_are_what_plain_rows_say_and_the_rest_is_in_other(case: Case, top: int, sort_by: str) -> None:
    found = case.ask(include=("breakdowns",), by=DIMENSIONS, metrics=KEYS, top=top, sort_by=f"-{sort_by}").breakdowns

    assert [each.dimension for each in found] == list(DIMENSIONS)
    assert [_shown(each) for each in found] == [_expected(case, each) for each in found]
    assert [_in_order(each, sort_by) for each in found] == [True] * len(found)


def _column(dimension: str) -> str:
    return "rating_key" if dimension == "rating" else dimension


def _shown(found: Any) -> dict[str, dict[str, Any]]:
    other = {} if found.other is None else {"other of all": _row(found.other)}
    return {each.key: _row(each) for each in found.rows} | other


def _row(shown: Any) -> dict[str, Any]:
    return {key: getattr(shown, key) for key in KEYS if getattr(shown, key) is not UNSET}


def _expected(case: Case, found: Any) -> dict[str, dict[str, Any]]:
    column = _column(found.dimension)
    kept = [each.key for each in found.rows]
    told = {key: case.known(values) for key, values in plain.by(case.plain, column).items() if key in kept}
    rest = case.plain.filter(~pl.col(column).is_in(kept))
    if rest.height:
        assert found.other.members == rest[column].n_unique()
        told["other of all"] = case.known(plain.measured(rest))
    return {
        key: {name: value for name, value in values.items() if name not in found.unavailable}
        for key, values in told.items()
    }


def _in_order(found: Any, key: str) -> bool:
    if key in found.unavailable:
        return True
    values = [getattr(each, key) for each in found.rows]
    known = [value for value in values if value is not None]
    return values == [*sorted(known, reverse=True), *[None] * (len(values) - len(known))]


@_property
@given(cases(), st.sampled_from(KEYS))
def test_a_heat_map_is_what_the_clock_on_the_wall_says(case: Case, key: str) -> None:
    found = case.ask(include=("heatmap",), heatmap_metric=key).heatmap

    told, empty = plain.by(case.plain, "weekday", "hour"), plain.nothing()
    data = case.aggregates.data_window(case.zone)
    days = [case.window.start + timedelta(days=n) for n in range(case.window.days)]
    counted = [sum(day.weekday() == weekday for day in days if data.start <= day < data.end) for weekday in range(7)]
    assert found.days == counted
    assert found.calls == [[told.get((day, hour), empty)["calls"] for hour in range(24)] for day in range(7)]
    assert found.values == [
        [case.known(told.get((day, hour), empty))[key] if counted[day] else None for hour in range(24)]
        for day in range(7)
    ]


@_property
@given(cases(), st.sampled_from(("wait", "duration")))
def test_a_distribution_counts_every_known_value_between_its_edges(case: Case, of: Any) -> None:
    found = case.ask(include=("distribution",), distribution_of=of).distribution

    values = case.plain[f"{of}_seconds"].drop_nulls().to_list()
    assert (found.known, found.unknown) == (len(values), case.plain.height - len(values))
    assert [each.calls for each in found.bins] == [
        sum(
            (each.above is None or value > each.above) and (each.up_to is None or value <= each.up_to)
            for value in values
        )
        for each in found.bins
    ]
    assert sum(each.calls for each in found.bins) == len(values)
    expected = plain.measured(case.plain)
    assert {name: getattr(found.percentiles, name) for name in ("p50", "p90", "p95", "p99")} == {
        name: plain.about(expected[f"{of}_{name}"], "_p") for name in ("p50", "p90", "p95", "p99")
    }


@_property
@given(cases(), st.permutations(DIMENSIONS), st.integers(1, 4), st.sampled_from(KEYS))
def test_a_pivot_is_what_plain_rows_say_with_its_rests_and_totals(
    case: Case, dimensions: list[str], top: int, key: str
) -> None:
    rows, columns = dimensions[:2]

    found = case.ask(include=("pivot",), pivot=f"{rows},{columns}", pivot_metric=key, pivot_top=top).pivot

    shown = ([each.key for each in found.rows], [each.key for each in found.columns])
    lines = [*found.rows, *([] if found.other is None else [found.other]), found.totals]
    matrix = [[*line.values, *([line.other] if found.other_columns else []), line.total] for line in lines]
    sides = [_groups(case, name, kept) for name, kept in zip((rows, columns), shown, strict=True)]
    assert [len(side) - len(kept) - 1 for side, kept in zip(sides, shown, strict=True)] == [
        int(found.other_rows > 0),
        int(found.other_columns > 0),
    ]
    assert matrix == [
        [
            case.known(plain.measured(case.plain.filter(row & column)))[key] if found.available else None
            for column in sides[1]
        ]
        for row in sides[0]
    ]


def _groups(case: Case, dimension: str, kept: list[str]) -> list[Any]:
    column = pl.col(_column(dimension))
    rest = case.plain.filter(~column.is_in(kept)).height
    return [*(column == key for key in kept), *([~column.is_in(kept)] if rest else []), pl.lit(value=True)]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row(NOON)],
        [row(NOON, region="null", answered=True, wait_seconds=0.0, duration_seconds=0.001, rating=1, resolved=False)],
        [
            row(NOON + timedelta(seconds=n), call_id=f"{n}", region="r", wait_seconds=7.0, answered=n > 1)
            for n in range(5)
        ],
    ],
    ids=["no rows", "one row of nulls", "one row", "all rows in one cell"],
)
def test_the_smallest_datasets_have_every_section(rows: list[plain.Row]) -> None:
    aggregates = aggregates_of(rows, ("UTC",))
    query = MetricsQuery(range="all", include=SECTIONS, by=DIMENSIONS)

    found: Any = metrics_answer(aggregates, query, TRUTH).data

    assert {card.key: card.value for card in found.kpis}["calls"] == len(rows)
    assert [sum(each.calls for each in parted.rows) for parted in found.breakdowns] == [len(rows)] * len(DIMENSIONS)
    assert sum(map(sum, found.heatmap.calls)) == len(rows)
    assert found.distribution.known + found.distribution.unknown == len(rows)
    assert found.pivot.totals.total == len(rows)


ADDITIVE = tuple(metric.key for metric in METRICS if metric.adds == "sum")
COUNTED = tuple(metric.key for metric in METRICS if metric.counts)


@_property
@given(cases(), st.sampled_from(("hour", "day", "week", "month")), st.integers(1, 9))
def test_a_card_is_the_sum_of_its_series_of_every_breakdown_and_of_its_export(case: Case, grain: Any, top: int) -> None:
    found = case.ask(metrics=ADDITIVE, grain=grain, by=DIMENSIONS, top=top)

    cards = {card.key: pytest.approx(card.value) for card in found.kpis if card.available}
    assert {
        series.key: sum(point.value for point in series.points) for series in found.series if series.available
    } == cards
    assert [_totals(parted, cards) for parted in found.breakdowns] == [
        _possible(parted, cards) for parted in found.breakdowns
    ]
    table = case.table(metrics=ADDITIVE, by=DIMENSIONS, top=top)
    assert [_exported(table, parted, cards) for parted in found.breakdowns] == [
        _possible(parted, cards) for parted in found.breakdowns
    ]


def _exported(table: Table, parted: Any, cards: dict[str, Any]) -> dict[str, float]:
    rows = [row for row in table.rows if row["dimension"] == parted.dimension]
    return {key: sum(row[key] for row in rows) for key in _possible(parted, cards)}


@_property
@given(cases(), st.sampled_from(("hour", "day", "week", "month")), st.integers(1, 9))
def test_the_counts_of_a_card_are_the_sums_of_its_series_and_of_every_breakdown(
    case: Case, grain: Any, top: int
) -> None:
    found = case.ask(metrics=COUNTED, grain=grain, by=DIMENSIONS, top=top)

    cards = {card.key: card.counts for card in found.kpis if card.available}
    series = {one.key: one.counts for one in found.series if one.available}
    assert {key: {name: sum(listed) for name, listed in counts.items()} for key, counts in series.items()} == cards
    assert [_counts(parted, cards) for parted in found.breakdowns] == [
        {name: count for key in cards if key not in parted.unavailable for name, count in cards[key].items()}
        for parted in found.breakdowns
    ]


def _counts(parted: Any, cards: dict[str, dict[str, int]]) -> dict[str, int]:
    rows = [*parted.rows, *([] if parted.other is None else [parted.other])]
    names = [name for key, counts in cards.items() if key not in parted.unavailable for name in counts]
    return {name: sum(shown.counts[name] for shown in rows) for name in names}


def _totals(parted: Any, cards: dict[str, Any]) -> dict[str, float]:
    rows = [*parted.rows, *([] if parted.other is None else [parted.other])]
    return {key: sum(getattr(shown, key) for shown in rows) for key in _possible(parted, cards)}


def _possible(parted: Any, cards: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in cards.items() if key not in parted.unavailable}
