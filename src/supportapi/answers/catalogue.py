"""The catalogue as a client reads it: every metric and dimension, and what the live dataset can give of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.choice import DIMENSIONS, Dimension, axis_of
from supportapi.answers.meta import Meta, Source, Truth, meta
from supportapi.calls.filter import Filter, ServiceLevelVariant
from supportapi.measures.tally import RATINGS, THRESHOLDS_SECONDS
from supportapi.rollups.catalogue import (
    DEFAULT_THRESHOLD_SECONDS,
    METRICS,
    VARIANTS,
    Additivity,
    Better,
    Metric,
    Unit,
    availability,
)

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
    missing_columns: Annotated[tuple[str, ...], Doc(description="Columns that the live dataset lacks for it.")]
    by_agent: Annotated[bool, Doc(description="Whether it means anything for one agent.")]
    by_agent_reason: str | None


class CatalogueDimension(msgspec.Struct, frozen=True, kw_only=True):
    """One way to part calls."""

    key: Annotated[Dimension, Doc(description="As `by` and `pivot` name it.", examples=["agent"])]
    filter: Annotated[str | None, Doc(description="The parameter that keeps some of its members, if there is one.")]
    members: Annotated[int, Doc(description="How many members the live dataset has, the unknown one included.")]
    served_from: Annotated[
        Source, Doc(description="What counts the calls of each of its members: the rollup, or a scan of the rows.")
    ]


class ServiceLevelVariantEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reckon the service level."""

    key: ServiceLevelVariant
    divides_by: str


class ServiceLevelChoices(msgspec.Struct, frozen=True, kw_only=True):
    """What the service level can be asked for with: every combination is exact."""

    thresholds: tuple[int, ...]
    default_threshold: int
    variants: list[ServiceLevelVariantEntry]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Every metric and every dimension."""

    metrics: list[CatalogueMetric]
    service_level: ServiceLevelChoices
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
            service_level=ServiceLevelChoices(
                thresholds=THRESHOLDS_SECONDS,
                default_threshold=DEFAULT_THRESHOLD_SECONDS,
                variants=[ServiceLevelVariantEntry(key=key, divides_by=words) for key, words in VARIANTS.items()],
            ),
            dimensions=[_dimension(aggregates, key) for key in DIMENSIONS],
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
        missing_columns=tuple(name for name in metric.columns if name not in aggregates.columns_present),
        by_agent=metric.agent_reason is None,
        by_agent_reason=metric.agent_reason,
    )


def _dimension(aggregates: Aggregates, key: Dimension) -> CatalogueDimension:
    zone = aggregates.zones[0]
    axis = axis_of(key)
    everything = aggregates.select(zone, aggregates.data_window(zone), Filter())
    if key == "rating":
        # The tally of any calls counts their ratings: nothing has to be parted.
        whole = everything.tally().tally
        members = sum(int(whole[f"rating_{rating}"]) > 0 for rating in RATINGS) + int(whole["calls"] > whole["rated"])
        return CatalogueDimension(key=key, filter=None, members=members, served_from=everything.tally().source)
    return CatalogueDimension(
        key=key,
        filter=axis,
        members=len(aggregates.members(axis)),
        served_from="scan" if everything.estimated_rows((axis,)) else "rollup",
    )
