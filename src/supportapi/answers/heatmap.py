"""Heat maps: a metric by the hour of the day and the day of the week, in the reporting time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.drill_down import CallsUrl
from supportapi.answers.figures import figures, known_all
from supportapi.rollups.catalogue import Unit, availability
from supportapi.rollups.questions import HOUR_OF_WEEK

if TYPE_CHECKING:
    from supportapi.answers.drill_down import DrillDown
    from supportapi.calls.window import Window
    from supportapi.rollups.catalogue import Metric
    from supportapi.rollups.selection import Selection

_HOURS = 24


class HeatmapLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the calls behind each value are."""

    calls: Annotated[list[list[CallsUrl]], Doc(description="Seven rows, Monday first, of 24 hours.")]


class Heatmap(msgspec.Struct, frozen=True, kw_only=True):
    """One metric by weekday and hour, as the clock on the wall of the reporting zone tells them.

    An hour that comes twice in a night is one, and one that is skipped is empty.
    """

    key: Annotated[str, Doc(examples=["calls"])]
    label: str
    unit: Unit
    available: bool
    reason: Annotated[str | None, Doc(description="Why it is not available.", examples=["column_absent"])]
    values: Annotated[
        list[list[float | None]],
        Doc(description="Seven rows, Monday first, of 24 hours; null where it is not known, as on days without data."),
    ]
    calls: Annotated[list[list[int]], Doc(description="The calls behind each value, likewise.")]
    days: Annotated[
        list[int], Doc(description="How many days of each weekday the window has inside the data, for averages.")
    ]
    links: HeatmapLinks


def heatmap(calls: Selection, metric: Metric, drill_down: DrillDown) -> Heatmap:
    """`metric` of `calls`."""
    reason = availability(metric, calls.columns_present)
    found = figures(calls, (HOUR_OF_WEEK,), () if reason else (metric,))
    hours = _HOURS * 7
    values: list[float | None] = [None] * hours if reason else known_all(found.values[metric.key], metric.unit)
    counts: list[int] = found.tally["calls"].tolist()
    unseen: list[float | None] = [None] * _HOURS
    days = weekdays(calls.days)
    starts = range(0, hours, _HOURS)
    return Heatmap(
        key=metric.key,
        label=metric.label,
        unit=metric.unit,
        available=reason is None,
        reason=reason,
        values=[values[start : start + _HOURS] if count else unseen for start, count in zip(starts, days, strict=True)],
        calls=[counts[start : start + _HOURS] for start in starts],
        days=days,
        links=_links(None if reason else metric, drill_down),
    )


def _links(metric: Metric | None, drill_down: DrillDown) -> HeatmapLinks:
    kept = None if metric is None else drill_down.kept(metric)
    return HeatmapLinks(
        calls=[
            [drill_down.link(kept, {"weekday": str(weekday), "hour": str(hour)}) for hour in range(_HOURS)]
            for weekday in range(7)
        ]
    )


def weekdays(window: Window) -> list[int]:
    """How often each weekday comes in `window`, Monday first."""
    whole, more = divmod(window.days, 7)
    return [whole + ((weekday - window.start.weekday()) % 7 < more) for weekday in range(7)]
