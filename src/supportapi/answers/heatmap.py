"""Heat maps: a metric by the hour of the day and the day of the week, in the reporting time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.figures import Figures, figures, known_all
from supportapi.rollups.catalogue import Unit
from supportapi.rollups.questions import HOUR_OF_WEEK

if TYPE_CHECKING:
    from supportapi.rollups.catalogue import Metric
    from supportapi.rollups.selection import Selection

_HOURS = 24


class Heatmap(msgspec.Struct, frozen=True, kw_only=True):
    """One metric by weekday and hour, as the clock on the wall of the reporting zone tells them."""

    key: Annotated[str, Doc(examples=["calls"])]
    label: str
    unit: Unit
    values: Annotated[
        list[list[float | None]],
        Doc(description="Seven rows, Monday first, of 24 hours; null where it is not known."),
    ]
    calls: Annotated[list[list[int]], Doc(description="The calls behind each value, likewise.")]


def heatmap(calls: Selection, metric: Metric) -> tuple[Heatmap, Figures]:
    """`metric` of `calls`, and the figures behind it."""
    found = figures(calls, (HOUR_OF_WEEK,), (metric,))
    counts: list[int] = found.tally["calls"].tolist()
    values = known_all(found.values[metric.key], metric.unit)
    starts = range(0, len(counts), _HOURS)
    shown = Heatmap(
        key=metric.key,
        label=metric.label,
        unit=metric.unit,
        values=[values[start : start + _HOURS] for start in starts],
        calls=[counts[start : start + _HOURS] for start in starts],
    )
    return shown, found
