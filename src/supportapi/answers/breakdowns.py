"""The breakdowns that a question asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supportapi.answers.breakdown import (
    MOST_CALLS,
    RATING_LABELS,
    ROW_METRICS,
    Breakdown,
    Cut,
    breakdown,
    rating_breakdown,
)
from supportapi.answers.choice import DIMENSIONS, Dimension, axis_of, chosen, order_of
from supportapi.answers.figures import figures
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import availability
from supportapi.rollups.questions import STEP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.answers.pair import Pair
    from supportapi.answers.query import MetricsQuery
    from supportapi.rollups.catalogue import Metric


def breakdowns(pair: Pair, query: MetricsQuery) -> list[Breakdown]:
    """One for each dimension of `query.by`; `ValidationFailed` if moves are to sort what is not compared."""
    order = None if query.sort_by is None else order_of(query.sort_by)
    if order is not None and order.by_delta and pair.compared is None:
        message = f"'{query.sort_by}' sorts by a move, and with 'compare=none' nothing moves; compare with a window."
        raise ValidationFailed([{"field": "sort_by", "message": message}])
    return [
        ratings(pair)
        if dimension == "rating" and not query.metrics and order is None
        else _breakdown(pair, query, dimension)
        for dimension in DIMENSIONS
        if dimension in query.by
    ]


def ratings(pair: Pair) -> Breakdown:
    """The calls of each rating, which the tally of all calls has already: only other metrics of them need the rows."""
    before = None if pair.before is None else pair.before.tally().tally
    return rating_breakdown(pair.now.tally().tally, before, pair.base, pair.drill_down(), pair.now.tally((STEP,)).tally)


def parted(
    pair: Pair,
    dimension: Dimension,
    metrics: Iterable[Metric],
    cut: Cut = Cut(),  # noqa: B008  frozen
) -> Breakdown:
    """`metrics` by the members of `dimension`; those that the dataset cannot give are told to be unavailable."""
    axis, present, by_agent = axis_of(dimension), pair.aggregates.columns_present, dimension == "agent"
    wanted = tuple(metrics)
    reasons = {metric.key: availability(metric, present, by_agent=by_agent) for metric in wanted}
    known = [metric for metric in wanted if reasons[metric.key] is None]
    found = breakdown(
        dimension,
        figures(pair.now, (axis,), known),
        # How the calls moved is always shown, and the tally has them.
        None if pair.before is None else figures(pair.before, (axis,), known if cut.moves else ()),
        RATING_LABELS if dimension == "rating" else pair.labels(axis),
        pair.base,
        pair.drill_down(),
        trend=pair.now.calls((axis, STEP)),
        cut=cut,
    )
    return msgspec.structs.replace(found, unavailable={key: reason for key, reason in reasons.items() if reason})


def _breakdown(pair: Pair, query: MetricsQuery, dimension: Dimension) -> Breakdown:
    order = None if query.sort_by is None else order_of(query.sort_by)
    sorted_by = () if order is None or order.metric is None else (order.metric.key,)
    unsorted = None if dimension == "rating" else MOST_CALLS
    cut = Cut(order=unsorted if order is None else order, top=query.top, moves=bool(query.metrics) or order is not None)
    keys = {*(query.metrics or ROW_METRICS), *sorted_by}
    return parted(pair, dimension, chosen(keys, query.threshold, query.variant), cut)
