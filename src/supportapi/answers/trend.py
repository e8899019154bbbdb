"""Series: how metrics ran through the window, beside how they ran through the one before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec import Meta as Doc

from supportapi.answers.figures import Figures, known_all
from supportapi.calls.window import Grain, Window, midnight
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import Metric, Unit, availability

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

SERIES: Final = ("calls", "answer_rate", "service_level", "average_duration", "resolution_rate", "csat")
"""The metrics that a dashboard draws over time."""

_MOST_DAYS: Final = {"hour": 92, "day": 3_700, "week": 25_900, "month": 111_000}


class SeriesPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket."""

    start: Annotated[datetime, Doc(description="The instant at which the bucket begins.")]
    value: Annotated[float | None, Doc(description="Null where a ratio has nothing to divide by.")]
    previous: Annotated[float | None, Doc(description="The bucket at the same place in the window before.")]
    previous_start: Annotated[
        datetime | None, Doc(description="The instant at which that one begins; null where there is none.")
    ]


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket of the window before."""

    start: datetime
    value: float | None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One metric through time; every bucket of the window is present."""

    key: Annotated[str, Doc(examples=["calls"])]
    label: str
    unit: Unit
    grain: Grain
    available: bool
    reason: Annotated[str | None, Doc(description="Why it is not available.", examples=["column_absent"])]
    points: Annotated[list[SeriesPoint], Doc(description="Empty when not available.")]
    previous_beyond: Annotated[
        list[Bucket], Doc(description="Buckets of the window before that have no counterpart: it has more of them.")
    ]
    counts: Annotated[
        dict[str, list[int]] | UnsetType,
        Doc(description="For each point what its value is made of, where the card of the metric says so, too."),
    ] = UNSET


def check_span(window: Window, grain: Grain) -> None:
    """Refuse, with `ValidationFailed`, a series of more buckets than a screen or a body can hold."""
    if window.days > _MOST_DAYS[grain]:
        message = f"A window of {window.days} days is too long for '{grain}'; take a coarser grain or a shorter window."
        raise ValidationFailed([{"field": "grain", "message": message}])


def trend(
    columns_present: Collection[str],
    zone: str,
    grain: Grain,
    metrics: Iterable[Metric],
    now: Figures,
    before: Figures | None,
) -> list[Series]:
    """The series of each of `metrics`; `now` and `before` are parted by `grain`.

    Windows of unequal length (28 and 31 days) are laid over each other from their starts.
    """
    starts = [_instant(key, zone) for key in now.keys[-1]]
    starts_before = [] if before is None else [_instant(key, zone) for key in before.keys[-1]]
    listed: list[Series] = []
    for metric in metrics:
        reason = availability(metric, columns_present)
        points: list[SeriesPoint] = []
        beyond: list[Bucket] = []
        if reason is None:
            values = known_all(now.values[metric.key], metric.unit)
            earlier = [] if before is None else known_all(before.values[metric.key], metric.unit)
            points = _points(starts, values, starts_before, earlier)
            left_over = zip(starts_before[len(starts) :], earlier[len(starts) :], strict=True)
            beyond = [Bucket(start=start, value=value) for start, value in left_over]
        listed.append(
            Series(
                key=metric.key,
                label=metric.label,
                unit=metric.unit,
                grain=grain,
                available=reason is None,
                reason=reason,
                points=points,
                previous_beyond=beyond,
                counts=_counts(metric, now) if points and metric.counts else UNSET,
            )
        )
    return listed


def _points(
    starts: list[datetime], values: list[float | None], starts_before: list[datetime], earlier: list[float | None]
) -> list[SeriesPoint]:
    lacking = [None] * (len(starts) - len(earlier))
    buckets = zip(starts, values, [*starts_before[: len(starts)], *lacking], [*earlier, *lacking], strict=False)
    return [
        SeriesPoint(start=start, value=value, previous=previous, previous_start=start_before)
        for start, value, start_before, previous in buckets
    ]


def _counts(metric: Metric, now: Figures) -> dict[str, list[int]]:
    return {name: count(now.tally).tolist() for name, count in metric.counts.items()}


def _instant(start: date | datetime, zone: str) -> datetime:
    return start.astimezone(UTC) if isinstance(start, datetime) else midnight(start, zone)
