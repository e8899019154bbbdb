"""Documents that people write become structs: every problem is told at once, with the nearest known name."""

from __future__ import annotations

from difflib import get_close_matches
from types import UnionType
from typing import Any, Final, Union, cast, get_args, get_origin

import msgspec

Words = tuple[str, ...]
"""One word or a list of them."""

_SHORT: Final = "from"


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of such a document."""


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean ...?` or a list of what is known, for the end of a message."""
    close = get_close_matches(name.lower(), [word.lower() for word in known], n=1, cutoff=0.6)
    if close:
        return f"did you mean '{next(word for word in known if word.lower() == close[0])}'?"
    return f"known are {', '.join(known)}."


def decode(raw: object, kind: Any, path: str, problems: list[str]) -> Any:
    """`raw` as the declared `kind`; what does not fit is told in `problems` and left out."""
    structs = [part for part in _parts(kind) if isinstance(part, type) and issubclass(part, msgspec.Struct)]
    # region = "state" is short for region = {from = "state"}, unless a plain word means something else there.
    if structs and isinstance(raw, str | list) and _SHORT in _fields(structs[0]) and str not in _parts(kind):
        raw = {_SHORT: cast("object", raw)}
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
    tables = _tables(kind)
    if tables and isinstance(raw, list):
        return _decode_list(cast("list[Any]", raw), tables, path, problems)
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


def _decode_list(raw: list[Any], kinds: tuple[Any, ...], path: str, problems: list[str]) -> Any:
    """Tables in a row: any number of one kind (`tuple[Kind, ...]`), or exactly one of each."""
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(raw)
    if len(raw) != len(kinds):
        problems.append(f"{path}: write {len(kinds)} of them.")
        return None
    pairs = enumerate(zip(raw, kinds, strict=True), start=1)
    return tuple(decode(part, kind, f"{path}.{number}", problems) for number, (part, kind) in pairs)


def _tables(kind: Any) -> tuple[Any, ...]:
    """The kinds of tables in a tuple of them; empty for anything else."""
    for part in _parts(kind):
        inner = get_args(part) if get_origin(part) is tuple else ()
        if inner and isinstance(inner[0], type) and issubclass(inner[0], msgspec.Struct):
            return inner
    return ()


def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _parts(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
