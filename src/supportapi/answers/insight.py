"""One insight: how it is worded, and the question that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.choice import Dimension, MetricKey, axis_of, chosen
from supportapi.answers.query import METRICS_PATH, MetricsQuery
from supportapi.answers.query_string import canonical

if TYPE_CHECKING:
    from supportapi.answers.pair import Pair
    from supportapi.calls.window import Window
    from supportapi.rollups.catalogue import Metric

Kind = Literal["mover", "unusual", "below_target", "peak"]
Severity = Literal["warning", "notice", "info"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)

_WATCHED: Final = ("calls", "answer_rate", "service_level", "resolution_rate", "csat")


class Insight(msgspec.Struct, frozen=True, kw_only=True):
    """One statement, and what it rests on."""

    kind: Kind
    severity: Annotated[
        Severity, Doc(description="A warning is for the worse, a notice for a move, info for the rest.")
    ]
    metric: MetricKey
    dimension: Annotated[Dimension | None, Doc(description="Null where it is about all calls.")]
    member: Annotated[str | None, Doc(description="The key of the member; null where it is about all calls.")]
    statement: Annotated[str, Doc(description="Plain English, made of `numbers`.")]
    numbers: Annotated[dict[str, float | None], Doc(description="What the statement says, unrounded.")]
    link: Annotated[str, Doc(description="The question whose answer shows it.", examples=["/api/metrics?range=30d"])]


class Found(msgspec.Struct, frozen=True):
    """An insight, and how large it is among others."""

    insight: Insight
    size: float


def watched(pair: Pair, query: MetricsQuery) -> list[Metric]:
    """The metrics that insights are about: those that the dataset can give."""
    return pair.available(chosen(_WATCHED, query.threshold, query.variant))


def link(query: MetricsQuery, window: Window, member: tuple[Dimension, str] | None = None, **asked: Any) -> str:
    """The question of `query` about `window`, of one member alone, with other parameters `asked`."""
    limits: dict[str, Any] = msgspec.structs.asdict(query.filter)
    if member is not None:
        limits[axis_of(member[0])] = (member[1],)
    kept = {name: getattr(query, name) for name in ("timezone", "compare", "threshold", "variant") if name not in asked}
    question = MetricsQuery(from_=window.start, to=window.end)
    return f"{METRICS_PATH}?{canonical(msgspec.structs.replace(question, **limits, **kept, **asked))}"


def named(pair: Pair, member: tuple[Dimension, str] | None) -> str:
    """How a statement begins that is about `member`."""
    if member is None:
        return "All calls"
    dimension, key = member
    return f"{dimension.replace('_', ' ').capitalize()} {pair.labels(axis_of(dimension))[key]}"


def figure(value: float, metric: Metric) -> str:
    """`value` as a statement says it."""
    return f"{value:.1f} %" if metric.unit == "percent" else f"{value:,.0f}"


def signed(value: float, metric: Metric) -> str:
    """A difference as a statement says it: rates differ in points."""
    return f"{value:+.1f} points" if metric.unit == "percent" else f"{value:+,.0f}"


def severity_of(metric: Metric, change: float) -> Severity:
    """How grave a change is."""
    worse = metric.better != "none" and (change > 0) != (metric.better == "up")
    return "warning" if worse else "notice"
