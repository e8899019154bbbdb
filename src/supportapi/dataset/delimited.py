"""Delimited text becomes rows: by Polars where every record is as it should be, else record by record first."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import polars as pl

from supportapi.calls.clean import FAULT, ROW, TOO_FEW
from supportapi.dataset.dialect import layout
from supportapi.dataset.encoding import ESCAPED, as_utf8
from supportapi.dataset.raw import Raw
from supportapi.dataset.records import BROKEN_BYTES, BROKEN_QUOTE, TOO_MANY, records
from supportapi.dataset.survey import Survey, survey
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supportapi.calls.mapping import Reading
    from supportapi.dataset.dialect import Layout
    from supportapi.dataset.encoding import Text

_LINE: Final = "__line"
_SURPLUS: Final = 32
"""Fields beyond the headers that Polars may be asked for; of longer records the slow reader keeps the rest as one."""


def read_delimited(path: Path, reading: Reading, scratch: Path) -> Raw:
    """The rows of `path`, all columns text; `FAULT` says which records are not whole."""
    text = as_utf8(path, reading.encoding, scratch)
    found = layout(text.path, reading)
    if not found.names:
        raise RawFileUnreadable(f"{path} has no line with headers.", path=str(path), reason="no_header")
    notes = (*text.notes, *found.notes)
    looked = Survey(regular=False) if _is_slow(text, found) else survey(text.path, found)
    if looked.regular and looked.widest - len(found.names) <= _SURPLUS:
        return msgspec.structs.replace(_scanned(text.path, found, looked), notes=notes)
    raw = _mended(text.path, found, scratch)
    return msgspec.structs.replace(raw, notes=(*notes, *raw.notes))


def _is_slow(text: Text, found: Layout) -> bool:
    dialect = found.dialect
    return (
        text.broken or len(dialect.delimiter.encode()) > 1 or len(dialect.quote.encode()) > 1 or bool(dialect.comment)
    )


def _scanned(path: Path, found: Layout, looked: Survey) -> Raw:
    surplus = [f"column_{number + 1}" for number in range(len(found.names), looked.widest)]
    rows = _scan(path, found, [*found.names, *surplus], skipped=found.begins - 1)
    faults: list[pl.Expr] = []
    if surplus:
        faults.append(pl.when(pl.any_horizontal(pl.col(surplus).is_not_null())).then(pl.lit(TOO_MANY)))
    if looked.short.size:
        short = pl.Series(looked.short, dtype=pl.get_index_type()).implode()
        faults.append(pl.when(pl.col(ROW).is_in(short)).then(pl.lit(TOO_FEW)))
    if faults:
        rows = rows.with_columns(pl.coalesce(faults).alias(FAULT))

    def lines(numbers: pl.Series) -> pl.Series:
        return pl.Series(looked.lines(numbers.to_numpy().astype(np.int64)) + found.begins, dtype=pl.Int64)

    return Raw(rows, lines)


def _scan(path: Path, found: Layout, names: list[str], *, skipped: int) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        glob=False,
        has_header=False,
        skip_lines=skipped,
        schema=dict.fromkeys(names, pl.String),
        separator=found.dialect.delimiter,
        quote_char=found.dialect.quote or None,
        extra_columns="ignore",
        missing_columns="insert",
        row_index_name=ROW,
    )


def _mended(path: Path, found: Layout, scratch: Path) -> Raw:
    """The rows of a copy that is as it should be, with each record's fault and line before its fields."""
    copy = scratch.with_name(f"{scratch.name}.mended")
    faults: Counter[str] = Counter()
    first: dict[str, int] = {}
    with copy.open("w", encoding="utf-8", newline="") as opened:
        written = csv.writer(opened)
        for line, fault, fields in _whole(path, found):
            if fault:
                faults[fault] += 1
                first.setdefault(fault, line)
            written.writerow((fault, line, *fields))
    plain = msgspec.structs.replace(found, dialect=msgspec.structs.replace(found.dialect, delimiter=",", quote='"'))
    surplus = [f"column_{len(found.names) + 1}"] if faults[TOO_MANY] else []
    rows = _scan(copy, plain, [FAULT, _LINE, *found.names, *surplus], skipped=0)

    def lines(numbers: pl.Series) -> pl.Series:
        wanted = numbers.alias(ROW).cast(pl.get_index_type()).to_frame().lazy()
        told = wanted.join(rows.select(ROW, _LINE), on=ROW, how="left", maintain_order="left").collect()
        return told[_LINE].cast(pl.Int64)

    return Raw(rows.drop(_LINE), lines, notes=tuple(_told(faults, first)))


def _whole(path: Path, found: Layout) -> Iterator[tuple[int, str | None, list[str]]]:
    """Line, fault and fields of every record that holds something; what is beyond the headers is one field."""
    width = len(found.names)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as opened:
        for _ in range(found.begins - 1):
            opened.readline()
        for record in records(opened, found.dialect, first=found.begins):
            fields = record.fields
            if record.fault == BROKEN_BYTES:
                fields = [ESCAPED.sub("\ufffd", field) for field in fields]
            if len(fields) > width:
                fields = [*fields[:width], found.dialect.delimiter.join(fields[width:]).rstrip(found.dialect.delimiter)]
            if any(fields):
                yield record.line, record.fault, fields


def _told(faults: Counter[str], first: dict[str, int]) -> Iterator[str]:
    if faults[BROKEN_QUOTE]:
        yield (
            f"rejected for an unbalanced quotation mark: {faults[BROKEN_QUOTE]}, the first on line "
            f'{first[BROKEN_QUOTE]}; if marks are plain text in this file, say read.quote = ""'
        )
    if faults[BROKEN_BYTES]:
        yield f"rejected for bytes that are not UTF-8: {faults[BROKEN_BYTES]}, the first on line {first[BROKEN_BYTES]}"
