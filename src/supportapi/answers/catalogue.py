"""The catalogue as a client reads it: every metric and dimension, and what the live dataset can give of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.meta import Meta, Source, Truth, meta
from supportapi.rollups.catalogue import METRICS, Additivity, Better, Metric, Unit, availability
from supportapi.rollups.questions import Question

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates


class CatalogueMetric(msgspec.Struct, frozen=True, kw_only=True):
    """What one number means."""

    key: Annotated[str, Doc(examples=["answer_rate"])]
    label: str
    unit: Unit
    better: Better
    formula: str
    null_policy: str
    adds: Annotated[Additivity, Doc(description="How values of parts become the value of the whole.")]
    columns: Annotated[tuple[str, ...], Doc(description="Columns of the dataset that it is computed from.")]
    available: bool
    reason: Annotated[str | None, Doc(examples=["column_absent"])]
    by_agent: Annotated[bool, Doc(description="Whether it means anything for one agent.")]
    by_agent_reason: str | None


class CatalogueDimension(msgspec.Struct, frozen=True, kw_only=True):
    """One way to part calls."""

    key: Annotated[str, Doc(examples=["region"])]
    members: Annotated[int, Doc(description="How many members the live dataset has, the unknown one included.")]
    served_from: Annotated[Source, Doc(description="What answers a question about this dimension alone.")]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Every metric and every dimension."""

    metrics: list[CatalogueMetric]
    dimensions: list[CatalogueDimension]
    timezones: tuple[str, ...]


class CatalogueAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /api/metrics/catalogue`."""

    data: Catalogue
    meta: Meta


def catalogue_answer(aggregates: Aggregates, truth: Truth) -> CatalogueAnswer:
    """The catalogue for the dataset that `aggregates` were computed from."""
    zone = aggregates.zones[0]
    window = aggregates.data_window(zone)
    return CatalogueAnswer(
        data=Catalogue(
            metrics=[_metric(aggregates, metric) for metric in METRICS],
            dimensions=[_dimension(aggregates, key) for key in ("region", "issue_type", "channel", "agent_id")],
            timezones=aggregates.zones,
        ),
        meta=meta(truth, "rollup", zone, window, window),
    )


def _metric(aggregates: Aggregates, metric: Metric) -> CatalogueMetric:
    reason = availability(metric, aggregates.columns_present)
    return CatalogueMetric(
        key=metric.key,
        label=metric.label,
        unit=metric.unit,
        better=metric.better,
        formula=metric.formula,
        null_policy=metric.null_policy,
        adds=metric.adds,
        columns=metric.columns,
        available=reason is None,
        reason=reason,
        by_agent=metric.agent_reason is None,
        by_agent_reason=metric.agent_reason,
    )


def _dimension(aggregates: Aggregates, key: str) -> CatalogueDimension:
    zone = aggregates.zones[0]
    rows = aggregates.estimated_rows(Question(zone, aggregates.data_window(zone), by=(key,)))
    return CatalogueDimension(key=key, members=len(aggregates.members(key)), served_from="scan" if rows else "rollup")
