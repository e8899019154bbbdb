"""What a client can choose by name: metrics and orders from the catalogue, dimensions, sections."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from supportapi.measures.tally import THRESHOLDS_SECONDS
from supportapi.rollups.catalogue import METRICS, Metric, metric_of, service_level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from supportapi.calls.filter import ServiceLevelVariant

Section = Literal["kpis", "series", "breakdowns", "heatmap", "distribution", "pivot", "insights"]
Dimension = Literal["region", "issue_type", "channel", "rating", "agent"]

DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
MEMBER_DIMENSIONS: Final[tuple[Dimension, ...]] = ("region", "issue_type", "channel")
"""Those by which calls are parted when one agent, or what stands out, is looked at."""

DASHBOARD: Final[tuple[Section, ...]] = ("breakdowns", "kpis", "series")
"""The sections of an answer to a client who names none; sorted, as in every question."""

_DELTA: Final = "_delta"
_KEYS: Final = frozenset(metric.key for metric in METRICS)


def orders_by(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Every way to sort by one of `metrics`: by its value or by its move, up or down."""
    return tuple(sign + metric.key + kind for metric in metrics for kind in ("", _DELTA) for sign in ("", "-"))


if TYPE_CHECKING:
    MetricKey = str
    SortBy = str
    PivotAxes = str
    Threshold = int
else:
    MetricKey = Literal[tuple(metric.key for metric in METRICS)]
    SortBy = Literal[orders_by(METRICS)]
    PivotAxes = Literal[tuple(",".join(pair) for pair in permutations(DIMENSIONS, 2))]
    Threshold = Literal[THRESHOLDS_SECONDS]


class Order(msgspec.Struct, frozen=True):
    """How rows are sorted: by `metric`, by how it moved, or by another column when it is None."""

    metric: Metric | None
    by_delta: bool
    descending: bool


def order_of(sort_by: SortBy) -> Order:
    """What `sort_by` spells."""
    column = sort_by.removeprefix("-")
    key = column.removesuffix(_DELTA)
    return Order(metric_of(key) if key in _KEYS else None, column.endswith(_DELTA), sort_by.startswith("-"))


def axis_of(dimension: Dimension) -> str:
    """What the aggregates call `dimension`."""
    return "agent_id" if dimension == "agent" else dimension


def chosen(keys: Collection[str], threshold: Threshold, variant: ServiceLevelVariant) -> tuple[Metric, ...]:
    """The metrics called `keys` in the catalogue's order, the service level as it was asked for."""
    level = service_level(threshold, variant)
    return tuple(level if metric.key == level.key else metric for metric in METRICS if metric.key in keys)


def one_chosen(key: str, threshold: Threshold, variant: ServiceLevelVariant) -> Metric:
    """`chosen` of one."""
    level = service_level(threshold, variant)
    return level if key == level.key else metric_of(key)
