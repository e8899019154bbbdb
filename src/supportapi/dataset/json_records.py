"""JSON becomes rows: an array of records, an object that wraps one, or a record a line."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final, cast

import msgspec
import numpy as np
import polars as pl

from supportapi.calls.clean import FAULT, ROW
from supportapi.dataset.encoding import as_utf8
from supportapi.dataset.raw import Raw, flat, numbered
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from supportapi.calls.mapping import Reading

UNREADABLE: Final = "line_unreadable"
_DEEPEST: Final = 6
_ONE_LINE: Final = -1


def read_array(path: Path, reading: Reading, scratch: Path) -> Raw:
    """The records of an array: the whole document, or the one at `reading.records`, or the only one inside."""
    text = as_utf8(path, reading.encoding, scratch)
    document = msgspec.Raw(text.path.read_bytes().removeprefix(codecs.BOM_UTF8))
    place = reading.records
    if place is None and not _is_array(document):
        places = list(_arrays(document, ""))
        if len(places) != 1:
            told = f"holds {', '.join(places)}: say which" if places else "holds no array of records: say where it is"
            raise RawFileUnreadable(
                f'{path} {told}, as in read.records = "data.items".', path=str(path), reason="no_records", places=places
            )
        place = places[0]
    found = _at(document, place, path)
    items = msgspec.json.decode(found, type=list[msgspec.Raw])
    notes = (*text.notes, *((f"records found at '{place}'",) if place and reading.records is None else ()))
    raw = _copied(enumerate((bytes(item) for item in items), start=1), scratch)
    return msgspec.structs.replace(raw, notes=(*notes, *raw.notes))


def read_lines(path: Path, reading: Reading, scratch: Path) -> Raw:
    """The records of a file with one on each line; a line that is none is a row with a `FAULT`."""
    text = as_utf8(path, reading.encoding, scratch)
    try:
        raw = numbered(flat(_scanned(text.path)), 1)
    except pl.exceptions.PolarsError:
        raw = _copied(_lines(text.path), scratch)
    return msgspec.structs.replace(raw, notes=(*text.notes, *raw.notes))


def wraps_records(document: bytes) -> bool:
    """Whether this is one whole JSON object with an array of records inside, and not a record."""
    try:
        return next(_arrays(msgspec.Raw(document), ""), None) is not None
    except msgspec.DecodeError:
        return False


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as opened:
        for number, line in enumerate(opened, start=1):
            if line.strip():
                yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line


def _copied(records: Iterable[tuple[int, bytes]], scratch: Path) -> Raw:
    """The rows of a copy with one record a line; what is no record keeps its text, and a `FAULT`."""
    copy = scratch.with_name(f"{scratch.name}.ndjson")
    lines: list[int] = []
    broken: list[int] = []
    record = msgspec.json.Decoder(dict[str, msgspec.Raw])
    with copy.open("wb") as written:
        for line, text in records:
            try:
                record.decode(text)
                written.write(msgspec.json.format(text, indent=_ONE_LINE))
            except (msgspec.DecodeError, UnicodeDecodeError):
                broken.append(len(lines))
                written.write(msgspec.json.encode({FAULT: UNREADABLE, "line": text.decode(errors="replace").strip()}))
            written.write(b"\n")
            lines.append(line)
    if not lines:
        raise RawFileUnreadable(f"{copy.name} has no records.", reason="no_rows")
    places = np.asarray(lines, dtype=np.int64)
    rows = flat(_scanned(copy)).with_row_index(ROW)
    notes = ()
    if broken:
        notes = (f"rejected for being no JSON object: {len(broken)}, the first on line {places[broken[0]]}",)
    return Raw(rows, lambda numbers: pl.Series(places[numbers.to_numpy()], dtype=pl.Int64), notes)


def _scanned(path: Path) -> pl.LazyFrame:
    """The records, typed by all of them; a field that holds records in some and something else in others is text."""
    rows = pl.scan_ndjson(path, infer_schema_length=None)
    kinds = rows.collect_schema()
    unlike = [name for name, kind in kinds.items() if kind.is_nested() and not _holds(rows, name)]
    if not unlike:
        return rows
    texts = pl.scan_ndjson(path, infer_schema_length=None, schema_overrides=dict.fromkeys(unlike, pl.String))
    return texts.with_columns(
        pl.col(name).str.json_path_match(f"$.{leaf}").alias(f"{name}.{leaf}")
        for name in unlike
        for leaf in _leaves(kinds[name])
    )


def _holds(rows: pl.LazyFrame, name: str) -> bool:
    """Whether what was told from the records fits them: Polars takes the richest kind that it saw."""
    try:
        rows.select(pl.col(name).count()).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return False
    return True


def _leaves(kind: pl.DataType) -> Iterator[str]:
    for field in kind.fields if isinstance(kind, pl.Struct) else []:
        inner = [f"{field.name}.{leaf}" for leaf in _leaves(cast("pl.DataType", field.dtype))]
        yield from inner or [field.name]


def _is_array(document: msgspec.Raw) -> bool:
    return bytes(document).lstrip().startswith(b"[")


def _arrays(document: msgspec.Raw, place: str, depth: int = 0) -> Iterator[str]:
    """Where in a document arrays of objects stand."""
    if depth == _DEEPEST:
        return
    for key, value in msgspec.json.decode(document, type=dict[str, msgspec.Raw]).items():
        inner = f"{place}.{key}" if place else key
        text = bytes(value)
        if text.startswith(b"[") and text[1:].lstrip().startswith(b"{"):
            yield inner
        elif text.startswith(b"{"):
            yield from _arrays(value, inner, depth + 1)


def _at(document: msgspec.Raw, place: str | None, path: Path) -> msgspec.Raw:
    for key in place.split(".") if place else []:
        try:
            document = msgspec.json.decode(document, type=dict[str, msgspec.Raw])[key]
        except (KeyError, msgspec.ValidationError) as cause:
            raise RawFileUnreadable(
                f"{path} has nothing at read.records = '{place}': there is no '{key}'.",
                path=str(path), reason="no_records",
            ) from cause  # fmt: skip
    if not _is_array(document):
        raise RawFileUnreadable(
            f"{path}: what stands at '{place}' is no array of records.", path=str(path), reason="no_records"
        )
    return document
