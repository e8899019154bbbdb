"""A query string, or a JSON object, becomes a question: every problem named at once, in the client's own words."""

from __future__ import annotations

import difflib
from datetime import date, datetime
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, Union, cast, get_args, get_origin
from urllib.parse import quote, unquote_plus

import msgspec

from supportapi.errors import ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_FEW: Final = 8

T = TypeVar("T", bound=msgspec.Struct)


def decode(query_string: bytes, kind: type[T]) -> T:
    """The `kind` that `query_string` (as it came, still percent-encoded) spells.

    Fields that hold a tuple take repeated parameters, comma-separated values, or both; a comma that belongs to a
    value is written `%2C`. They come out sorted and free of repeats, so that the order of a query never matters.
    Raises `ValidationFailed` with one detail for each unknown, repeated or unfit parameter.
    """
    return _decoded(_parameters(query_string), kind, _of_texts, "parameter of this route")


def decode_object(document: Mapping[str, Any], kind: type[T]) -> T:
    """The `kind` that a decoded JSON object spells: as `decode`, with lists and numbers as JSON has them."""
    return _decoded(document, kind, _of_json, "parameter of this query")


class _Unfit(Exception):
    """One parameter that cannot be understood, and what to say of it."""

    def __init__(self, detail: dict[str, object]) -> None:
        super().__init__(detail["message"])
        self.detail = detail


def _decoded(given: Mapping[str, Any], kind: type[T], value_of: Callable[[str, Any, Any], Any], what: str) -> T:
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems: list[dict[str, object]] = []
    values: dict[str, Any] = {}
    for name, spelled in given.items():
        if name not in known:
            problems.append(unknown_name(name, known, what))
            continue
        try:
            values[name] = value_of(name, spelled, known[name].type)
        except _Unfit as unfit:
            problems.append(unfit.detail)
    if problems:
        raise ValidationFailed(problems)
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as cause:
        raise ValidationFailed([{"field": None, "message": str(cause)}]) from cause


def _of_texts(name: str, texts: list[str], kind: Any) -> Any:
    if not _holds_many(kind) and len(texts) > 1:
        raise _Unfit({"field": name, "message": f"'{name}' was given {len(texts)} times; give it once."})
    many = _holds_many(kind)
    values = _members(texts) if many else [unquote_plus(texts[0])]
    try:
        # An instant has one spelling: beside it a lax conversion takes any number for seconds since 1970.
        fitted = msgspec.convert(values if many else values[0], kind, strict=_bare(kind) is datetime)
    except msgspec.ValidationError as cause:
        raise _Unfit(_unfit(name, values, kind, cause)) from cause
    if fitted is None:  # the word `null`, which msgspec reads as None; in a query absent is the only null
        raise _Unfit(_unfit(name, values, kind, msgspec.ValidationError("leave it out")))
    return fitted


def _of_json(name: str, value: Any, kind: Any) -> Any:
    try:
        fitted = msgspec.convert(value, kind)
    except msgspec.ValidationError as cause:
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        raise _Unfit(_unfit(name, list(map(str, values)), kind, cause)) from cause
    return tuple(sorted(set(fitted) - {""})) if _holds_many(kind) else fitted


def canonical(question: msgspec.Struct) -> str:
    """The one query string that stands for `question`: sorted, defaults left out, values percent-encoded.

    Equal questions have equal canonical forms, and `decode` gives the question back.
    """
    pairs: list[tuple[str, str]] = []
    for field in msgspec.structs.fields(question):
        value: Any = getattr(question, field.name)
        if value == field.default or value is None:
            continue
        values: Iterable[Any] = value if _holds_many(field.type) else (value,)
        pairs += [(field.encode_name, _spell(item)) for item in values]
    return "&".join(f"{name}={quote(text, safe='')}" for name, text in sorted(pairs))


def unknown_name(name: str, known: Iterable[str], what: str) -> dict[str, object]:
    """The detail that refuses `name`, which is no `what`, with the nearest of the `known` ones."""
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(choices)}."
    return {"field": name, "message": f"'{name[:100]}' is not a {what}; {hint}"}


def _bare(kind: Any) -> Any:
    """`kind` without its annotation and without None."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return _bare(next(member for member in get_args(kind) if member is not type(None)))
    return kind


def _holds_many(kind: Any) -> bool:
    return get_origin(_bare(kind)) is tuple


def _parameters(query_string: bytes) -> Mapping[str, list[str]]:
    parameters: dict[str, list[str]] = {}
    for piece in query_string.decode("latin-1").split("&"):
        if piece:
            name, _, text = piece.partition("=")
            parameters.setdefault(unquote_plus(name), []).append(text)
    return parameters


def _members(texts: list[str]) -> list[str]:
    # Commas are split before percent-decoding, so that a member whose name holds one can still be asked for.
    members = {unquote_plus(piece) for text in texts for piece in text.split(",")}
    return sorted(members - {""})


def _unfit(name: str, texts: list[str], kind: Any, cause: msgspec.ValidationError) -> dict[str, object]:
    text = ",".join(texts)
    bare, shown = _bare(kind), text[:100]
    one = _bare(get_args(bare)[0]) if _holds_many(kind) else bare
    if get_origin(one) is Literal and text:
        return _not_allowed(name, texts, list(get_args(one)))
    if bare is date:
        return {"field": name, "message": f"'{shown}' is not a day; write '{name}' as YYYY-MM-DD."}
    if bare is datetime:
        return {"field": name, "message": f"'{shown}' is not an instant; write '{name}' as 2026-01-31T09:00:00Z."}
    return {"field": name, "message": f"'{shown}' does not fit '{name}': {str(cause).replace('`', '').rstrip('.')}."}


def _not_allowed(name: str, texts: list[str], allowed: list[Any]) -> dict[str, object]:
    """The detail that refuses those of `texts` that are not `allowed`, with the nearest one or with all there are."""
    choices = [str(choice) for choice in allowed]
    wrong = [text for text in texts if text not in choices]
    near = difflib.get_close_matches(wrong[0], choices, n=1) if len(choices) > _FEW else []
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(choices)}."
    shown = ", ".join(f"'{text[:100]}'" for text in wrong[:_FEW])
    verb = "is not a value" if len(wrong) == 1 else "are not values"
    return {"field": name, "message": f"{shown} {verb} of '{name}'; {hint}", "allowed": allowed}


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
