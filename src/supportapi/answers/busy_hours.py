"""The busiest hour of the week."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING, Final

import numpy as np

from supportapi.answers.heatmap import weekdays
from supportapi.answers.insight import Found, Insight, link
from supportapi.answers.significance import LEAST_CALLS, limit
from supportapi.rollups.questions import HOUR_OF_WEEK

if TYPE_CHECKING:
    from supportapi.answers.pair import Pair
    from supportapi.answers.query import MetricsQuery

_LEAST_TIMES: Final = 1.5
_HOURS: Final = 24


def peak(pair: Pair, query: MetricsQuery) -> list[Found]:
    """The hour of the week with most calls each time it comes, if it stands out from the mean hour."""
    calls = pair.now.calls((HOUR_OF_WEEK,)).reshape(7, _HOURS)
    days = np.array(weekdays(pair.now.days))
    hours = int(days.sum()) * _HOURS
    if not hours or calls.sum() < LEAST_CALLS:
        return []
    usual = float(calls.sum()) / hours
    seen = np.maximum(days, 1)[:, None]
    rate = np.where(days[:, None] > 0, calls / seen, 0.0)
    weekday, hour = divmod(int(rate.argmax()), _HOURS)
    expected = usual * int(days[weekday])
    count = int(calls[weekday, hour])
    z = (count - expected) / expected**0.5
    times = float(rate[weekday, hour]) / usual
    if count < LEAST_CALLS or times < _LEAST_TIMES or z <= limit(rate.size):
        return []
    statement = (
        f"{calendar.day_name[weekday]}s from {hour:02}:00 to {(hour + 1) % _HOURS:02}:00 are the busiest: "
        f"{rate[weekday, hour]:,.1f} calls an hour, {times:.1f} times the mean of all hours ({usual:,.1f})."
    )
    insight = Insight(
        kind="peak",
        severity="info",
        metric="calls",
        dimension=None,
        member=None,
        statement=statement,
        numbers={
            "weekday": weekday,
            "hour": hour,
            "calls_per_hour": float(rate[weekday, hour]),
            "mean_per_hour": usual,
            "times": times,
            "calls": count,
            "days": int(days[weekday]),
            "z": z,
        },
        link=link(query, pair.window, include=("heatmap",), heatmap_metric="calls", compare="none"),
    )
    return [Found(insight, z)]
