"""The dashboard's answer: the sections of one window that a question asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, UnsetType

from supportapi.answers.breakdown import Breakdown
from supportapi.answers.breakdowns import breakdowns
from supportapi.answers.choice import chosen, one_chosen
from supportapi.answers.distribution import Distribution, distribution
from supportapi.answers.figures import figures
from supportapi.answers.heatmap import Heatmap, heatmap
from supportapi.answers.insights import Insights, insights
from supportapi.answers.meta import Meta, Truth
from supportapi.answers.overview import KpiCard, overview
from supportapi.answers.pair import Pair
from supportapi.answers.pivot import Pivot, pivot
from supportapi.answers.trend import SERIES, Series, check_span, trend
from supportapi.rollups.catalogue import METRICS
from supportapi.rollups.questions import STEP

if TYPE_CHECKING:
    from supportapi.answers.query import MetricsQuery
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.catalogue import Metric

_EVERY_KEY: Final = tuple(metric.key for metric in METRICS)


class MetricsData(msgspec.Struct, frozen=True, kw_only=True):
    """What a dashboard shows of one window; a section that `include` does not name is absent."""

    kpis: list[KpiCard] | UnsetType = UNSET
    series: list[Series] | UnsetType = UNSET
    breakdowns: list[Breakdown] | UnsetType = UNSET
    heatmap: Heatmap | UnsetType = UNSET
    distribution: Distribution | UnsetType = UNSET
    pivot: Pivot | UnsetType = UNSET
    insights: Insights | UnsetType = UNSET


class MetricsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /api/metrics`."""

    data: MetricsData
    meta: Meta


def metrics_answer(aggregates: Aggregates, query: MetricsQuery, truth: Truth) -> MetricsAnswer:
    """What `query` asks for; raises `ValidationFailed` for what cannot be answered."""
    pair = Pair.of(aggregates, query, query.compare, complete=query.complete)
    wanted = query.include
    data = MetricsData(
        kpis=cards(pair, query) if "kpis" in wanted else UNSET,
        series=_series(pair, query) if "series" in wanted else UNSET,
        breakdowns=breakdowns(pair, query) if "breakdowns" in wanted else UNSET,
        heatmap=_heatmap(pair, query) if "heatmap" in wanted else UNSET,
        distribution=distribution(pair, query.distribution_of) if "distribution" in wanted else UNSET,
        pivot=pivot(pair, query, _one(query, query.pivot_metric)) if "pivot" in wanted else UNSET,
        insights=insights(pair, query) if "insights" in wanted else UNSET,
    )
    return MetricsAnswer(data=data, meta=pair.meta(truth))


def cards(pair: Pair, query: MetricsQuery) -> list[KpiCard]:
    """The cards that `query` asks for."""
    metrics = chosen(query.metrics or _EVERY_KEY, query.threshold, query.variant)
    available = pair.available(metrics)
    # The steps come first: where rows are counted, the whole window is known from them.
    steps = figures(pair.now, (STEP,), available)
    now, before = pair.ask((), available)
    present, drill_down = pair.aggregates.columns_present, pair.drill_down(query.threshold, query.variant)
    return overview(present, metrics, now, before, steps, pair.base, drill_down=drill_down)


def _series(pair: Pair, query: MetricsQuery) -> list[Series]:
    check_span(pair.window, query.grain)
    metrics = chosen(query.metrics or SERIES, query.threshold, query.variant)
    now, before = pair.ask((query.grain,), pair.available(metrics))
    return trend(pair, query.grain, metrics, now, before, pair.drill_down(query.threshold, query.variant))


def _heatmap(pair: Pair, query: MetricsQuery) -> Heatmap:
    return heatmap(pair.now, _one(query, query.heatmap_metric), pair.drill_down(query.threshold, query.variant))


def _one(query: MetricsQuery, key: str) -> Metric:
    return one_chosen(key, query.threshold, query.variant)
