"""Breakdowns: the window's calls parted by the members of a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec import Meta as Doc
from numpy.typing import NDArray

from supportapi.answers.choice import Dimension, MetricKey, Order, axis_of
from supportapi.answers.delta import Baseline, Delta, delta
from supportapi.answers.drill_down import CallsLink, DrillDown, spelled
from supportapi.answers.figures import Figures, known_all
from supportapi.calls.filter import UNKNOWN
from supportapi.measures.tally import COUNTS, RATINGS, SUMS, Tally
from supportapi.rollups.catalogue import METRICS, Metric, metric_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROW_METRICS: Final = (
    "answer_rate",
    "service_level",
    "average_speed_of_answer",
    "average_duration",
    "resolution_rate",
    "csat",
    "average_rating",
)
"""The columns of a breakdown when nobody chooses, beside the calls."""


RATING_LABELS: Final = {**{str(rating): str(rating) for rating in RATINGS}, UNKNOWN: "Not rated"}

_CALLS: Final = metric_of("calls")

MOST_CALLS: Final = Order(_CALLS, by_delta=False, descending=True)


class RowBase(msgspec.Struct, frozen=True, kw_only=True):
    """One group of calls, without its metrics."""

    calls: int
    share: Annotated[float | None, Doc(description="Percent of the calls of all rows, `other` included.")]
    delta: Annotated[Delta | None, Doc(description="The move of `calls`; null when nothing is compared.")]
    trend: Annotated[
        list[int] | UnsetType, Doc(description="Calls in at most 30 equal steps up to the window's end.")
    ] = UNSET
    deltas: Annotated[
        dict[MetricKey, Delta] | UnsetType,
        Doc(description="The move of each metric that `metrics` or `sort_by` names; absent when nothing is compared."),
    ] = UNSET
    counts: Annotated[
        dict[str, int] | UnsetType,
        Doc(description="What its metrics are made of, where their cards say so, too."),
    ] = UNSET


def _field(metric: Metric) -> tuple[str, Any, Any]:
    kind = int if metric.unit == "count" else float
    return (
        metric.key,
        Annotated[kind | UnsetType | None, Doc(description=f"{metric.label}; absent if not shown.")],
        UNSET,
    )


if TYPE_CHECKING:

    class MeasuredRow(RowBase, frozen=True, kw_only=True):
        """One group of calls, with the metrics that are shown."""

        def __getattr__(self, metric: str) -> float | UnsetType | None: ...

else:
    MeasuredRow = msgspec.defstruct(
        "MeasuredRow",
        [_field(metric) for metric in METRICS if metric is not _CALLS],
        bases=(RowBase,),
        module=__name__,
        frozen=True,
        kw_only=True,
    )


class BreakdownRow(MeasuredRow, frozen=True, kw_only=True):
    """One member of a dimension."""

    key: Annotated[str, Doc(description="`null` stands for the calls whose value is not known.", examples=["North"])]
    label: Annotated[str, Doc(examples=["North"])]
    links: CallsLink


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """How a breakdown is cut: in which order, how many rows stand for themselves, and whether columns show moves.

    Without an order rows go down by key, unknown last, as ratings do.
    """

    order: Order | None = MOST_CALLS
    top: int | None = None
    moves: bool = False


class OtherRow(MeasuredRow, frozen=True, kw_only=True):
    """All members together that the first ones leave: no member, and so without a key."""

    members: Annotated[int, Doc(description="How many they are.")]


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    """The members of one dimension that have calls in either window."""

    dimension: Dimension
    rows: list[BreakdownRow]
    other: Annotated[OtherRow | None, Doc(description="The members beyond `top` as one; null when all are listed.")]
    unavailable: Annotated[dict[MetricKey, str], Doc(description="Metrics that it cannot have, and why.")]


def breakdown(
    dimension: Dimension,
    now: Figures,
    before: Figures | None,
    labels: Mapping[str, str],
    base: Baseline,
    drill_down: DrillDown,
    *,
    trend: NDArray[np.int64] | None = None,
    cut: Cut = Cut(),  # noqa: B008  frozen
) -> Breakdown:
    """A row for each member with calls in the window or in the one before (a full outer join).

    `now` and `before` are parted by `dimension` and have the same members; `trend` has the calls of each by step. Of
    the catalogue's metrics a row has those that `now` has.
    """
    earlier = before if base.exists else None
    calls = now.tally["calls"]
    anything = calls > 0 if earlier is None else (calls > 0) | (earlier.tally["calls"] > 0)
    order = _ordered(np.flatnonzero(anything).tolist(), now, earlier, cut.order)
    first, rest = order[: cut.top], order[cut.top :] if cut.top is not None else order[:0]
    axis = axis_of(dimension)
    parts = _Parts(now, before, earlier, trend, base, int(calls.sum()), moves=cut.moves)
    rows = [
        BreakdownRow(key=key, label=labels[key], links=CallsLink(drill_down.link(among={axis: spelled(key)})), **fields)
        for key, fields in zip((now.keys[0][at] for at in first.tolist()), parts.take(first).fields(), strict=True)
    ]
    others = parts.together(rest).fields() if rest.size else ()
    return Breakdown(
        dimension=dimension,
        rows=rows,
        other=next((OtherRow(members=len(rest), **fields) for fields in others), None),
        unavailable={},
    )


def rating_breakdown(
    now: Tally, before: Tally | None, base: Baseline, drill_down: DrillDown, steps: Tally | None = None
) -> Breakdown:
    """The calls of each rating, 5 first, then those without one; `now` and `before` are one group each."""
    return breakdown(
        "rating",
        _by_rating(now),
        None if before is None else _by_rating(before),
        RATING_LABELS,
        base,
        drill_down,
        trend=None if steps is None else calls_by_rating(steps),
        cut=Cut(order=None),
    )


def _by_rating(tally: Tally) -> Figures:
    """The ratings that one tally counts, as figures that know nothing else of their calls."""
    counts = np.zeros((len(RATING_LABELS), len(COUNTS)), np.int64)
    counts[:, COUNTS.index("calls")] = calls_by_rating(tally)
    ratings = Tally(counts, np.zeros((len(RATING_LABELS), len(SUMS)), np.int64))
    return Figures(ratings, (tuple(RATING_LABELS),), {}, "rollup", (), {}, None)


def calls_by_rating(tally: Tally) -> NDArray[np.int64]:
    """The calls of each of `RATING_LABELS`, in that order."""
    return np.stack([*(tally[f"rating_{rating}"] for rating in RATINGS), tally["calls"] - tally["rated"]])


def most_calls_first(members: list[int], keys: Sequence[str], calls: Sequence[int]) -> list[int]:
    """`members`, positions in `keys` and `calls`, in order; among equals the unknown one last."""
    return sorted(members, key=lambda at: (-calls[at], keys[at] == UNKNOWN, keys[at]))


def best_rating_first(members: list[int], keys: Sequence[str]) -> list[int]:
    """`members`, positions in `keys` (ratings), from 5 down; those without one last."""
    return sorted(members, key=lambda at: (keys[at] != UNKNOWN, keys[at]), reverse=True)


def _ordered(members: list[int], now: Figures, before: Figures | None, order: Order | None) -> NDArray[np.intp]:
    """`members` by `order`, unknown values last, then by calls; by rating when there is no order."""
    keys: tuple[str, ...] = now.keys[0]
    if order is None:
        return np.array(best_rating_first(members, keys), np.intp)
    values = _sorted_values(now, before, order)
    ranked: list[float] = np.where(np.isnan(values), np.inf, -values if order.descending else values).tolist()
    by_calls = most_calls_first(members, keys, now.tally["calls"].tolist())
    return np.array(sorted(by_calls, key=ranked.__getitem__), np.intp)


def _sorted_values(now: Figures, before: Figures | None, order: Order) -> NDArray[np.float64]:
    unknown, key = np.full(len(now.keys[0]), np.nan), "" if order.metric is None else order.metric.key
    if order.by_delta:
        return unknown if before is None else _values(now, key, unknown) - _values(before, key, unknown)
    return _values(now, key, unknown)


def _values(figures: Figures, key: str, unknown: NDArray[np.float64]) -> NDArray[np.float64]:
    return figures.tally["calls"].astype(np.float64) if key == _CALLS.key else figures.values.get(key, unknown)


class _Parts(msgspec.Struct, frozen=True):
    """The groups of a breakdown that rows are made of.

    `earlier` is None where the window before has no data, `before` where nothing is compared; `trend` has the calls of
    each group by step, `total` the calls of all of them.
    """

    now: Figures
    before: Figures | None
    earlier: Figures | None
    trend: NDArray[np.int64] | None
    base: Baseline
    total: int
    moves: bool

    def take(self, at: NDArray[np.intp]) -> _Parts:
        """Only the groups at positions `at`."""
        return msgspec.structs.replace(
            self,
            now=self.now.take(at),
            earlier=None if self.earlier is None else self.earlier.take(at),
            trend=None if self.trend is None else self.trend[at],
        )

    def together(self, at: NDArray[np.intp]) -> _Parts:
        """The groups at positions `at` as one."""
        return msgspec.structs.replace(
            self,
            now=self.now.together(at),
            earlier=None if self.earlier is None else self.earlier.together(at),
            trend=None if self.trend is None else self.trend[at].sum(axis=0, keepdims=True),
        )

    def fields(self) -> Iterator[dict[str, Any]]:
        """What a row shows of each group. Columns are made all at once, for there can be thousands of rows."""
        calls: list[int] = self.now.tally["calls"].tolist()
        earlier: list[Any] = [None] * len(calls) if self.earlier is None else self.earlier.tally["calls"].tolist()
        lines: list[Any] = [UNSET] * len(calls) if self.trend is None else self.trend.tolist()
        shown = [metric for metric in self.now.metrics if metric is not _CALLS]
        columns = _columns(self.now, shown)
        counts = {name: count(self.now.tally).tolist() for metric in shown for name, count in metric.counts.items()}
        moves = self._moves(columns, shown) if self.moves and self.before is not None else {}
        for at, here in enumerate(calls):
            yield {
                "calls": here,
                "share": here / self.total * 100 if self.total else None,
                "delta": None if self.before is None else delta(_CALLS, here, earlier[at], self.base),
                "trend": lines[at],
                "deltas": {key: listed[at] for key, listed in moves.items()} if moves else UNSET,
                "counts": {name: column[at] for name, column in counts.items()} if counts else UNSET,
                **{key: column[at] for key, column in columns.items()},
            }

    def _moves(self, columns: Mapping[str, list[float | None]], shown: list[Metric]) -> dict[str, list[Delta]]:
        past = {} if self.earlier is None else _columns(self.earlier, shown)
        unknown: list[float | None] = [None] * len(self.now.tally["calls"])
        return {
            metric.key: [
                delta(metric, value, previous, self.base)
                for value, previous in zip(columns[metric.key], past.get(metric.key, unknown), strict=True)
            ]
            for metric in shown
        }


def _columns(figures: Figures, shown: list[Metric]) -> dict[str, list[float | None]]:
    return {metric.key: known_all(figures.values[metric.key], metric.unit) for metric in shown}
