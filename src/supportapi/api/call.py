"""`GET /api/calls/{call_id}`: one call, and how its agent does."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.meta import Meta
from supportapi.answers.query import zone_of
from supportapi.answers.query_string import canonical, decode
from supportapi.api.answer import Answer, tag_of
from supportapi.api.calls import scanned
from supportapi.api.doors import doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.trace import trace_of
from supportapi.calls.filter import Filter, key_of
from supportapi.calls.shown import CallRow, shown
from supportapi.errors import NotFound, Overloaded, ValidationFailed, WarmingUp
from supportapi.rollups.aggregates import Aggregates, Question
from supportapi.rollups.catalogue import METRICS

_AGENT_METRICS: Final = (
    "calls",
    "average_duration",
    "average_rating",
    "csat",
    "resolution_rate",
    "average_speed_of_answer",
)


class CallQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`GET /api/calls/{call_id}`."""

    timezone: Annotated[
        str | None, Doc(description="The zone of the local times; the first reporting zone by default.")
    ] = None


class AgentAverages(msgspec.Struct, frozen=True, kw_only=True):
    """How the agent does over the whole dataset; null where the dataset cannot tell."""

    agent_id: str
    agent_name: str | None
    calls: int
    average_duration: float | None
    average_rating: float | None
    csat: float | None
    resolution_rate: float | None
    average_speed_of_answer: float | None


class CallDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A call, and its agent's averages beside it."""

    call: CallRow
    agent: AgentAverages | None


class CallAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One call."""

    data: CallDetail
    meta: Meta


OPERATION: Final = Operation(
    id="getCall",
    tag="calls",
    summary="One call",
    description="The row, what follows from it, and the averages of its agent over the whole dataset.",
    path_parameters={"call_id": "The call's id."},
    query=CallQuery,
    reach="own",
    successes={200: Success(description="The call.", body=CallAnswer)},
    errors=(ValidationFailed, NotFound, WarmingUp, Overloaded),
    cached=True,
)


@reading("/api/calls/{call_id:str}", OPERATION)
async def get_call(request: Request[Any, Any, Any]) -> ASGIApp:
    """One call. Raises `NotFound`."""
    current = trace_of(request.scope).current
    query = decode(request.scope["query_string"], CallQuery)
    call_id: str = request.path_params["call_id"]
    snapshot, truth = current.require(), current.truth()

    def work() -> bytes:
        zone = zone_of(query.timezone, snapshot.aggregates.zones)
        row = snapshot.aggregates.call_index.find(call_id)
        if row is None:
            raise NotFound(f"There is no call '{call_id[:100]}'.")
        agent = _agent(snapshot.aggregates, row, zone)
        data = snapshot.aggregates.data_window(zone)
        detail = CallDetail(call=shown(row, zone), agent=agent)
        return msgspec.json.encode(CallAnswer(data=detail, meta=scanned(truth, snapshot, zone, data)))

    body = await doors_of(request).calls_desk.run_once(
        (truth.version, truth.stale_reason, current.scope, call_id, canonical(query)), work
    )
    tag = tag_of(current.scope, truth.version, truth.stale_reason, f"/api/calls/{call_id}", canonical(query))
    return Answer(body, tag, route="/api/calls/{call_id}", source="scan", version=truth.version)


def _agent(aggregates: Aggregates, row: dict[str, Any], zone: str) -> AgentAverages | None:
    agent_id: str | None = row["agent_id"]
    if agent_id is None:
        return None
    question = Question(zone, aggregates.data_window(zone), Filter(agent_id=(key_of(agent_id),)))
    tally = aggregates.tally(question).tally
    values: dict[str, Any] = {}
    for metric in METRICS:
        if metric.key in _AGENT_METRICS:
            value = float(metric.compute(tally))
            values[metric.key] = None if value != value else value  # noqa: PLR0124 - only NaN differs from itself
    values["calls"] = int(tally["calls"])
    return AgentAverages(agent_id=agent_id, agent_name=row["agent_name"], **values)
