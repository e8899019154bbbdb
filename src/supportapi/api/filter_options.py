"""`GET /api/filters/options`: what there is to filter by."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.answers.options import OptionsAnswer, options_answer
from supportapi.answers.query import OptionsQuery
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.serve import aggregate
from supportapi.errors import Overloaded, ValidationFailed, WarmingUp

OPERATION: Final = Operation(
    id="getFilterOptions",
    tag="metrics",
    summary="What there is to filter by",
    description="Every member of each dimension with the calls that it would leave in the window, under the filters of "
    "the other dimensions and without its own (0 where nothing would remain), and the days that have data. Without a "
    "window and filters it describes the whole dataset.",
    query=OptionsQuery,
    reach="own",
    successes={200: Success(description="The options.", body=OptionsAnswer)},
    errors=(ValidationFailed, WarmingUp, Overloaded),
    cached=True,
)


@reading("/api/filters/options", OPERATION)
async def filter_options(request: Request[Any, Any, Any]) -> ASGIApp:
    """The answer to the question in the query string."""
    return await aggregate(request, OptionsQuery, options_answer)
