"""The metrics that mean something for one agent, as a board lists and sorts them: all from the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from supportapi.rollups.catalogue import METRICS, Metric, metric_of

AGENT_METRICS: Final = tuple(metric for metric in METRICS if metric.agent_reason is None)
BOARD_METRICS: Final = tuple(metric for metric in AGENT_METRICS if metric.needs == "tally")
"""What a board shows when nobody chooses: percentiles and maxima cost more than all of these together."""

_DELTA: Final = "_delta"
_NAME: Final = "agent_name"

if TYPE_CHECKING:
    AgentMetric = str
    AgentSort = str
else:
    AgentMetric = Literal[tuple(metric.key for metric in AGENT_METRICS)]
    AgentSort = Literal[
        tuple(
            sign + column
            for column in (*(metric.key + kind for metric in AGENT_METRICS for kind in ("", _DELTA)), _NAME)
            for sign in ("", "-")
        )
    ]


class Order(msgspec.Struct, frozen=True):
    """How a board is sorted: by `metric`, by how it moved, or by name when it is None."""

    metric: Metric | None
    by_delta: bool
    descending: bool


def order_of(sort: AgentSort) -> Order:
    """What `sort` spells."""
    column = sort.removeprefix("-")
    metric = None if column == _NAME else metric_of(column.removesuffix(_DELTA))
    return Order(metric, column.endswith(_DELTA), sort.startswith("-"))
