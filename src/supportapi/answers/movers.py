"""The members that moved most between the two windows, and their part in the move of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from supportapi.answers.choice import MEMBER_DIMENSIONS, Dimension, axis_of
from supportapi.answers.insight import Found, Insight, figure, link, named, severity_of, signed, watched
from supportapi.answers.significance import counts_apart, limit, shares_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.answers.pair import Pair
    from supportapi.answers.query import MetricsQuery
    from supportapi.measures.tally import Tally
    from supportapi.rollups.catalogue import Metric

_LEAST_PERCENT: Final = 5.0
_LEAST_POINTS: Final = 1.0


def movers(pair: Pair, query: MetricsQuery) -> list[Found]:
    """Those members whose move neither chance explains nor is too small to matter."""
    if pair.before is None or not pair.base.exists:
        return []
    # Totals of unequal spans differ by that alone; rates do not.
    metrics = [metric for metric in watched(pair, query) if metric.proportion or pair.base.whole]
    parted: list[tuple[Dimension, tuple[str, ...]]] = [
        (dimension, tuple(map(str, pair.now.tally((axis_of(dimension),)).keys[0]))) for dimension in MEMBER_DIMENSIONS
    ]
    threshold = limit(sum(len(keys) for _, keys in parted) * len(metrics))
    found: list[Found] = []
    for dimension, keys in parted:
        by = (axis_of(dimension),)
        now, before = pair.now.tally(by).tally, pair.before.tally(by).tally
        for metric in metrics if len(keys) > 1 else ():
            moved = _Move(metric, now, before)
            found += [
                _insight(pair, query, moved, (dimension, keys[at]), at)
                for at in np.flatnonzero(moved.matters & (np.abs(moved.z) > threshold)).tolist()
            ]
    return found


class _Move:
    """How one metric moved in each group. What the groups contribute adds up to the move of all of them."""

    def __init__(self, metric: Metric, now: Tally, before: Tally) -> None:
        self.metric = metric
        self.now, self.before = metric.compute(now), metric.compute(before)
        self.change = self.now - self.before
        whole, whole_before = metric.compute(now.sum()), metric.compute(before.sum())
        self.total = float(whole - whole_before)
        if metric.numerator is None or metric.denominator is None:
            self.z = counts_apart(now["calls"], before["calls"])
            self.matters = np.abs(self.change) * 100 >= _LEAST_PERCENT * self.before
            self.contribution = self.change
            return
        tops, bottoms = zip(
            *((metric.numerator(each), metric.denominator(each)) for each in (now, before)), strict=True
        )
        self.z = shares_apart((tops[0], bottoms[0]), (tops[1], bottoms[1]))
        self.matters = np.abs(self.change) >= _LEAST_POINTS
        # Against the rate of the whole before: a member counts by its own move, and by its weight if it lies apart.
        self.contribution = _pull(self.now, bottoms[0], whole_before) - _pull(self.before, bottoms[1], whole_before)


def _pull(rates: NDArray[np.float64], weights: NDArray[np.int64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(weights > 0, weights / max(int(weights.sum()), 1) * (rates - usual), 0.0)


def _insight(pair: Pair, query: MetricsQuery, moved: _Move, member: tuple[Dimension, str], at: int) -> Found:
    metric = moved.metric
    value, previous, change, part = (
        float(each[at]) for each in (moved.now, moved.before, moved.change, moved.contribution)
    )
    share = part / moved.total * 100 if moved.total else None
    statement = (
        f"{named(pair, member)}: {metric.label.lower() if metric.unit == 'count' else metric.label} "
        f"{figure(value, metric)}, after {figure(previous, metric)} in the window before ({signed(change, metric)}). "
        f"That is {signed(part, metric)} of a move of the whole of {signed(moved.total, metric)}."
    )
    numbers = {
        "value": value,
        "previous": previous,
        "change": change,
        "contribution": part,
        "total_change": moved.total,
        "share_of_change": share,
        "z": float(moved.z[at]),
    }
    insight = Insight(
        kind="mover",
        severity=severity_of(metric, change),
        metric=metric.key,
        dimension=member[0],
        member=member[1],
        statement=statement,
        numbers=numbers,
        link=link(query, pair.window, member, include=("kpis", "series"), metrics=(metric.key,)),
    )
    return Found(insight, abs(float(moved.z[at])))
