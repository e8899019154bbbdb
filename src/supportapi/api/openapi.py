"""`/openapi.json`: made of the operations and the structs themselves, so that it cannot say anything else.

Litestar's own generator loses the limits of query fields, documents its own errors, and names generics after modules.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from msgspec import inspect

from supportapi.api.described import defaults_in_words, described, plain_text
from supportapi.api.envelope import CODES, STATUSES, Failure
from supportapi.api.gate import COOKIE
from supportapi.api.operation import OPERATION, Operation, Success
from supportapi.errors import SupportApiError, UnsupportedMediaType, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from litestar.handlers import HTTPRouteHandler

TITLE: Final = "supportapi"
DESCRIPTION: Final = (
    "Support-call analytics from precomputed aggregates. Every success is `{data, meta, links?}`; `meta` says which "
    "version of the data answered and whether it is stale. Every failure is `{error: {code, message, details, "
    "request_id}}`. Instants are RFC 3339 in UTC, durations are seconds, rates are percent, null means not known. "
    "Lists are repeated or comma-separated; parameter order never matters. What is too large is refused "
    "everywhere: 414 `URI_TOO_LONG`, 431 `HEADERS_TOO_LARGE`."
)
TAGS: Final[Mapping[str, str]] = {
    "metrics": "Cards, series, breakdowns, and what each number means.",
    "agents": "The leaderboard, and one agent.",
    "calls": "The rows behind the numbers.",
    "versions": "Which data is served, and when it changed.",
    "settings": "The dataset, refreshing it, and the jobs that do.",
    "auth": "Who is asking.",
    "status": "Whether it lives and is ready.",
}
_KINDS: Final = {str: "string", int: "integer", bool: "boolean", float: "number", type(None): "null"}
_TYPED_PARAMETER: Final = re.compile(r"\{(\w+):\w+\}")
_SAFE: Final = ("get",)
_REF: Final = "#/components/schemas/{name}"


def openapi_of(routes: Iterable[HTTPRouteHandler], version: str) -> bytes:
    """The OpenAPI 3.1 document of `routes`, release `version`: the same bytes for the same code."""
    operations = list(_operations(routes))
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for path, method, operation in operations:
        paths.setdefault(path, {})[method] = _operation(method, operation, schemas)
    document = {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


class _Schemas:
    """The JSON Schemas of every struct that a body is made of. Fields that are always sent are `required`."""

    def __init__(self, operations: Iterable[tuple[str, str, Operation]]) -> None:
        sent: list[Any] = [Failure]
        taken: list[Any] = []
        for _, _, operation in operations:
            sent += [success.body for success in operation.successes.values() if success.body is not None]
            taken += [operation.body] if operation.body is not None else []
        _, components = msgspec.json.schema_components([*sent, *taken], ref_template=_REF)
        _, inputs = msgspec.json.schema_components(taken, ref_template=_REF)
        dated = _dated_fields([*sent, *taken])
        self.components = {
            name: defaults_in_words(_polished(schema, dated.get(name, ())))
            if name in inputs
            else _polished(_always_sent(schema), dated.get(name, ()))
            for name, schema in sorted(components.items())
        }

    def ref(self, kind: Any) -> dict[str, Any]:
        """Where the schema of `kind` is."""
        (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REF)
        return schema


def _always_sent(schema: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    if not properties:
        return schema
    optional = {name for name, found in properties.items() if "default" not in found} - set(schema.get("required", ()))
    kept = {
        name: {key: value for key, value in found.items() if key != "default"} for name, found in properties.items()
    }
    return {**schema, "properties": kept, "required": [name for name in properties if name not in optional]}


def _dated_fields(kinds: Iterable[Any]) -> dict[str, set[str]]:
    """The fields of each struct that hold an instant: msgspec writes their format only for some of them."""
    found: dict[str, set[str]] = {}

    def walk(seen: Any) -> None:
        if isinstance(seen, inspect.StructType) and seen.cls.__name__ not in found:
            fields = found.setdefault(seen.cls.__name__, set())
            for field in seen.fields:
                if _holds_instant(field.type):
                    fields.add(field.encode_name)
                walk(field.type)
        elif not isinstance(seen, inspect.StructType):
            for part in _parts(seen)[1:]:
                walk(part)

    for kind in kinds:
        walk(inspect.type_info(kind))
    return found


def _holds_instant(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _holds_instant(kind.type)
    if isinstance(kind, inspect.UnionType):
        return any(_holds_instant(part) for part in kind.types)
    return isinstance(kind, inspect.DateTimeType)


def _parts(kind: inspect.Type) -> list[inspect.Type]:
    """A type, and those that it is directly made of."""
    inner: list[Any] = [kind]
    inner += getattr(kind, "types", ())
    inner += getattr(kind, "item_types", ())
    inner += [getattr(kind, name) for name in ("type", "item_type", "key_type", "value_type") if hasattr(kind, name)]
    return inner


def _polished(schema: dict[str, Any], dated: Iterable[str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, found in schema.get("properties", {}).items():
        typed = _typed(found)
        properties[name] = described(name, _instant(typed) if name in dated else typed)
    return plain_text({**schema, "properties": properties} if properties else _typed(schema))


def _instant(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [_instant(choice) for choice in schema.get("anyOf", ())]
    dated = {**schema, "format": "date-time"} if schema.get("type") == "string" else schema
    return {**dated, "anyOf": choices} if choices else dated


def _typed(schema: Any) -> Any:
    """Every enumeration with the type of its values, every object with its fields or any: msgspec leaves both out."""
    if isinstance(schema, list):
        return [_typed(part) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    typed: dict[str, Any] = {name: _typed(part) for name, part in cast("dict[str, Any]", schema).items()}
    values: list[Any] = typed.get("enum", [])
    if values:
        kinds = sorted({_KINDS[type(value)] for value in values})
        typed = {"type": kinds[0] if len(kinds) == 1 else kinds, **typed}
    if typed.get("type") == "object" and not {"properties", "additionalProperties"} & typed.keys():
        typed["additionalProperties"] = True  # else a generator takes it for an object without any field
    return typed


def _operations(routes: Iterable[HTTPRouteHandler]) -> Iterable[tuple[str, str, Operation]]:
    """Path template, method and operation of every route, in the order of paths."""
    found = [
        (_TYPED_PARAMETER.sub(r"{\1}", path), str(method).lower(), route.opt[OPERATION])
        for route in routes
        for path in route.paths
        for method in route.http_methods
    ]
    return sorted(found, key=lambda operation: operation[:2])


def _operation(method: str, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description or operation.summary,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_header_parameters(operation)],
    }
    if operation.body is not None:
        content = {"application/json": {"schema": schemas.ref(operation.body)}}
        described["requestBody"] = {"required": operation.body_required, "content": content}
    described["responses"] = _responses(method, operation, schemas)
    described["security"] = [] if operation.role is None else [{"bearer": []}, {"cookie": []}]
    return described


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"in": "path", **_parameter(name, {"type": "string", "description": words}), "required": True}
        for name, words in operation.path_parameters.items()
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    _, components = msgspec.json.schema_components([operation.query], ref_template=_REF)
    properties: dict[str, dict[str, Any]] = components[operation.query.__name__]["properties"]
    # What tells kinds of queries apart in a body is told by the path here.
    tag = operation.query.__struct_config__.tag_field
    return [{"in": "query", **_parameter(name, dict(schema))} for name, schema in properties.items() if name != tag]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    schema = described(name, _typed(_without_null(schema)))
    parameter: dict[str, Any] = {"name": name, "required": False}
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    examples = schema.pop("examples", None)
    if schema.get("default") in (None, [], ()):
        schema.pop("default", None)
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": True}
    if examples:
        parameter["example"] = examples[0]
    return {**parameter, "schema": schema}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """In a query absent is the only null: one type is left."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **choices[0]}
    if None in schema.get("enum", ()):
        schema = {**schema, "enum": [value for value in schema["enum"] if value is not None]}
    return schema


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    if not operation.cached:
        return []
    words = "The ETag of an answer that the client has; 304 when it still holds."
    return [{"in": "header", **_parameter("If-None-Match", {"type": "string", "description": words})}]


def _responses(method: str, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    responses = {str(status): _success(success, operation, schemas) for status, success in operation.successes.items()}
    if operation.cached:
        responses["304"] = {"description": "The client's copy still holds.", "headers": _headers(cached=True)}
    for status, codes in sorted(_failures(method, operation).items()):
        responses[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in sorted(codes))}.",
            "headers": _headers(),
            "content": {"application/json": {"schema": schemas.ref(Failure)}},
        }
    return responses


def _failures(method: str, operation: Operation) -> dict[int, set[str]]:
    failures: dict[int, set[str]] = {500: {"INTERNAL"}}
    kinds: set[type[SupportApiError]] = set(operation.failures)
    if method not in _SAFE:
        failures[403] = {"FORBIDDEN"}
    if operation.body is not None:
        kinds |= {ValidationFailed, UnsupportedMediaType}
        failures[413] = {CODES[413]}
    for kind in kinds:
        failures.setdefault(STATUSES[kind], set()).add(kind.code)
    return failures


def _success(success: Success, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    headers = _headers(cached=operation.cached)
    headers |= {name: {"description": words, "schema": {"type": "string"}} for name, words in success.headers.items()}
    described: dict[str, Any] = {"description": success.description, "headers": headers}
    if success.body is not None:
        described["content"] = {success.media_type: {"schema": schemas.ref(success.body)}}
    elif success.media_type != "application/json":
        kinds = (success.media_type, *success.other_media_types)
        described["content"] = {kind: {"schema": {"type": "string"}} for kind in kinds}
    return described


def _headers(*, cached: bool = False) -> dict[str, Any]:
    headers = {"X-Request-ID": {"description": "The id of this request.", "schema": {"type": "string"}}}
    if cached:
        headers["ETag"] = {
            "description": "Names this content; the same for every order of parameters.",
            "schema": {"type": "string"},
        }
    return headers
