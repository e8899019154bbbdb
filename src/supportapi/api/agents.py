"""`GET /api/agents`, the leaderboard, and `GET /api/agents/{agent_id}`, one agent."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.answers.agent import AgentAnswer, agent_answer
from supportapi.answers.agents import AgentsAnswer, agents_answer
from supportapi.answers.meta import Truth
from supportapi.answers.query import AgentQuery, AgentsQuery
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.serve import aggregate
from supportapi.errors import NotFound, Overloaded, ValidationFailed, WarmingUp
from supportapi.rollups.aggregates import Aggregates

BOARD: Final = Operation(
    id="listAgents",
    tag="agents",
    summary="The leaderboard",
    description="One row for each agent and region that the filters leave, ranked by the metric of `sort` in its "
    "better direction. A badge needs `min_calls` behind the value, and `top`, `strong` and `watch` one that differs "
    "from the others' by more than luck.",
    query=AgentsQuery,
    reach="own",
    successes={200: Success(description="One page of it.", body=AgentsAnswer)},
    errors=(ValidationFailed, WarmingUp, Overloaded),
    cached=True,
)
AGENT: Final = Operation(
    id="getAgent",
    tag="agents",
    summary="One agent",
    description="Cards, series, breakdowns and busy hours of one agent, and rank, percentile and badge in each metric "
    "among all agents under the same filters and window.",
    path_parameters={"agent_id": "The id of an agent."},
    query=AgentQuery,
    reach="own",
    successes={200: Success(description="The agent.", body=AgentAnswer)},
    errors=(ValidationFailed, NotFound, WarmingUp, Overloaded),
    cached=True,
)


@reading("/api/agents", BOARD)
async def agents(request: Request[Any, Any, Any]) -> ASGIApp:
    """The answer to the question in the query string."""
    return await aggregate(request, AgentsQuery, agents_answer)


@reading("/api/agents/{agent_id:str}", AGENT)
async def agent(request: Request[Any, Any, Any]) -> ASGIApp:
    """The answer to the question in the query string, about the agent in the path."""
    agent_id: str = request.path_params["agent_id"]

    def answer(aggregates: Aggregates, query: AgentQuery, truth: Truth) -> AgentAnswer:
        return agent_answer(aggregates, agent_id, query, truth)

    return await aggregate(request, AgentQuery, answer)
