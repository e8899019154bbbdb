"""Series: how metrics ran through the window, beside how they ran through the one before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.figures import Figures, known_all
from supportapi.calls.window import Grain, Window, midnight
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import Unit, availability, metric_of

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

SERIES: Final = ("calls", "answer_rate", "service_level", "average_duration", "resolution_rate", "csat")
"""The metrics that a dashboard draws over time."""

_MOST_DAYS: Final = {"hour": 92, "day": 3_700, "week": 25_900, "month": 111_000}


class SeriesPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket."""

    start: Annotated[datetime, Doc(description="The instant at which the bucket begins.")]
    value: Annotated[float | None, Doc(description="Null where a ratio has nothing to divide by.")]
    previous: Annotated[float | None, Doc(description="The bucket at the same place in the window before.")]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One metric through time; every bucket of the window is present."""

    key: Annotated[str, Doc(examples=["calls"])]
    label: str
    unit: Unit
    grain: Grain
    points: list[SeriesPoint]


def check_span(window: Window, grain: Grain) -> None:
    """Refuse, with `ValidationFailed`, a series of more buckets than a screen or a body can hold."""
    if window.days > _MOST_DAYS[grain]:
        message = f"A window of {window.days} days is too long for '{grain}'; take a coarser grain or a shorter window."
        raise ValidationFailed([{"field": "grain", "message": message}])


def trend(aggregates: Aggregates, zone: str, grain: Grain, now: Figures, before: Figures | None) -> list[Series]:
    """The series of each metric of `SERIES` that `now` has and the dataset can give.

    `now` and `before` are parted by `grain`.
    """
    starts = [_instant(key, zone) for key in now.keys[-1]]
    asked = [metric_of(key) for key in SERIES if key in now.values]
    available = [metric for metric in asked if availability(metric, aggregates.columns_present) is None]
    listed: list[Series] = []
    for metric in available:
        values = known_all(now.values[metric.key], metric.unit)
        earlier = [] if before is None else known_all(before.values[metric.key], metric.unit)
        # Windows of unequal length (28 and 31 days) are laid over each other from their starts.
        padded = [*earlier[: len(values)], *[None] * (len(values) - len(earlier))]
        points = [
            SeriesPoint(start=start, value=value, previous=previous)
            for start, value, previous in zip(starts, values, padded, strict=True)
        ]
        listed.append(Series(key=metric.key, label=metric.label, unit=metric.unit, grain=grain, points=points))
    return listed


def _instant(start: date | datetime, zone: str) -> datetime:
    return start.astimezone(UTC) if isinstance(start, datetime) else midnight(start, zone)
