"""The dashboard's answer: KPI cards, series and breakdowns of one window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supportapi.answers.breakdown import (
    MEMBER_DIMENSIONS,
    ROW_METRICS,
    Breakdown,
    Dimension,
    breakdown,
    rating_breakdown,
)
from supportapi.answers.delta import Baseline, baseline
from supportapi.answers.figures import Figures, figures
from supportapi.answers.meta import Meta, Truth, meta
from supportapi.answers.overview import KpiCard, overview
from supportapi.answers.query import MetricsQuery, window_of, zone_of
from supportapi.answers.trend import SERIES, Series, check_span, trend
from supportapi.calls.window import comparison_window
from supportapi.rollups.catalogue import METRICS, metric_of
from supportapi.rollups.questions import STEP
from supportapi.rollups.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.answers.meta import Source
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.catalogue import Metric


class MetricsData(msgspec.Struct, frozen=True, kw_only=True):
    """What a dashboard shows of one window."""

    kpis: list[KpiCard]
    series: list[Series]
    breakdowns: list[Breakdown]


class MetricsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /api/metrics`."""

    data: MetricsData
    meta: Meta


class _Pair(msgspec.Struct, frozen=True):
    """The calls of two windows to compare."""

    now: Selection
    before: Selection | None

    def ask(self, by: tuple[str, ...], metrics: Iterable[Metric]) -> tuple[Figures, Figures | None]:
        wanted = tuple(metrics)
        return figures(self.now, by, wanted), None if self.before is None else figures(self.before, by, wanted)


def metrics_answer(aggregates: Aggregates, query: MetricsQuery, truth: Truth) -> MetricsAnswer:
    """What `query` asks for; raises `ValidationFailed` for a zone, window or grain that cannot be answered."""
    zone = zone_of(query.timezone, aggregates.zones)
    data = aggregates.data_window(zone)
    window = window_of(query, data)
    check_span(window, query.grain)
    compared = comparison_window(window, query.compare)
    base = Baseline(exists=False, whole=False) if compared is None else baseline(window, compared, data)
    pair = _Pair(
        aggregates.select(zone, window, query.filter),
        None if compared is None else aggregates.select(zone, compared, query.filter),
    )

    now, before = pair.ask((), METRICS)
    series_now, series_before = pair.ask((query.grain,), map(metric_of, SERIES))
    steps = figures(pair.now, (STEP,), METRICS)
    parted: list[tuple[Dimension, tuple[Figures, Figures | None]]] = [
        (name, pair.ask((name,), map(metric_of, ROW_METRICS))) for name in MEMBER_DIMENSIONS
    ]

    used = (now, before, series_now, series_before, steps, *(part for _, parts in parted for part in parts))
    return MetricsAnswer(
        data=MetricsData(
            kpis=overview(aggregates, now, before, steps, base),
            series=trend(aggregates, zone, query.grain, series_now, series_before if base.exists else None),
            breakdowns=[
                *(breakdown(name, *parts, labels(aggregates, name), base) for name, parts in parted),
                rating_breakdown(now.tally, None if before is None else before.tally, base),
            ],
        ),
        meta=meta(truth, slowest(used), zone, window, data, compared),
    )


def labels(aggregates: Aggregates, dimension: str) -> dict[str, str]:
    """The label of each member of `dimension`, by key."""
    return {member.key: member.label for member in aggregates.members(dimension)}


def slowest(used: Iterable[Figures | None]) -> Source:
    """What served an answer made of `used`: a scan, if any part of it was scanned."""
    return "scan" if any(part is not None and part.source == "scan" for part in used) else "rollup"
