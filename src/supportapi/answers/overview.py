"""KPI cards: one for each metric, with its move, its counts and its recent shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec import Meta as Doc

from supportapi.answers.delta import Baseline, Delta, delta
from supportapi.answers.drill_down import CallsUrl
from supportapi.answers.figures import Figures, known, known_all
from supportapi.measures.wilson import wilson_interval
from supportapi.rollups.catalogue import COLUMN_ABSENT, Better, Metric, Unit, availability

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from supportapi.answers.drill_down import DrillDown


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Where a proportion may really lie, in percent."""

    low: float
    high: float


class CardLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the calls behind a card are."""

    calls: CallsUrl
    counts: Annotated[dict[str, str] | UnsetType, Doc(description="Lists the calls of each of its `counts`.")] = UNSET


class KpiCard(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of the window."""

    key: Annotated[str, Doc(examples=["calls"])]
    label: Annotated[str, Doc(examples=["Calls"])]
    unit: Unit
    better: Better
    value: Annotated[float | None, Doc(description="Null where it is not known: a ratio of nothing, a missing column.")]
    previous: Annotated[float | None, Doc(description="The value in the window before; null when it has no data.")]
    delta: Annotated[Delta | None, Doc(description="Null when nothing is compared.")]
    sparkline: Annotated[
        list[float | None] | None,
        Doc(description="At most 30 equal steps up to the end of the window; null when not available."),
    ]
    available: bool
    reason: Annotated[str | None, Doc(description="Why the metric is not available.", examples=["column_absent"])]
    columns: Annotated[tuple[str, ...] | None, Doc(description="The columns that it lacks.")] = None
    counts: Annotated[
        dict[str, int] | UnsetType,
        Doc(description="What the value is made of: the counts of the service level, and of each rating for CSAT."),
    ] = UNSET
    interval: Annotated[
        Interval | UnsetType, Doc(description="95 % Wilson interval; of proportions that have a value.")
    ] = UNSET
    links: Annotated[
        CardLinks | None,
        Doc(description="Null when it is not available, or not about the calls that are served."),
    ] = None


def overview(
    columns_present: Collection[str],
    metrics: Iterable[Metric],
    now: Figures,
    before: Figures | None,
    steps: Figures,
    base: Baseline,
    *,
    by_agent: bool = False,
    drill_down: DrillDown | None = None,
) -> list[KpiCard]:
    """A card for each of `metrics`.

    `now` and `before` hold the two windows as one group each, `steps` the window by step. A metric whose columns the
    dataset lacks is unavailable, never 0; so is, for the cards of an agent, one that means nothing `by_agent`.
    """
    intervals = _intervals(now)
    return [
        _card(metric, now, before, steps, base, _extras(metric, now, intervals, drill_down))
        if (reason := availability(metric, columns_present, by_agent=by_agent)) is None
        else _unavailable(metric, reason, columns_present)
        for metric in metrics
    ]


def _card(
    metric: Metric,
    now: Figures,
    before: Figures | None,
    steps: Figures,
    base: Baseline,
    extras: Mapping[str, Any],
) -> KpiCard:
    value = known(float(now.values[metric.key]), metric.unit)
    previous = None
    if before is not None and base.exists:
        previous = known(float(before.values[metric.key]), metric.unit)
    return KpiCard(
        key=metric.key,
        label=metric.label,
        unit=metric.unit,
        better=metric.better,
        value=value,
        previous=previous,
        delta=None if before is None else delta(metric, value, previous, base),
        sparkline=known_all(steps.values[metric.key], metric.unit),
        available=True,
        reason=None,
        **extras,
    )


def _extras(
    metric: Metric, now: Figures, intervals: Mapping[str, Interval], drill_down: DrillDown | None
) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if metric.counts:
        extras["counts"] = {name: int(count(now.tally)) for name, count in metric.counts.items()}
    if metric.key in intervals:
        extras["interval"] = intervals[metric.key]
    if drill_down is not None:
        link, counts = drill_down.link(drill_down.kept(metric)), drill_down.counts(metric)
        extras["links"] = CardLinks(calls=link, counts=counts or UNSET)
    return extras


def _unavailable(metric: Metric, reason: str, columns_present: Collection[str]) -> KpiCard:
    lacking = tuple(name for name in metric.columns if name not in columns_present)
    return KpiCard(
        key=metric.key,
        label=metric.label,
        unit=metric.unit,
        better=metric.better,
        value=None,
        previous=None,
        delta=None,
        sparkline=None,
        available=False,
        reason=reason,
        columns=lacking if reason == COLUMN_ABSENT else None,
    )


def _intervals(now: Figures) -> dict[str, Interval]:
    """The interval of each proportion; more rated than handled calls are no proportion, and get none."""
    keys: list[str] = []
    parts: list[tuple[int, int]] = []
    for metric in now.metrics:
        if metric.proportion and metric.numerator is not None and metric.denominator is not None:
            top, bottom = int(metric.numerator(now.tally)), int(metric.denominator(now.tally))
            if 0 <= top <= bottom and bottom:
                keys.append(metric.key)
                parts.append((top, bottom))
    if not keys:
        return {}
    tops, bottoms = np.array(parts).T
    low, high = wilson_interval(tops, bottoms)
    ends: list[tuple[float, float]] = list(zip((low * 100).tolist(), (high * 100).tolist(), strict=True))
    return {key: Interval(low=one, high=other) for key, (one, other) in zip(keys, ends, strict=True)}
