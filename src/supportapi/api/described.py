"""Fields of the OpenAPI document that say what they are, each with a value as it may come."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from supportapi.api.examples import EXAMPLES
from supportapi.api.glossary import DESCRIPTIONS
from supportapi.rollups.catalogue import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
_BY_FORMAT: Final = {"date-time": "2026-09-30T23:56:57Z", "date": "2026-09-30"}
_BY_UNIT: Final = {"count": 3476, "percent": 70.3, "rating": 3.9, "seconds": 17.8}
_OF_METRICS: Final = {metric.key: (_BY_UNIT[metric.unit],) for metric in METRICS}


def described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the field `name`, with what the glossary knows and its struct does not say."""
    said = dict(schema)
    if "description" not in said and name in DESCRIPTIONS:
        said["description"] = DESCRIPTIONS[name]
    if "examples" not in said:
        fitting = [value for value in _values(name, said) if _fits(said, value)]
        said |= {"examples": fitting[:1]} if fitting else {}
    return said


def defaults_in_words(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a struct that clients send: generators of types require a field that has a `default`."""
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    return {**schema, "properties": {name: _in_words(found) for name, found in properties.items()}}


def _in_words(schema: dict[str, Any]) -> dict[str, Any]:
    said = {key: value for key, value in schema.items() if key != "default"}
    default = schema.get("default")
    if default in (None, [], ()):
        return said
    words = f"Default: {msgspec.json.encode(default).decode()}."
    return {**said, "description": f"{said['description']} {words}" if "description" in said else words}


def plain_text(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a struct, its docstring without the indentation of the source."""
    return {**schema, "description": inspect.cleandoc(schema["description"])} if "description" in schema else schema


def _values(name: str, schema: dict[str, Any]) -> Iterable[Any]:
    choices = [schema, *schema.get("anyOf", ())]
    dated = [_BY_FORMAT[choice["format"]] for choice in choices if choice.get("format") in _BY_FORMAT]
    return (*dated, *EXAMPLES.get(name, ()), *_OF_METRICS.get(name, ()))


def _fits(schema: Any, value: Any) -> bool:
    if schema is True:
        return True
    if "anyOf" in schema:
        return any(_fits(choice, value) for choice in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema.get("type")
    if kind == "array":
        return isinstance(value, tuple) and _all_fit(schema.get("items", True), cast("tuple[Any, ...]", value))
    if kind == "object":
        parts = schema.get("additionalProperties", {})
        return isinstance(value, dict) and _all_fit(parts, cast("dict[str, Any]", value).values())
    return kind in _KINDS and isinstance(value, _KINDS[kind])


def _all_fit(schema: Any, values: Iterable[Any]) -> bool:
    return all(_fits(schema, value) for value in values)
