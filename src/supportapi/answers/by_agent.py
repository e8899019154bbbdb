"""The metrics that mean something for one agent, as a board lists and sorts them: all from the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from supportapi.answers.choice import orders_by
from supportapi.rollups.catalogue import METRICS

AGENT_METRICS: Final = tuple(metric for metric in METRICS if metric.agent_reason is None)
BOARD_METRICS: Final = tuple(metric for metric in AGENT_METRICS if metric.needs == "tally")
"""What a board shows when nobody chooses: percentiles and maxima cost more than all of these together."""

NAME: Final = "agent_name"

if TYPE_CHECKING:
    AgentMetric = str
    AgentSort = str
else:
    AgentMetric = Literal[tuple(metric.key for metric in AGENT_METRICS)]
    AgentSort = Literal[(*orders_by(AGENT_METRICS), NAME, f"-{NAME}")]
