"""`GET /api/agents`: the leaderboard."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.answers.agents import AgentsAnswer, agents_answer
from supportapi.answers.query import AgentsQuery
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.serve import aggregate
from supportapi.errors import Overloaded, ValidationFailed, WarmingUp

OPERATION: Final = Operation(
    id="listAgents",
    tag="agents",
    summary="The leaderboard",
    description="One row for each agent and region that the filters leave, ranked by the metric of `sort` in its "
    "better direction. A badge needs `min_calls` behind the value, and `top`, `strong` and `watch` one that differs "
    "from the others' by more than luck.",
    query=AgentsQuery,
    successes={200: Success(description="One page of it.", body=AgentsAnswer)},
    errors=(ValidationFailed, WarmingUp, Overloaded),
    cached=True,
)


@reading("/api/agents", OPERATION)
async def agents(request: Request[Any, Any, Any]) -> ASGIApp:
    """The answer to the question in the query string."""
    return await aggregate(request, AgentsQuery, agents_answer)
