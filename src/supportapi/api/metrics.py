"""`GET /api/metrics`: the dashboard's numbers in one answer."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.answers.metrics import MetricsAnswer, metrics_answer
from supportapi.answers.query import MetricsQuery
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.serve import aggregate
from supportapi.errors import Overloaded, ValidationFailed, WarmingUp

OPERATION: Final = Operation(
    id="getMetrics",
    tag="metrics",
    summary="Cards, series and breakdowns",
    description="Every number of the dashboard for one window and one filter, compared with another window. "
    "Windows are half-open and end with the last day that has data unless `from` and `to` say otherwise.",
    query=MetricsQuery,
    reach="own",
    successes={200: Success(description="The numbers.", body=MetricsAnswer)},
    errors=(ValidationFailed, WarmingUp, Overloaded),
    cached=True,
)


@reading("/api/metrics", OPERATION)
async def metrics(request: Request[Any, Any, Any]) -> ASGIApp:
    """The answer to the question in the query string."""
    return await aggregate(request, MetricsQuery, metrics_answer)
