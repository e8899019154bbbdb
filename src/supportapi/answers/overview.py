"""KPI cards: one for each metric, with its move and its recent shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta as Doc

from supportapi.answers.delta import Baseline, Delta, delta
from supportapi.answers.figures import Figures, known, known_all
from supportapi.rollups.catalogue import METRICS, Better, Metric, Unit, availability

if TYPE_CHECKING:
    from supportapi.measures.tally import Tally
    from supportapi.rollups.aggregates import Aggregates

SPARKLINE_POINTS: Final = 30


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
        Doc(description="At most 30 equal steps up to the end of the window; null for percentiles and maxima."),
    ]
    available: bool
    reason: Annotated[str | None, Doc(description="Why the metric is not available.", examples=["column_absent"])]
    columns: Annotated[tuple[str, ...] | None, Doc(description="The columns that it lacks.")] = None


def overview(
    aggregates: Aggregates, now: Figures, before: Figures | None, daily: Tally, base: Baseline
) -> list[KpiCard]:
    """A card for each metric of the catalogue.

    `now` and `before` hold the two windows as one group each, `daily` the tally of each day of the window, shape
    `(days,)`. A metric whose columns the dataset lacks is unavailable, never 0.
    """
    steps = sparkline_steps(daily)
    return [_card(aggregates, metric, now, before, steps, base) for metric in METRICS]


def sparkline_steps(daily: Tally) -> Tally:
    """`daily`, shape `(..., days)`, folded into at most 30 steps of equally many days that end with its last day.

    Days that do not fill the first step are left out, so that no step looks small for lack of days.
    """
    days = daily.shape[-1]
    width = max(-(-days // SPARKLINE_POINTS), 1)
    steps, leading = days // width, daily.shape[:-1]
    tail = daily.take(np.arange(days - steps * width, days), axis=-1)
    return tail.reshape((*leading, steps, width)).sum(axis=-1)


def _card(
    aggregates: Aggregates, metric: Metric, now: Figures, before: Figures | None, steps: Tally, base: Baseline
) -> KpiCard:
    reason = availability(metric, aggregates.columns_present)
    value = previous = move = sparkline = None
    if reason is None:
        value = known(float(now.values[metric.key]), metric.unit)
        if before is not None:
            previous = known(float(before.values[metric.key]), metric.unit) if base.exists else None
            move = delta(metric, value, previous, base)
        if metric.needs == "tally":
            sparkline = known_all(metric.compute(steps), metric.unit)
    lacking = tuple(name for name in metric.columns if name not in aggregates.columns_present)
    return KpiCard(
        key=metric.key,
        label=metric.label,
        unit=metric.unit,
        better=metric.better,
        value=value,
        previous=previous,
        delta=move,
        sparkline=sparkline,
        available=reason is None,
        reason=reason,
        columns=None if reason is None else lacking,
    )
