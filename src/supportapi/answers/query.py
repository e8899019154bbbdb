"""What a client may ask of the aggregates."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from supportapi.answers.by_agent import AgentMetric, AgentSort
from supportapi.answers.choice import (
    DASHBOARD,
    Dimension,
    MetricKey,
    PivotAxes,
    Section,
    SortBy,
    Threshold,
)
from supportapi.calls.filter import Filter, ServiceLevelVariant
from supportapi.calls.window import Comparison, Grain, RelativeRange, Window, relative_window
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import DEFAULT_THRESHOLD_SECONDS
from supportapi.rollups.questions import Measured

METRICS_PATH: Final = "/api/metrics"

DEFAULT_RANGE: Final[RelativeRange] = "30d"
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 1, 1)
"""What is asked for lies between: there is room for a window of equal length before it, and for a week after it."""

Members = Annotated[
    tuple[str, ...],
    Meta(
        description="Keep these members only; repeated or comma-separated. `null` keeps calls without a known value, "
        r"`\null` those of a member that is really called null."
    ),
]

MinCalls = Annotated[
    int,
    Meta(ge=1, le=100_000, description="A value that is computed from fewer calls than this earns no badge."),
]


class WindowedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The calls that a question is about: when, and which."""

    default_range: ClassVar[RelativeRange] = DEFAULT_RANGE
    """The window when none is given."""

    from_: Annotated[
        date | None,
        Meta(description="First day, in the reporting time zone.", examples=["2026-01-01"]),
    ] = msgspec.field(default=None, name="from")
    to: Annotated[
        date | None,
        Meta(description="The day after the last one: windows are half-open.", examples=["2026-02-01"]),
    ] = None
    range: Annotated[
        RelativeRange | None,
        Meta(description="A window that ends with the last day that has data. `30d` when no window is given."),
    ] = None
    region: Members = ()
    issue_type: Members = ()
    channel: Members = ()
    timezone: Annotated[
        str | None,
        Meta(description="One of the reporting time zones; the first of them by default.", examples=["UTC"]),
    ] = None

    def __post_init__(self) -> None:
        """Spell the default window out, so that a question has one canonical form."""
        if self.range is None and self.from_ is None and self.to is None:
            msgspec.structs.force_setattr(self, "range", self.default_range)

    @property
    def filter(self) -> Filter:
        """The members that the question is limited to."""
        return Filter(region=self.region, issue_type=self.issue_type, channel=self.channel)


class FilteredQuery(WindowedQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The calls of some agents, or of all of them."""

    agent_id: Members = ()

    @property
    def filter(self) -> Filter:
        """The members that the question is limited to."""
        return Filter(region=self.region, issue_type=self.issue_type, channel=self.channel, agent_id=self.agent_id)


class BreakdownsQuery(FilteredQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Metrics by the members of dimensions."""

    compare: Annotated[Comparison, Meta(description="The window that values are compared with.")] = "previous"
    complete: Annotated[
        bool,
        Meta(
            description="Leave out the last day that has data if it may have calls to come: `partial_day` in the "
            "meta's coverage."
        ),
    ] = False
    metrics: Annotated[
        tuple[MetricKey, ...],
        Meta(
            description="The metrics of cards, series and breakdowns. When none is named: every card, and those that a "
            "dashboard draws and lists.",
            examples=[["calls", "csat"]],
        ),
    ] = ()
    threshold: Annotated[
        Threshold, Meta(description="Seconds within which the service level wants calls to be answered.")
    ] = DEFAULT_THRESHOLD_SECONDS
    variant: Annotated[
        ServiceLevelVariant, Meta(description="What the service level divides by; see the catalogue.")
    ] = "standard"
    by: Annotated[
        tuple[Dimension, ...], Meta(min_length=1, description="The breakdowns.", examples=[["region", "agent"]])
    ] = ("channel", "issue_type", "rating", "region")
    sort_by: Annotated[
        SortBy | None,
        Meta(
            description="The order of a breakdown's rows: a metric or its `_delta`; a leading `-` sorts downwards, and "
            "unknown values come last. Most calls first when not given, and ratings from 5 down.",
            examples=["-csat_delta"],
        ),
    ] = None
    top: Annotated[
        int, Meta(ge=1, le=1_000, description="So many members of a breakdown have rows; the others are one, `other`.")
    ] = 100


class MetricsQuery(
    BreakdownsQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="metrics"
):
    """`GET /api/metrics`."""

    grain: Annotated[Grain, Meta(description="The step of the series; weeks begin on Monday.")] = "day"
    include: Annotated[
        tuple[Section, ...],
        Meta(
            min_length=1, description="The sections of the answer; others are absent.", examples=[["kpis", "heatmap"]]
        ),
    ] = DASHBOARD
    heatmap_metric: Annotated[MetricKey, Meta(description="What the heat map shows.")] = "calls"
    distribution_of: Annotated[Measured, Meta(description="Of what the distribution is.")] = "duration"
    pivot: Annotated[
        PivotAxes, Meta(description="The rows and the columns of the pivot.", examples=["region,agent"])
    ] = "region,issue_type"
    pivot_metric: Annotated[MetricKey, Meta(description="What the pivot shows.")] = "calls"
    pivot_top: Annotated[
        int, Meta(ge=1, le=50, description="So many members along each side of the pivot; the others are one, `other`.")
    ] = 10
    target: Annotated[
        float, Meta(ge=0, le=100, description="The percentage that insights hold the service level against.")
    ] = 80


class BoardQuery(FilteredQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The leaderboard."""

    compare: Annotated[Comparison, Meta(description="The window that values are compared with.")] = "previous"
    sort: Annotated[
        AgentSort,
        Meta(
            description="A metric, its `_delta`, or `agent_name`; a leading `-` sorts downwards, unknown values come "
            "last. Proportions sort by the cautious end of their interval."
        ),
    ] = "-calls"
    metrics: Annotated[
        tuple[AgentMetric, ...],
        Meta(description="The metrics of each row; all but percentiles and maxima when none is named."),
    ] = ()
    min_calls: MinCalls = 20


class AgentsQuery(BoardQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="agents"):
    """`GET /api/agents`."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    per_page: Annotated[int, Meta(ge=1, le=200)] = 50


class AgentQuery(WindowedQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`GET /api/agents/{agent_id}`."""

    compare: Annotated[Comparison, Meta(description="The window that values are compared with.")] = "previous"
    grain: Annotated[Grain, Meta(description="The step of the series; weeks begin on Monday.")] = "day"
    min_calls: MinCalls = 20


class OptionsQuery(
    FilteredQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="options"
):
    """`GET /api/filters/options`."""

    default_range: ClassVar[RelativeRange] = "all"

    range: Annotated[
        RelativeRange | None,
        Meta(description="A window that ends with the last day that has data. `all` when no window is given."),
    ] = None


class CatalogueQuery(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="catalogue"
):
    """`GET /api/metrics/catalogue`: nothing to choose."""


def zone_of(timezone: str | None, zones: tuple[str, ...]) -> str:
    """The reporting zone that `timezone` names; raises `ValidationFailed` with the list of those there are."""
    if timezone is None:
        return zones[0]
    if timezone not in zones:
        message = f"'{timezone[:100]}' is not a reporting time zone; there are: {', '.join(zones)}."
        raise ValidationFailed([{"field": "timezone", "message": message, "allowed": list(zones)}])
    return timezone


def window_of(query: WindowedQuery, data: Window) -> Window:
    """The window that `query` asks for, for data that spans `data`.

    Raises `ValidationFailed` when `range` stands beside `from` or `to`, when `from` is not before `to`, or when either
    is a day of another age.
    """
    if query.range is not None and (query.from_ is not None or query.to is not None):
        raise ValidationFailed([{"field": "range", "message": "Give either 'range' or 'from' and 'to', not both."}])
    if query.from_ is None and query.to is None:
        return relative_window(query.range or query.default_range, data)
    if strange := [name for name, day in (("from", query.from_), ("to", query.to)) if day and not _is_asked_for(day)]:
        message = f"A day from {FIRST_DAY} to {LAST_DAY} is needed."
        raise ValidationFailed([{"field": name, "message": message} for name in strange])
    window = Window(query.from_ or data.start, query.to or data.end)
    if window.start >= window.end:
        message = f"'from' ({window.start}) must be before 'to' ({window.end}), the day after the last one."
        raise ValidationFailed([{"field": "from", "message": message}])
    return window


def _is_asked_for(day: date) -> bool:
    return FIRST_DAY <= day <= LAST_DAY
