"""The leaderboard: one row for each agent and region, ranked by one metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec import Meta as Doc
from numpy.typing import NDArray

from supportapi.answers.by_agent import AGENT_METRICS, BOARD_METRICS, AgentMetric
from supportapi.answers.chance import measured_by, variance_ms
from supportapi.answers.choice import Order, order_of
from supportapi.answers.delta import Delta, delta
from supportapi.answers.drill_down import CallsLink, spelled
from supportapi.answers.figures import Figures, known_all, values_at
from supportapi.answers.meta import Meta, Truth
from supportapi.answers.pair import Pair
from supportapi.answers.ranking import BadgeField, BadgeReasonField, Standings, standings, unranked
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import Metric, availability, metric_of
from supportapi.rollups.questions import PAIR, STEP

if TYPE_CHECKING:
    from supportapi.answers.query import AgentsQuery
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.selection import Selection


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """One agent in one region, without its metrics."""

    rank: Annotated[int | None, Doc(description="By the metric of `sort`, 1 for the best; ties share a rank.")]
    percentile: Annotated[float | None, Doc(description="Share of ranked rows that are worse, plus half of the ties.")]
    badge: BadgeField
    badge_reason: BadgeReasonField
    agent_id: str
    agent_name: str
    region: Annotated[str, Doc(description="`null` stands for a region that is not known.")]
    calls: int
    sparkline: Annotated[list[int], Doc(description="Calls in at most 30 equal steps up to the window's end.")]
    deltas: Annotated[dict[AgentMetric, Delta] | None, Doc(description="Null when nothing is compared.")]
    links: CallsLink


def _field(metric: Metric) -> tuple[str, Any, Any]:
    kind = int if metric.unit == "count" else float
    return (
        metric.key,
        Annotated[kind | UnsetType | None, Doc(description=f"{metric.label}; absent if not asked for.")],
        UNSET,
    )


if TYPE_CHECKING:

    class AgentRow(BoardRow, frozen=True, kw_only=True):
        """One agent in one region, with the metrics that were asked for."""

        def __getattr__(self, metric: str) -> float | UnsetType | None: ...

else:
    AgentRow = msgspec.defstruct(
        "AgentRow",
        [_field(metric) for metric in AGENT_METRICS if metric.key != "calls"],
        bases=(BoardRow,),
        namespace={"__doc__": "One agent in one region, with the metrics that were asked for."},
        module=__name__,
        frozen=True,
        kw_only=True,
    )


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
    """Every (agent, region) pair that the filter leaves, and the order in which those with calls are listed.

    `now` and `before` have the values of the metric that orders them, and of those that a tally does not tell.
    """

    named: NDArray[np.bool_]
    now: Figures
    before: Figures | None
    standings: Standings
    order: NDArray[np.intp]


def agents_answer(aggregates: Aggregates, query: AgentsQuery, truth: Truth) -> AgentsAnswer:
    """A page of the board that `query` asks for.

    Raises `ValidationFailed` for an impossible zone or window, and for an order by deltas where nothing is compared.
    """
    pair = Pair.of(aggregates, query, query.compare)
    order = order_of(query.sort)
    if order.by_delta and pair.compared is None:
        message = f"'{query.sort}' sorts by a move, and with 'compare=none' nothing moves; compare with a window."
        raise ValidationFailed([{"field": "sort", "message": message}])
    asked = query.metrics or tuple(metric.key for metric in BOARD_METRICS)
    sorted_by = () if order.metric is None else (order.metric.key,)
    metrics = [metric_of(key) for key in dict.fromkeys((*asked, *sorted_by))]
    board = _board(pair, order, metrics)
    shown = board.order[(query.page - 1) * query.per_page : query.page * query.per_page]
    reasons = {metric.key: availability(metric, aggregates.columns_present) for metric in metrics}
    return AgentsAnswer(
        data=AgentsData(
            rows=_rows(pair, query, board, metrics, shown),
            unassigned_calls=int(board.now.tally["calls"][~board.named].sum()),
            unavailable={key: reason for key, reason in reasons.items() if reason is not None},
        ),
        meta=PagedMeta(
            **msgspec.structs.asdict(pair.meta(truth)),
            page=query.page,
            per_page=query.per_page,
            total=len(board.order),
        ),
    )


def variance_of(calls: Selection, metric: Metric) -> float | None:
    """The variance of one of `calls` by which `metric` is judged, where no tally knows it."""
    of = measured_by(metric)
    return None if of is None else variance_ms(calls.histogram(of)[0])


def _board(pair: Pair, order: Order, metrics: list[Metric]) -> _Board:
    aggregates = pair.aggregates
    now, before = pair.ask((PAIR,), (metric for metric in metrics if metric is order.metric or metric.needs != "tally"))
    pairs = pair.now.pairs()
    agents = aggregates.pairs[pairs, 0].astype(np.intp)
    named = agents < len(aggregates.facts.members["agent_id"]) - 1
    calls = now.tally["calls"]
    earlier = 0 if before is None else before.tally["calls"]

    placed = unranked(len(pairs))
    if order.metric is not None:
        variance = variance_of(pair.now, order.metric)
        values = now.values[order.metric.key]
        placed = standings(order.metric, values, now.tally, named & (calls > 0), variance)
    names = _alphabet([member.label for member in aggregates.facts.members["agent_id"]])[agents]
    first = _sorting(order, placed, now, before)
    if order.metric is None:
        # Names have no second thoughts: rows of one name stand by id and region.
        ordered = np.lexsort((-names if order.descending else names,))
    else:
        ordered = np.lexsort((names, -calls, first))
    listed = named & ((calls > 0) | (earlier > 0))
    return _Board(named, now, before, placed, ordered[listed[ordered]])


def _sorting(order: Order, placed: Standings, now: Figures, before: Figures | None) -> NDArray[np.float64]:
    """What rows are sorted by, upwards; what is not known comes last in either direction."""
    if order.metric is None:
        return placed.rank
    if order.by_delta and before is not None:
        moved = now.values[order.metric.key] - before.values[order.metric.key]
        upwards = -moved if order.descending else moved
    else:
        best_first = order.descending == (order.metric.better != "down")
        upwards = placed.rank if best_first else -placed.rank
    return np.where(np.isnan(upwards), np.inf, upwards)


def _alphabet(names: list[str]) -> NDArray[np.intp]:
    """The place of each of `names` in their order; equal ones share it."""
    place = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([place[name] for name in names], dtype=np.intp)


def _rows(
    pair: Pair, query: AgentsQuery, board: _Board, metrics: list[Metric], shown: NDArray[np.intp]
) -> list[AgentRow]:
    names = pair.labels("agent_id")
    values = _values(board.now, metrics, shown)
    earlier = {} if board.before is None else _values(board.before, metrics, shown)
    moves = {
        metric.key: [
            delta(metric, *both, pair.base) for both in zip(values[metric.key], earlier[metric.key], strict=True)
        ]
        for metric in (metrics if earlier else ())
    }
    calls: list[int] = board.now.tally["calls"][shown].tolist()
    lines: list[list[int]] = pair.now.calls((PAIR, STEP), shown).tolist()
    drill_down = pair.drill_down()
    listed: list[AgentRow] = []
    for number, at in enumerate(shown.tolist()):
        agent_id, region = board.now.keys[0][at]
        row: dict[str, Any] = {key: found[number] for key, found in values.items()} | {
            **msgspec.structs.asdict(board.standings.place(at, query.min_calls)),
            "agent_id": agent_id,
            "agent_name": names[agent_id],
            "region": region,
            "calls": calls[number],
            "sparkline": lines[number],
            "links": CallsLink(drill_down.link(among={"agent_id": spelled(agent_id), "region": spelled(region)})),
            "deltas": None if pair.compared is None else {key: found[number] for key, found in moves.items()},
        }
        listed.append(AgentRow(**row))
    return listed


def _values(found: Figures, metrics: list[Metric], shown: NDArray[np.intp]) -> dict[str, list[float | None]]:
    values = values_at(found, shown, metrics)
    return {metric.key: known_all(values[metric.key], metric.unit) for metric in metrics}
