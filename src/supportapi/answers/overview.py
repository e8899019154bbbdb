"""KPI cards: one for each metric, with its move and its recent shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.delta import Baseline, Delta, delta
from supportapi.answers.figures import Figures, known, known_all
from supportapi.rollups.catalogue import COLUMN_ABSENT, METRICS, Better, Metric, Unit, availability

if TYPE_CHECKING:
    from collections.abc import Collection


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


def overview(
    columns_present: Collection[str],
    now: Figures,
    before: Figures | None,
    steps: Figures,
    base: Baseline,
    *,
    by_agent: bool = False,
) -> list[KpiCard]:
    """A card for each metric of the catalogue.

    `now` and `before` hold the two windows as one group each, `steps` the window by step. A metric whose columns the
    dataset lacks is unavailable, never 0; so is, for the cards of an agent, one that means nothing `by_agent`.
    """
    unavailable = {metric.key: availability(metric, columns_present, by_agent=by_agent) for metric in METRICS}
    return [_card(columns_present, metric, unavailable[metric.key], (now, before, steps), base) for metric in METRICS]


def _card(
    columns_present: Collection[str],
    metric: Metric,
    reason: str | None,
    found: tuple[Figures, Figures | None, Figures],
    base: Baseline,
) -> KpiCard:
    now, before, steps = found
    value = previous = move = sparkline = None
    if reason is None:
        value = known(float(now.values[metric.key]), metric.unit)
        if before is not None:
            previous = known(float(before.values[metric.key]), metric.unit) if base.exists else None
            move = delta(metric, value, previous, base)
        sparkline = known_all(steps.values[metric.key], metric.unit)
    lacking = tuple(name for name in metric.columns if name not in columns_present)
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
        columns=lacking if reason == COLUMN_ABSENT else None,
    )
