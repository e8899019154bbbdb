"""What lies out of its own usual range: this window beside earlier ones of the same length."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from supportapi.answers.choice import MEMBER_DIMENSIONS, Dimension, axis_of
from supportapi.answers.insight import Found, Insight, figure, link, named, severity_of, watched
from supportapi.answers.significance import ROBUST_LIMIT, counts_from_usual, limit, robust, shares_apart
from supportapi.calls.window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from supportapi.answers.pair import Pair
    from supportapi.answers.query import MetricsQuery
    from supportapi.measures.tally import Tally
    from supportapi.rollups.catalogue import Metric

LEAST_PERIODS: Final = 8
_MOST_PERIODS: Final = 12
_DAILY: Final = 400


def earlier_windows(window: Window, data: Window) -> list[Window]:
    """At most 12 windows of the same length, back to back before it, as far as all their days lie inside the data.

    None where its own do not: what is not known of a day makes nothing unusual.
    """
    if window.intersect(data) != window:
        return []
    step = timedelta(days=window.days)
    count = min((window.start - data.start) // step, _MOST_PERIODS) if window.days else 0
    return [Window(window.start - step * n, window.start - step * (n - 1)) for n in range(1, count + 1)]


def unusual(pair: Pair, query: MetricsQuery, windows: Sequence[Window]) -> list[Found]:
    """All calls, and members, whose numbers neither their own spread nor chance explains."""
    if len(windows) < LEAST_PERIODS:
        return []
    past = [pair.select(window, pair.limits) for window in windows]
    metrics = watched(pair, query)
    groups: list[tuple[Dimension | None, tuple[str, ...]]] = [
        (None, ()),
        *((dimension, (axis_of(dimension),)) for dimension in MEMBER_DIMENSIONS),
    ]
    keys = [pair.now.tally(by).keys[0] if by else (None,) for _, by in groups]
    threshold = limit(sum(map(len, keys)) * len(metrics))
    found: list[Found] = []
    for (dimension, by), members in zip(groups, keys, strict=True):
        if by and len(members) == 1:
            continue
        now = _flat(pair.now.tally(by).tally)
        then = [_flat(each.tally(by).tally) for each in past]
        for metric in metrics:
            away = _Range(metric, now, then)
            out = (np.abs(away.chance) > threshold) & (np.abs(away.robust) >= ROBUST_LIMIT)
            found += [
                _insight(pair, query, away, None if dimension is None else (dimension, str(members[at])), at, windows)
                for at in np.flatnonzero(out).tolist()
            ]
    return found


class _Range:
    """One metric of each group beside its earlier values."""

    def __init__(self, metric: Metric, now: Tally, past: list[Tally]) -> None:
        self.metric = metric
        self.now = metric.compute(now)
        self.past = np.array([metric.compute(each) for each in past])
        self.robust, self.median = robust(self.now, self.past)
        self.chance = self._chance(now, past)

    def _chance(self, now: Tally, past: list[Tally]) -> NDArray[np.float64]:
        over, under = self.metric.numerator, self.metric.denominator
        if over is None or under is None:
            return counts_from_usual(now["calls"], np.array([each["calls"] for each in past]))
        tops, bottoms = (np.array([part(each) for each in past]).sum(axis=0) for part in (over, under))
        return shares_apart((over(now), under(now)), (tops, bottoms))


def _flat(tally: Tally) -> Tally:
    """One group as a list of one."""
    return tally if tally.shape else tally.reshape((1,))


def _insight(
    pair: Pair,
    query: MetricsQuery,
    away: _Range,
    member: tuple[Dimension, str] | None,
    at: int,
    windows: Sequence[Window],
) -> Found:
    metric, value, median = away.metric, float(away.now[at]), float(away.median[at])
    lowest, highest = float(away.past[:, at].min()), float(away.past[:, at].max())
    statement = (
        f"{named(pair, member)}: {metric.label.lower() if metric.unit == 'count' else metric.label} "
        f"{figure(value, metric)}, where {figure(median, metric)} is usual (the median of the {len(windows)} windows "
        f"of the same length before, of {figure(lowest, metric)} to {figure(highest, metric)})."
    )
    whole = Window(windows[-1].start, pair.window.end)
    insight = Insight(
        kind="unusual",
        severity=severity_of(metric, value - median),
        metric=metric.key,
        dimension=None if member is None else member[0],
        member=None if member is None else member[1],
        statement=statement,
        numbers={
            "value": value,
            "median": median,
            "lowest": lowest,
            "highest": highest,
            "periods": len(windows),
            "robust_z": float(away.robust[at]),
            "z": float(away.chance[at]),
        },
        link=link(
            query,
            whole,
            member,
            include=("series",),
            metrics=(metric.key,),
            grain="day" if whole.days <= _DAILY else "month",
            compare="none",
        ),
    )
    return Found(insight, abs(float(away.robust[at])))
