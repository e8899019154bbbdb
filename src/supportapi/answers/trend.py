"""Series: how metrics ran through the window, beside how they ran through the one before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec import Meta as Doc

from supportapi.answers.drill_down import CallsLink, DrillDown, heads
from supportapi.answers.figures import Figures, known_all
from supportapi.calls.window import Grain, Window, midnight
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import Metric, Unit, availability

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.answers.pair import Pair

SERIES: Final = ("calls", "answer_rate", "service_level", "average_duration", "resolution_rate", "csat")
"""The metrics that a dashboard draws over time."""

_MOST_DAYS: Final = {"hour": 92, "day": 3_700, "week": 25_900, "month": 111_000}


class SeriesPoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One bucket."""

    start: Annotated[datetime, Doc(description="The instant at which the bucket begins.")]
    value: Annotated[float | None, Doc(description="Null where a ratio has nothing to divide by.")]
    previous: Annotated[float | None, Doc(description="The bucket at the same place in the window before.")]
    previous_start: Annotated[
        datetime | None, Doc(description="The instant at which that one begins; null where there is none.")
    ]
    links: CallsLink


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket of the window before."""

    start: datetime
    value: float | None
    links: CallsLink


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
    pair: Pair, grain: Grain, metrics: Iterable[Metric], now: Figures, before: Figures | None, drill_down: DrillDown
) -> list[Series]:
    """The series of each of `metrics`; `now` and `before` are the windows of `pair` parted by `grain`.

    Windows of unequal length (28 and 31 days) are laid over each other from their starts.
    """
    through = _Through(pair.zone, pair.window, now)
    through_before = None
    if before is not None and pair.compared is not None and pair.base.exists:
        through_before = _Through(pair.zone, pair.compared, before)
    listed: list[Series] = []
    for metric in metrics:
        reason = availability(metric, pair.aggregates.columns_present)
        points: list[SeriesPoint] = []
        beyond: list[Bucket] = []
        if reason is None:
            points = _points(metric, through, through_before, drill_down)
            beyond = [] if through_before is None else through_before.beyond(metric, len(points), drill_down)
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


class _Through:
    """The buckets of one window, for any number of metrics."""

    def __init__(self, zone: str, window: Window, found: Figures) -> None:
        keys = found.keys[-1]
        self.starts = [_instant(key, zone) for key in keys]
        self._keys = keys
        self._window = window
        self._found = found

    @cached_property
    def heads(self) -> list[str]:
        """How the link of each of them begins."""
        return heads(self._window, self._keys)

    def values(self, metric: Metric) -> list[float | None]:
        return known_all(self._found.values[metric.key], metric.unit)

    def beyond(self, metric: Metric, first: int, drill_down: DrillDown) -> list[Bucket]:
        """The buckets from `first` on."""
        if first >= len(self.starts):
            return []
        links = drill_down.series(drill_down.kept(metric), self.heads[first:])
        left_over = zip(self.starts[first:], self.values(metric)[first:], links, strict=True)
        return [Bucket(start=start, value=value, links=links) for start, value, links in left_over]


def _points(metric: Metric, now: _Through, before: _Through | None, drill_down: DrillDown) -> list[SeriesPoint]:
    starts, earlier_starts = now.starts, [] if before is None else before.starts
    earlier = [] if before is None else before.values(metric)
    lacking = [None] * (len(starts) - len(earlier))
    buckets = zip(
        starts,
        now.values(metric),
        [*earlier[: len(starts)], *lacking],
        [*earlier_starts[: len(starts)], *lacking],
        drill_down.series(drill_down.kept(metric), now.heads),
        strict=True,
    )
    return [
        SeriesPoint(start=start, value=value, previous=previous, previous_start=start_before, links=links)
        for start, value, previous, start_before, links in buckets
    ]


def _counts(metric: Metric, now: Figures) -> dict[str, list[int]]:
    return {name: count(now.tally).tolist() for name, count in metric.counts.items()}


def _instant(start: date | datetime, zone: str) -> datetime:
    return start.astimezone(UTC) if isinstance(start, datetime) else midnight(start, zone)
