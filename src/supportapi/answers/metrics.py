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
from supportapi.answers.query import MetricsQuery, WindowedQuery, window_of, zone_of
from supportapi.answers.trend import SERIES, Series, check_span, trend
from supportapi.calls.window import Window, comparison_window
from supportapi.rollups.aggregates import Aggregates
from supportapi.rollups.catalogue import METRICS, metric_of
from supportapi.rollups.questions import STEP
from supportapi.rollups.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.answers.meta import Source
    from supportapi.calls.filter import Filter
    from supportapi.calls.window import Comparison
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


class Pair(msgspec.Struct, frozen=True):
    """The calls of the window that a query is about, and those of the one that it is compared with.

    `base` says what can be compared at all. `data` is the window of the whole dataset.
    """

    aggregates: Aggregates
    zone: str
    data: Window
    window: Window
    compared: Window | None
    base: Baseline
    now: Selection
    before: Selection | None

    @classmethod
    def of(cls, aggregates: Aggregates, query: WindowedQuery, compare: Comparison) -> Pair:
        """The calls of `query`; raises `ValidationFailed` for a zone or a window that cannot be answered."""
        zone = zone_of(query.timezone, aggregates.zones)
        data = aggregates.data_window(zone)
        window = window_of(query, data)
        compared = comparison_window(window, compare)
        base = Baseline(exists=False, whole=False) if compared is None else baseline(window, compared, data)
        now = aggregates.select(zone, window, query.filter)
        before = None if compared is None else aggregates.select(zone, compared, query.filter)
        return cls(aggregates, zone, data, window, compared, base, now, before)

    def limited(self, limits: Filter) -> Pair:
        """The calls of the same windows that other `limits` leave."""
        select = self.aggregates.select
        before = None if self.compared is None else select(self.zone, self.compared, limits)
        return msgspec.structs.replace(self, now=select(self.zone, self.window, limits), before=before)

    def ask(self, by: tuple[str, ...], metrics: Iterable[Metric]) -> tuple[Figures, Figures | None]:
        """`metrics` of either window, parted `by`."""
        wanted = tuple(metrics)
        return figures(self.now, by, wanted), None if self.before is None else figures(self.before, by, wanted)

    def meta(self, truth: Truth, source: Source) -> Meta:
        """The truth block of an answer about both, served by `source`."""
        return meta(truth, source, self.zone, self.window, self.data, self.compared)


def metrics_answer(aggregates: Aggregates, query: MetricsQuery, truth: Truth) -> MetricsAnswer:
    """What `query` asks for; raises `ValidationFailed` for a zone, window or grain that cannot be answered."""
    pair = Pair.of(aggregates, query, query.compare)
    check_span(pair.window, query.grain)
    base = pair.base

    # The steps come first: where rows are counted, the whole window is known from them.
    steps = figures(pair.now, (STEP,), METRICS)
    now, before = pair.ask((), METRICS)
    series_now, series_before = pair.ask((query.grain,), map(metric_of, SERIES))
    parted: list[tuple[Dimension, tuple[Figures, Figures | None]]] = [
        (name, pair.ask((name,), map(metric_of, ROW_METRICS))) for name in MEMBER_DIMENSIONS
    ]

    used = (now, before, series_now, series_before, steps, *(part for _, parts in parted for part in parts))
    return MetricsAnswer(
        data=MetricsData(
            kpis=overview(aggregates.columns_present, now, before, steps, base),
            series=trend(aggregates, pair.zone, query.grain, series_now, series_before if base.exists else None),
            breakdowns=[
                *(breakdown(name, *parts, labels(aggregates, name), base) for name, parts in parted),
                rating_breakdown(now.tally, None if before is None else before.tally, base),
            ],
        ),
        meta=pair.meta(truth, slowest(used)),
    )


def labels(aggregates: Aggregates, dimension: str) -> dict[str, str]:
    """The label of each member of `dimension`, by key."""
    return {member.key: member.label for member in aggregates.members(dimension)}


def slowest(used: Iterable[Figures | None]) -> Source:
    """What served an answer made of `used`: a scan, if any part of it was scanned."""
    return "scan" if any(part is not None and part.source == "scan" for part in used) else "rollup"
