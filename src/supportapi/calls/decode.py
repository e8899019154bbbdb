"""Documents that people write become structs: every problem is told at once, with the nearest known name."""

from __future__ import annotations

from difflib import get_close_matches
from types import UnionType
from typing import Any, Final, Union, cast, get_args, get_origin

import msgspec

Words = tuple[str, ...]
"""One word or a list of them."""

_SHORT: Final = "from"


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean ...?` or a list of what is known, for the end of a message."""
    close = get_close_matches(name.lower(), [word.lower() for word in known], n=1, cutoff=0.6)
    if close:
        return f"did you mean '{next(word for word in known if word.lower() == close[0])}'?"
    return f"known are {', '.join(known)}."


def decode(raw: object, kind: Any, path: str, problems: list[str]) -> Any:
    """`raw` as the declared `kind`; what does not fit is told in `problems` and left out."""
    structs = [part for part in _parts(kind) if isinstance(part, type) and issubclass(part, msgspec.Struct)]
    if structs and isinstance(raw, str | list) and _SHORT in _fields(structs[0]):
        raw = {_SHORT: cast("object", raw)}  # region = "state" is short for region = {from = "state"}
    if structs and isinstance(raw, dict):
        return _decode_table(cast("dict[str, Any]", raw), structs[0], path, problems)
    if get_origin(kind) is dict and isinstance(raw, dict):
        named = get_args(kind)[1]
        return {
            name: decode(value, named, _join(path, name), problems)
            for name, value in cast("dict[str, object]", raw).items()
        }
    if kind == Words and isinstance(raw, str):
        raw = [raw]
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as cause:
        problems.append(f"{path}: {str(cause).rstrip('.')}.")
        return None


def _decode_table(raw: dict[str, Any], kind: type[msgspec.Struct], path: str, problems: list[str]) -> Any:
    fields = _fields(kind)
    problems.extend(
        f"{_join(path, name)}: there is no such field; {nearest(name, list(fields))}"
        for name in raw
        if name not in fields
    )
    values = {
        field.name: decode(raw[name], field.type, _join(path, name), problems)
        for name, field in fields.items()
        if name in raw
    }
    missing = [name for name, field in fields.items() if field.required and name not in raw and name != "columns"]
    problems.extend(f"{_join(path, name)}: is required here." for name in missing)
    return None if problems else kind(**values)


def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _parts(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
