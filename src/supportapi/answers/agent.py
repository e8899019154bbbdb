"""One agent: their cards, series, breakdowns and busy hours, and where they stand among the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta as Doc

from supportapi.answers.agents import variance_of
from supportapi.answers.breakdown import ROW_METRICS, Breakdown
from supportapi.answers.breakdowns import parted, ratings
from supportapi.answers.by_agent import AGENT_METRICS
from supportapi.answers.choice import MEMBER_DIMENSIONS
from supportapi.answers.figures import Figures, figures, known
from supportapi.answers.heatmap import Heatmap, heatmap
from supportapi.answers.meta import Meta, Truth
from supportapi.answers.overview import KpiCard, overview
from supportapi.answers.pair import Pair, labels
from supportapi.answers.ranking import BadgeField, BadgeReasonField, standings
from supportapi.answers.trend import SERIES, Series, check_span, trend
from supportapi.calls.filter import UNKNOWN
from supportapi.errors import NotFound
from supportapi.rollups.catalogue import METRICS, Better, Unit, availability, metric_of
from supportapi.rollups.questions import STEP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.answers.query import AgentQuery
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.catalogue import Metric


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the agent stands by one metric, among all agents under the same filters."""

    key: Annotated[str, Doc(examples=["csat"])]
    label: str
    unit: Unit
    better: Better
    value: float | None
    rank: Annotated[int | None, Doc(description="1 for the best; ties share a rank.")]
    ranked: Annotated[int, Doc(description="How many agents are ranked.")]
    percentile: Annotated[float | None, Doc(description="Share of them that are worse, plus half of the ties.")]
    badge: BadgeField
    badge_reason: BadgeReasonField


class AgentDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One agent in one window."""

    agent_id: str
    agent_name: Annotated[str, Doc(description="The name that was last seen.")]
    names: Annotated[tuple[str, ...], Doc(description="Every name that the agent was seen under, the newest last.")]
    kpis: Annotated[list[KpiCard], Doc(description="Those that mean nothing for one agent are unavailable.")]
    series: list[Series]
    breakdowns: list[Breakdown]
    heatmap: Annotated[Heatmap, Doc(description="When the agent's calls come.")]
    standings: Annotated[list[Standing], Doc(description="One for each metric that the dataset can give of an agent.")]


class AgentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /api/agents/{agent_id}`."""

    data: AgentDetail
    meta: Meta


_CALLS: Final = metric_of("calls")


def agent_answer(aggregates: Aggregates, agent_id: str, query: AgentQuery, truth: Truth) -> AgentAnswer:
    """What `query` asks for of one agent.

    Raises `NotFound` where no call of the dataset has that agent, and `ValidationFailed` as `metrics_answer` does.
    """
    names = labels(aggregates, "agent_id")
    if agent_id == UNKNOWN or agent_id not in names:
        hint = " Calls that no known agent took: /api/metrics?agent_id=null." if agent_id == UNKNOWN else ""
        raise NotFound(f"No call of the dataset was taken by agent '{agent_id[:100]}'.{hint}")
    pair = Pair.of(aggregates, query, query.compare)
    check_span(pair.window, query.grain)
    own = pair.limited(msgspec.structs.replace(query.filter, agent_id=(agent_id,)))

    # The steps come first: where rows are counted, the whole window is known from them.
    steps = figures(own.now, (STEP,), AGENT_METRICS)
    now, before = own.ask((), AGENT_METRICS)
    along, along_before = own.ask((query.grain,), own.available(_of_agents(SERIES)))
    others = figures(pair.now, ("agent_id",), AGENT_METRICS)
    present, drill_down = aggregates.columns_present, own.drill_down()
    data = AgentDetail(
        agent_id=agent_id,
        agent_name=names[agent_id],
        names=aggregates.facts.agent_names.get(agent_id, (names[agent_id],)),
        kpis=overview(present, METRICS, now, before, steps, pair.base, by_agent=True, drill_down=drill_down),
        series=trend(own, query.grain, _of_agents(SERIES), along, along_before, drill_down),
        breakdowns=[*(parted(own, name, _of_agents(ROW_METRICS)) for name in MEMBER_DIMENSIONS), ratings(own)],
        heatmap=heatmap(own.now, _CALLS, drill_down),
        standings=_standings(pair, agent_id, others, query.min_calls),
    )
    return AgentAnswer(data=data, meta=pair.meta(truth))


def _of_agents(keys: Iterable[str]) -> tuple[Metric, ...]:
    return tuple(metric for metric in map(metric_of, keys) if metric in AGENT_METRICS)


def _standings(pair: Pair, agent_id: str, others: Figures, min_calls: int) -> list[Standing]:
    at = others.keys[0].index(agent_id)
    named = np.array([key != UNKNOWN for key in others.keys[0]], dtype=bool)
    rankable = named & (others.tally["calls"] > 0)
    listed: list[Standing] = []
    for metric in AGENT_METRICS:
        if availability(metric, pair.aggregates.columns_present, by_agent=True) is None:
            variance = variance_of(pair.now, metric)
            values = others.values[metric.key]
            found = standings(metric, values, others.tally, rankable, variance)
            place = found.place(at, min_calls)
            listed.append(
                Standing(
                    key=metric.key,
                    label=metric.label,
                    unit=metric.unit,
                    better=metric.better,
                    value=known(float(values[at]), metric.unit),
                    ranked=int((~np.isnan(found.rank)).sum()),
                    **msgspec.structs.asdict(place),
                )
            )
    return listed
