"""The answers that a front end asks for first, encoded before anyone asks."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Final

import msgspec

from supportapi.answers.agents import agents_answer
from supportapi.answers.catalogue import catalogue_answer
from supportapi.answers.metrics import metrics_answer
from supportapi.answers.options import options_answer
from supportapi.answers.query import METRICS_PATH, AgentsQuery, CatalogueQuery, MetricsQuery, OptionsQuery
from supportapi.answers.query_string import canonical
from supportapi.calls.window import RELATIVE_RANGES

if TYPE_CHECKING:
    from supportapi.answers.meta import Truth
    from supportapi.rollups.aggregates import Aggregates

AGENTS_PATH: Final = "/api/agents"
OPTIONS_PATH: Final = "/api/filters/options"
CATALOGUE_PATH: Final = "/api/metrics/catalogue"

Query = MetricsQuery | AgentsQuery | OptionsQuery | CatalogueQuery

PATHS: Final[dict[type[Query], str]] = {
    MetricsQuery: METRICS_PATH,
    AgentsQuery: AGENTS_PATH,
    OptionsQuery: OPTIONS_PATH,
    CatalogueQuery: CATALOGUE_PATH,
}
"""Where each of them is asked alone."""

_GZIP_LEVEL: Final = 6


class PreparedAnswer(msgspec.Struct, frozen=True):
    """One encoded answer: `query` is canonical, `body` JSON in UTF-8, `gzipped` the same compressed."""

    path: str
    query: str
    body: bytes
    gzipped: bytes


def answer(aggregates: Aggregates, query: Query, truth: Truth) -> msgspec.Struct:
    """The answer to any of the questions that have a snapshot behind them."""
    match query:
        case MetricsQuery():
            return metrics_answer(aggregates, query, truth)
        case AgentsQuery():
            return agents_answer(aggregates, query, truth)
        case OptionsQuery():
            return options_answer(aggregates, query, truth)
        case CatalogueQuery():
            return catalogue_answer(aggregates, truth)


def prepare(aggregates: Aggregates, truth: Truth) -> list[PreparedAnswer]:
    """The default dashboard, board, options and catalogue, for each relative range; none of them is stale."""
    questions: list[Query] = [OptionsQuery(), CatalogueQuery()]
    for name in RELATIVE_RANGES:
        questions += [MetricsQuery(range=name), AgentsQuery(range=name)]
    return [_prepared(query, answer(aggregates, query, truth)) for query in questions]


def _prepared(query: Query, found: msgspec.Struct) -> PreparedAnswer:
    body = msgspec.json.encode(_marked(found))
    # A fixed time stamp: equal answers are equal bytes.
    return PreparedAnswer(PATHS[type(query)], canonical(query), body, gzip.compress(body, _GZIP_LEVEL, mtime=0))


def _marked(found: Any) -> Any:
    """`found`, which says that it was prepared."""
    return msgspec.structs.replace(found, meta=msgspec.structs.replace(found.meta, source="prepared"))
