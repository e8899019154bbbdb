"""`POST /api/query`: several questions in one request, all answered by one version."""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers import prepared
from supportapi.answers.meta import Truth
from supportapi.answers.query import AgentsQuery, CatalogueQuery, MetricsQuery, OptionsQuery
from supportapi.answers.query_string import decode_object, unknown_name
from supportapi.api.answer import Answer, accepts_gzip
from supportapi.api.body import read_body
from supportapi.api.calls import CallsQuery, page_of_calls
from supportapi.api.doors import doors_of
from supportapi.api.envelope import refused
from supportapi.api.operation import Operation, Success, acting
from supportapi.api.plain import text_response
from supportapi.api.serve import answered
from supportapi.api.trace import trace_of
from supportapi.errors import ValidationFailed, WarmingUp

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_QUERIES: Final = 16

Query = MetricsQuery | AgentsQuery | OptionsQuery | CatalogueQuery | CallsQuery

_KINDS: Final[Mapping[str, type[Query]]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (MetricsQuery, AgentsQuery, OptionsQuery, CatalogueQuery, CallsQuery)
}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_SLOWEST_LAST: Final = ("prepared", "rollup", "scan")
_GZIP_LEVEL: Final = 1
_SMALL: Final = 600
_PARTS: Final = [
    {"$ref": f"#/components/schemas/{name}"}
    for name in ("MetricsAnswer", "AgentsAnswer", "OptionsAnswer", "CatalogueAnswer", "CallList", "Failure")
]


class Bundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Questions by names of the client's choice: each what its own route takes as a query, with its `kind`."""

    queries: Annotated[
        dict[Annotated[str, Doc(pattern=f"^{_NAME.pattern}$")], Query],
        Doc(
            min_length=1,
            max_length=MOST_QUERIES,
            examples=[{"volume": {"kind": "metrics", "range": "30d", "grain": "week"}, "board": {"kind": "agents"}}],
        ),
    ]


class BundleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answers by the names of their questions."""

    data: Annotated[
        dict[str, Annotated[Any, Doc(extra_json_schema={"anyOf": _PARTS})]],
        Doc(description="For each query the very body that its own route answers with, or `error` as any failure has."),
    ]
    meta: Annotated[Truth, Doc(description="The version that answered all of them.")]


class _Queries(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle whose queries are still to be decoded: what is wrong with one of them is no matter of the others."""

    queries: dict[str, Any]


OPERATION: Final = Operation(
    id="query",
    tag="metrics",
    summary="Several questions at once",
    description="Answers up to 16 named queries by one version, whatever is published meanwhile. A query that cannot "
    "be answered gets an `error` in its place, with field paths such as `queries.volume.grain`, and leaves the others "
    "alone; only a bundle that is malformed as a whole is 422.",
    body=Bundle,
    reach="own",
    successes={200: Success(description="An answer or an error for each query.", body=BundleAnswer)},
    errors=(WarmingUp,),
)


@acting("/api/query", OPERATION)
async def bundle(request: Request[Any, Any, Any]) -> ASGIApp:
    """Every part by the version that the request took when it came in."""
    trace = trace_of(request.scope)
    given = _checked(await read_body(request, _Queries))
    truth = trace.current.truth()
    parts = await asyncio.gather(*(_part(request, name, document) for name, document in given.items()))
    sources = {part.source for part in parts if isinstance(part, Answer)}
    trace.version, trace.source = truth.version, max(sources, key=_SLOWEST_LAST.index, default="")
    bodies = {name: msgspec.Raw(part.body) for name, part in zip(given, parts, strict=True)}
    body = msgspec.json.encode(BundleAnswer(data=bodies, meta=truth))
    headers = {"vary": "Accept-Encoding, Origin"}
    if len(body) > _SMALL and accepts_gzip(trace.headers.get(b"accept-encoding", b"")):
        # Beside the loop: sixteen answers of many agents are megabytes.
        body = await asyncio.to_thread(gzip.compress, body, _GZIP_LEVEL, mtime=0)
        headers["content-encoding"] = "gzip"
    return text_response(body, "application/json", headers)


def _checked(given: _Queries) -> dict[str, Any]:
    """The queries by name; raises `ValidationFailed` for what is wrong with the bundle as a whole."""
    queries = given.queries
    if not 1 <= len(queries) <= MOST_QUERIES:
        message = f"'queries' holds {len(queries)} queries; send 1 to {MOST_QUERIES} of them."
        raise ValidationFailed([{"field": "queries", "message": message}])
    unfit = [name for name in queries if _NAME.fullmatch(name) is None]
    if unfit:
        words = "cannot be the name of a query: a letter, then up to 63 letters, digits, '-' and '_'."
        raise ValidationFailed([{"field": "queries", "message": f"'{name[:100]}' {words}"} for name in unfit])
    return queries


async def _part(request: Request[Any, Any, Any], name: str, document: Any) -> Any:
    """The answer to one query, or the refusal of it; either has a `body`."""
    doors, current = doors_of(request), trace_of(request.scope).current
    try:
        question = _question(document)
        if isinstance(question, CallsQuery):
            return await page_of_calls(doors, current, question)
        return await answered(doors, current, prepared.PATHS[type(question)], question, prepared.answer)
    except ValidationFailed as unfit:
        return refused(request, ValidationFailed([_placed(detail, name) for detail in unfit.details]))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other parts are answered, and it is logged
        return refused(request, error)


def _question(document: Any) -> Query:
    if not isinstance(document, dict):
        raise ValidationFailed([{"field": None, "message": "A query must be a JSON object."}])
    fields = cast("dict[str, Any]", document)
    kind = fields.get("kind")
    if kind is None:
        message = f"'kind' is missing; there are: {', '.join(_KINDS)}."
        raise ValidationFailed([{"field": "kind", "message": message, "allowed": list(_KINDS)}])
    if not isinstance(kind, str) or kind not in _KINDS:
        detail = unknown_name(str(kind), _KINDS, "kind of query")
        raise ValidationFailed([{**detail, "field": "kind", "allowed": list(_KINDS)}])
    return decode_object({name: value for name, value in fields.items() if name != "kind"}, _KINDS[kind])


def _placed(detail: dict[str, object], name: str) -> dict[str, object]:
    """`detail` with the path of its field from the top of the body."""
    field = detail["field"]
    return {**detail, "field": f"queries.{name}" if field is None else f"queries.{name}.{field}"}
