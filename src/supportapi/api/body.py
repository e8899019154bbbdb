"""A JSON body becomes a struct: every problem named at once, in the client's own words."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from supportapi.answers.query_string import unknown_name
from supportapi.errors import UnsupportedMediaType, ValidationFailed

if TYPE_CHECKING:
    from litestar import Request

T = TypeVar("T", bound=msgspec.Struct)


async def read_body(request: Request[Any, Any, Any], kind: type[T], *, required: bool = True) -> T:
    """The `kind` in the request's body; with `required=False` an absent body is `kind()`.

    Raises `UnsupportedMediaType` for any type but JSON, and `ValidationFailed` with one detail for each unknown,
    missing, repeated or unfit field, or one without a field when the body is no JSON object. Litestar's own decoding
    is not used: it reads text/plain as JSON and names only the first problem.
    """
    body = await request.body()
    if not body and not required:
        return kind()
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType(f"Send application/json, not '{media_type[:100]}'.", sent=media_type[:100])
    return decode_body(body, kind)


def decode_body(body: bytes, kind: type[T]) -> T:
    """The `kind` that `body` spells in JSON. Raises `ValidationFailed`."""
    decoded = _document(body)
    if not isinstance(decoded, dict):
        raise ValidationFailed([{"field": None, "message": "The body must be a JSON object."}])
    values = cast("dict[str, Any]", decoded)
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems = [unknown_name(name, known, "field of this body") for name in values if name not in known]
    for name, field in known.items():
        if name not in values:
            if field.required:
                problems.append({"field": name, "message": f"'{name}' is missing."})
            continue
        try:
            msgspec.convert(values[name], field.type)
        except msgspec.ValidationError as cause:
            problems.append({"field": name, "message": f"'{name}' does not fit: {str(cause).replace('`', '')}."})
    if problems:
        raise ValidationFailed(problems)
    return msgspec.convert(values, kind)


def _document(body: bytes) -> Any:
    try:
        msgspec.json.decode(body)  # stricter than json, which reads NaN
        return json.loads(body, object_pairs_hook=_each_once)
    except (msgspec.DecodeError, ValueError, RecursionError) as cause:
        raise ValidationFailed([{"field": None, "message": f"The body is not JSON: {cause}."}]) from cause


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of `pairs`. Of two equal names JSON would keep the last one, and nobody would know."""
    given = dict(pairs)
    if len(given) < len(pairs):
        repeated = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
        raise ValidationFailed(
            [{"field": name, "message": f"'{name[:100]}' is given more than once; give it once."} for name in repeated]
        )
    return given
