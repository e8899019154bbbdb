"""Look at a raw file before there is a mapping for it: what its reader assumed, and what its columns look like."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import FAULT, ROW
from supportapi.calls.mapping import Reading
from supportapi.calls.suggest.document import Opening, mapping_document, summary
from supportapi.calls.suggest.suggestion import suggest
from supportapi.dataset.readers import read_raw, readable
from supportapi.dataset.sheets import tables_of
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.suggest.finding import Value
    from supportapi.dataset.raw import Raw

SAMPLE_ROWS: Final = 50_000
_FOREIGN_WORDS: Final = re.compile(r"[^\W\d_]*[À-ÿ][^\W\d_]*")
_CYRILLIC_AS_LATIN: Final = re.compile("^[À-ÿ]{3,}$")
_CYRILLIC: Final = "cp1251"
_PROBE: Final = 500


class Look(msgspec.Struct, frozen=True):
    """A commented mapping for a file, and a summary of it for the terminal."""

    document: str
    summary: str


def look(file: Path, mapping: Path | None = None, *, rows_are_calls: bool = False) -> Look:
    """A mapping for `file` as far as looking at up to 50,000 of its rows can tell; `mapping` is where it will lie.

    Raises `NotCalls` when the rows count calls instead of being calls (unless `rows_are_calls`), and
    `RawFileUnreadable`.
    """
    with TemporaryDirectory(prefix="supportapi-look-") as folder:
        reading, raws, remarks = _opened(file, Path(folder) / "look")
        same = _like_the_first(raws)
        with readable(file):
            frame, total = _sample([raw.rows for raw in same])
    if total == 0:
        raise RawFileUnreadable(f"{file} has no rows below its header.", path=str(file), reason="no_rows")
    opening = Opening(
        file=str(file),
        name=file.name.split(".")[0],
        mapping=str(mapping or "MAPPING.toml"),
        rows=total,
        read=_declared(reading),
        remarks=(*remarks, *dict.fromkeys(note for raw in same for note in raw.notes), *_others(raws, same)),
    )
    found = suggest(frame, file.name, rows_are_calls=rows_are_calls)
    return Look(mapping_document(found, opening), summary(found, opening))


def _opened(file: Path, scratch: Path) -> tuple[Reading, list[Raw], tuple[str, ...]]:
    """How the file has to be read, its contents, and what a person should know about that."""
    with readable(file):
        reading, remarks = _table(file)
    try:
        raws = read_raw(file, reading, scratch, name=file.name)
    except RawFileUnreadable as cause:
        places = msgspec.convert(cause.facts.get("places", []), list[str])
        if not places:
            raise
        return _fullest(file, places, scratch)
    if any(note.startswith("read as cp1252") for note in raws[0].notes) and _is_cyrillic(raws[0]):
        reading = msgspec.structs.replace(reading, encoding=_CYRILLIC)
        remarks = ("The text is not UTF-8; its letters stand where the Cyrillic ones of Windows do.",)
        raws = read_raw(file, reading, scratch, name=file.name)
    return reading, raws, remarks


def _table(file: Path) -> tuple[Reading, tuple[str, ...]]:
    """The largest table of a workbook, and which others there are; what is none is read as its reader thinks best."""
    tables = tables_of(file)
    if not tables:
        return Reading(), ()
    chosen = max(tables, key=lambda table: table.size)
    reading = Reading(sheet=chosen.sheet if chosen.number > 1 else None, cells=chosen.cells)
    others = [f'"{table.sheet}"{f" {table.cells}" if table.cells else ""}' for table in tables if table is not chosen]
    return reading, (f"The largest table is read; there are also {', '.join(others)}.",) if others else ()


def _fullest(file: Path, places: Sequence[str], scratch: Path) -> tuple[Reading, list[Raw], tuple[str, ...]]:
    """Of several arrays in a JSON document the one with most records."""
    found = [
        (place, read_raw(file, Reading(records=place), scratch.with_name(f"{scratch.name}-{number}"), name=file.name))
        for number, place in enumerate(places)
    ]
    place, raws = max(found, key=lambda one: sum(int(raw.rows.select(pl.len()).collect().item()) for raw in one[1]))
    others = ", ".join(f'"{other}"' for other in places if other != place)
    return Reading(records=place), raws, (f"The longest list of records is read; there are also {others}.",)


def _is_cyrillic(raw: Raw) -> bool:
    """Whether most words with letters beyond ASCII look like Cyrillic ones that were read as Latin."""
    head = raw.rows.head(_PROBE).collect()
    texts = " ".join([*head.columns, *(str(value) for row in head.select(pl.col(pl.String)).rows() for value in row)])
    foreign = _FOREIGN_WORDS.findall(texts)
    return sum(_CYRILLIC_AS_LATIN.match(word) is not None for word in foreign) * 2 > len(foreign)


def _like_the_first(raws: Sequence[Raw]) -> list[Raw]:
    """The first file of an archive, and the others that have its columns."""
    kinds = [_kinds(raw) for raw in raws]
    return [raw for raw, kind in zip(raws, kinds, strict=True) if kind == kinds[0]]


def _others(raws: Sequence[Raw], same: Sequence[Raw]) -> tuple[str, ...]:
    names = ", ".join(f'"{raw.name}"' for raw in raws if all(raw is not one for one in same))
    return (f"Other columns than the first file have {names}: not looked at.",) if names else ()


def _kinds(raw: Raw) -> dict[str, pl.DataType]:
    return {name: kind for name, kind in raw.rows.collect_schema().items() if name not in {ROW, FAULT}}


def _sample(files: Sequence[pl.LazyFrame]) -> tuple[pl.DataFrame, int]:
    """The beginning, middle and end of the rows of `files`, and how many rows there are; broken lines are left out."""
    whole = [
        (rows.filter(pl.col(FAULT).is_null()) if FAULT in rows.collect_schema() else rows).drop(
            ROW, FAULT, strict=False
        )
        for rows in files
    ]
    rows = pl.concat(whole)
    total = int(rows.select(pl.len()).collect(engine="streaming").item())
    if total <= SAMPLE_ROWS:
        return rows.collect(engine="streaming"), total
    part = SAMPLE_ROWS // 3
    parts = [rows.slice(offset, part) for offset in (0, (total - part) // 2, total - part)]
    return pl.concat(parts).collect(engine="streaming"), total


def _declared(reading: Reading) -> dict[str, Value]:
    """What a mapping has to say of how the file is read: all that is not the default."""
    default = Reading()
    return {
        field.encode_name: getattr(reading, field.name)
        for field in msgspec.structs.fields(reading)
        if getattr(reading, field.name) != getattr(default, field.name)
    }
