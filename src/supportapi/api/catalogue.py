"""`GET /api/metrics/catalogue`: what each number means."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.answers.catalogue import CatalogueAnswer, catalogue_answer
from supportapi.answers.query import CatalogueQuery
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.serve import aggregate
from supportapi.errors import Overloaded, ValidationFailed, WarmingUp

OPERATION: Final = Operation(
    id="getMetricsCatalogue",
    tag="metrics",
    summary="What each number means",
    description="Every metric with its formula, unit, better direction and the columns that it needs, and whether the "
    "live dataset has them.",
    query=CatalogueQuery,
    reach="own",
    successes={200: Success(description="The catalogue.", body=CatalogueAnswer)},
    errors=(ValidationFailed, WarmingUp, Overloaded),
    cached=True,
)


@reading("/api/metrics/catalogue", OPERATION)
async def catalogue(request: Request[Any, Any, Any]) -> ASGIApp:
    """The answer to the question in the query string."""
    return await aggregate(request, CatalogueQuery, lambda aggregates, _, truth: catalogue_answer(aggregates, truth))
