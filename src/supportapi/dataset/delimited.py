"""Delimited text becomes rows: by Polars where every record is as it should be, else record by record first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import polars as pl

from supportapi.calls.clean import FAULT, ROW, TOO_FEW
from supportapi.dataset.dialect import layout
from supportapi.dataset.encoding import as_utf8
from supportapi.dataset.mended import mend
from supportapi.dataset.raw import Raw
from supportapi.dataset.records import BROKEN_BYTES, BROKEN_QUOTE, TOO_MANY
from supportapi.dataset.survey import Survey, survey
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supportapi.calls.mapping import Reading
    from supportapi.dataset.dialect import Layout
    from supportapi.dataset.encoding import Text
    from supportapi.dataset.mended import Mended
    from supportapi.dataset.records import Dialect
    from supportapi.dataset.survey import Places

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
    rows = _scan(path, found.dialect, [*found.names, *surplus], skipped=found.begins - 1)
    faults: list[pl.Expr] = []
    if surplus:
        faults.append(pl.when(pl.any_horizontal(pl.col(surplus).is_not_null())).then(pl.lit(TOO_MANY)))
    if looked.short.size:
        faults.append(_at(looked.short, TOO_FEW))
    if faults:
        rows = rows.with_columns(pl.coalesce(faults).alias(FAULT))

    def lines(numbers: pl.Series) -> pl.Series:
        return pl.Series(looked.lines(numbers.to_numpy().astype(np.int64)) + found.begins, dtype=pl.Int64)

    return Raw(rows, lines)


def _scan(path: Path, dialect: Dialect, names: list[str], *, skipped: int) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        glob=False,
        has_header=False,
        skip_lines=skipped,
        schema=dict.fromkeys(names, pl.String),
        separator=dialect.delimiter,
        quote_char=dialect.quote or None,
        extra_columns="ignore",
        missing_columns="insert",
        row_index_name=ROW,
    )


def _mended(path: Path, found: Layout, scratch: Path) -> Raw:
    copy = scratch.with_name(f"{scratch.name}.mended")
    made = mend(path, found, copy)
    surplus = [f"column_{len(found.names) + 1}"] if TOO_MANY in made.faults else []
    rows = _scan(copy, made.dialect, [*found.names, *surplus], skipped=0)
    faults = [_at(numbers, fault) for fault, numbers in made.faults.items()]
    return Raw(
        rows.with_columns(pl.coalesce(faults).alias(FAULT)) if faults else rows,
        lambda numbers: pl.Series(made.lines_of(numbers.to_numpy().astype(np.int64)), dtype=pl.Int64),
        notes=tuple(_told(made)),
    )


def _at(numbers: Places, fault: str) -> pl.Expr:
    """`fault` for the rows with these numbers."""
    return pl.when(pl.col(ROW).is_in(pl.Series(numbers, dtype=pl.get_index_type()).implode())).then(pl.lit(fault))


def _told(made: Mended) -> Iterator[str]:
    counts = {fault: numbers.size for fault, numbers in made.faults.items()}
    if BROKEN_QUOTE in counts:
        yield (
            f"rejected for an unbalanced quotation mark: {counts[BROKEN_QUOTE]}, the first on line "
            f'{made.first_line(BROKEN_QUOTE)}; if marks are plain text in this file, say read.quote = ""'
        )
    if BROKEN_BYTES in counts:
        yield (
            f"rejected for bytes that are not UTF-8: {counts[BROKEN_BYTES]}, the first on line "
            f"{made.first_line(BROKEN_BYTES)}"
        )
