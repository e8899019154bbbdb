"""The leaderboard: one row for each agent and region, ranked by one metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

import msgspec
import numpy as np
from msgspec import Meta as Doc
from numpy.typing import NDArray

from supportapi.answers.delta import Baseline, Delta, baseline, delta
from supportapi.answers.figures import Figures, figures, known
from supportapi.answers.meta import Meta, Truth, meta
from supportapi.answers.metrics import labels, slowest
from supportapi.answers.query import AgentsQuery, window_of, zone_of
from supportapi.answers.ranking import Badge, badge, percentiles, ranks, scores
from supportapi.calls.filter import UNKNOWN
from supportapi.calls.window import Window, comparison_window
from supportapi.rollups.catalogue import availability, metric_of
from supportapi.rollups.questions import STEP, Question

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

AgentMetric = Literal[
    "calls",
    "average_rating",
    "average_duration",
    "resolution_rate",
    "csat",
    "total_talk_time",
    "average_speed_of_answer",
    "response_rate",
]
AGENT_METRICS: Final[tuple[AgentMetric, ...]] = get_args(AgentMetric)

_BY: Final = ("agent_region",)


class AgentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One agent in one region."""

    rank: Annotated[int | None, Doc(description="By the metric of `sort`, 1 for the best; ties share a rank.")]
    percentile: Annotated[float | None, Doc(description="Share of ranked rows that are worse, plus half of the ties.")]
    badge: Annotated[Badge | None, Doc(description="Band of `percentile`: top 90, strong 75, solid 25, watch below.")]
    badge_reason: Annotated[str | None, Doc(description="Why there is no badge.", examples=["small_sample"])]
    agent_id: str
    agent_name: str
    region: Annotated[str, Doc(description="`null` stands for a region that is not known.")]
    calls: int
    average_rating: float | None
    average_duration: float | None
    resolution_rate: float | None
    csat: float | None
    total_talk_time: float | None
    average_speed_of_answer: float | None
    response_rate: float | None
    sparkline: Annotated[list[int], Doc(description="Calls in at most 30 equal steps up to the window's end.")]
    deltas: Annotated[dict[AgentMetric, Delta] | None, Doc(description="Null when nothing is compared.")]


class AgentsData(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the board."""

    rows: list[AgentRow]
    unassigned_calls: Annotated[int, Doc(description="Calls of the window that no known agent took.")]
    unavailable: Annotated[dict[AgentMetric, str], Doc(description="Metrics that the dataset cannot give, and why.")]


class PagedMeta(Meta, frozen=True, kw_only=True):
    """The truth block of one page of rows."""

    page: int
    per_page: int
    total: Annotated[int, Doc(description="Rows on all pages.")]


class AgentsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /api/agents`."""

    data: AgentsData
    meta: PagedMeta


class _Board(msgspec.Struct, frozen=True):
    """Every row of the board in order, as positions in `now`."""

    now: Figures
    before: Figures | None
    previous_at: dict[tuple[str, str], int]
    order: NDArray[np.intp]
    rank: NDArray[np.float64]
    percentile: NDArray[np.float64]


def agents_answer(aggregates: Aggregates, query: AgentsQuery, truth: Truth) -> AgentsAnswer:
    """A page of the board that `query` asks for; raises `ValidationFailed` for an impossible zone or window."""
    zone = zone_of(query.timezone, aggregates.zones)
    data = aggregates.data_window(zone)
    window = window_of(query, data)
    compared = comparison_window(window, query.compare)
    base = Baseline(exists=False, whole=False) if compared is None else baseline(window, compared, data)
    metrics = [metric_of(key) for key in AGENT_METRICS]
    now = figures(aggregates.select(zone, window, query.filter), _BY, metrics)
    before = None if compared is None else figures(aggregates.select(zone, compared, query.filter), _BY, metrics)
    board = _board(aggregates, query, now, before)
    shown = board.order[(query.page - 1) * query.per_page : query.page * query.per_page]
    unassigned = sum(
        n for (agent, _), n in zip(now.keys[0], now.tally["calls"].tolist(), strict=True) if agent == UNKNOWN
    )
    unavailable: dict[AgentMetric, str] = {}
    for key in AGENT_METRICS:
        reason = availability(metric_of(key), aggregates.columns_present)
        if reason is not None:
            unavailable[key] = reason
    block = meta(truth, slowest((now, before)), zone, window, data, compared)
    return AgentsAnswer(
        data=AgentsData(
            rows=_rows(aggregates, query, zone, window, board, shown.tolist(), base),
            unassigned_calls=unassigned,
            unavailable=unavailable,
        ),
        meta=PagedMeta(
            **msgspec.structs.asdict(block), page=query.page, per_page=query.per_page, total=len(board.order)
        ),
    )


def _board(aggregates: Aggregates, query: AgentsQuery, now: Figures, before: Figures | None) -> _Board:
    keys = now.keys[0]
    calls = now.tally["calls"]
    previous_at = {} if before is None else {key: index for index, key in enumerate(before.keys[0])}
    earlier = np.zeros(len(keys), np.int64) if before is None else _aligned(keys, previous_at, before.tally["calls"])
    named = np.array([agent != UNKNOWN for agent, _ in keys], dtype=bool)
    listed = np.flatnonzero(named & ((calls > 0) | (earlier > 0)))

    descending, name = query.sort.startswith("-"), query.sort.lstrip("-")
    agent_labels = labels(aggregates, "agent_id")
    ties = [(-calls[at], agent_labels[keys[at][0]], keys[at]) for at in listed]
    if name == "agent_name":
        unranked = np.full(len(keys), np.nan)
        by_name = sorted(range(len(listed)), key=lambda n: (ties[n][1], ties[n][2]), reverse=descending)
        return _Board(now, before, previous_at, listed[by_name], unranked, unranked)
    metric = metric_of(name)
    found = np.where(calls > 0, scores(metric, now.tally), np.nan)
    found[~named] = np.nan
    rank = ranks(metric, found)
    ordered = np.where(np.isnan(found), np.inf, -found if descending else found)
    order = sorted(range(len(listed)), key=lambda n: (ordered[listed[n]], *ties[n]))
    return _Board(now, before, previous_at, listed[order], rank, percentiles(rank))


def _aligned(
    keys: tuple[tuple[str, str], ...], at: dict[tuple[str, str], int], values: NDArray[np.int64]
) -> NDArray[np.int64]:
    return np.array([values[at[key]] if key in at else 0 for key in keys], dtype=np.int64)


def _rows(
    aggregates: Aggregates,
    query: AgentsQuery,
    zone: str,
    window: Window,
    board: _Board,
    shown: list[int],
    base: Baseline,
) -> list[AgentRow]:
    agent_labels = labels(aggregates, "agent_id")
    lines = _sparklines(aggregates, query, zone, window, [board.now.keys[0][at] for at in shown])
    listed: list[AgentRow] = []
    for at, line in zip(shown, lines, strict=True):
        agent_id, region = board.now.keys[0][at]
        calls = int(board.now.tally["calls"][at])
        percentile = known(float(board.percentile[at]), "percent")
        earned, reason = badge(percentile, calls, query.min_calls)
        values: dict[AgentMetric, Any] = {
            key: known(float(board.now.values[key][at]), metric_of(key).unit) for key in AGENT_METRICS
        }
        listed.append(
            AgentRow(
                rank=None if np.isnan(board.rank[at]) else int(board.rank[at]),
                percentile=percentile,
                badge=earned,
                badge_reason=reason,
                agent_id=agent_id,
                agent_name=agent_labels[agent_id],
                region=region,
                sparkline=line,
                deltas=_deltas(board, at, values, base),
                **values,
            )
        )
    return listed


def _deltas(
    board: _Board, at: int, values: dict[AgentMetric, float | None], base: Baseline
) -> dict[AgentMetric, Delta] | None:
    if board.before is None:
        return None
    before_at = board.previous_at.get(board.now.keys[0][at])
    moves: dict[AgentMetric, Delta] = {}
    for key, value in values.items():
        metric = metric_of(key)
        previous = None if before_at is None else known(float(board.before.values[key][before_at]), metric.unit)
        moves[key] = delta(metric, value, previous, base)
    return moves


def _sparklines(
    aggregates: Aggregates, query: AgentsQuery, zone: str, window: Window, pairs: list[tuple[str, str]]
) -> list[list[int]]:
    """The calls of each pair in steps: asked for the shown agents only, for a board can hold thousands."""
    if not pairs:
        return []
    agents = tuple(sorted({agent for agent, _ in pairs}))
    only = msgspec.structs.replace(query.filter, agent_id=agents)
    answer = aggregates.tally(Question(zone, window, only, (*_BY, STEP)))
    lines: dict[object, list[int]] = dict(zip(answer.keys[0], answer.tally["calls"].tolist(), strict=True))
    return [lines[pair] for pair in pairs]
