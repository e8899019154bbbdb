"""Rows of the raw files that somebody may want to look at again: file, line, and what stood there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import ROW, Cleaned
from supportapi.calls.text import text_of
from supportapi.dataset.duplicates import INDEX
from supportapi.dataset.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE: Final = "__file"
LINE: Final = "__line"


class Part(msgspec.Struct, frozen=True):
    """One file: its raw rows, and its cleaned ones in the scratch file `path` (with `FILE`, its number)."""

    raw: Raw
    cleaned: Cleaned
    path: Path

    def located(self, rows: pl.DataFrame) -> pl.LazyFrame:
        """Of `rows` (`ROW` and any others) also `LINE` and the source columns that the mapping names; in file order."""
        lines = rows.select(pl.col(ROW).unique())
        found = rows.join(lines.with_columns(self.raw.lines(lines[ROW]).alias(LINE)), on=ROW)
        named = self.raw.rows.select(ROW, *self.cleaned.named).filter(pl.col(ROW).is_in(lines[ROW].implode()))
        named = named.head(lines.height)  # so that reading ends with the last of them
        return named.join(found.lazy(), on=ROW, how="inner", maintain_order="left")

    def original(self, columns: Sequence[str]) -> pl.Expr:
        """The source `columns` of a row as a JSON object."""
        kinds = self.raw.rows.collect_schema()
        values = [
            pl.col(name) if _known_to_json(kinds[name]) else text_of(name, kinds[name], ()).alias(name)
            for name in columns
        ]
        return pl.struct(values).struct.json_encode() if values else pl.lit("{}")


def _known_to_json(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.String | pl.Boolean) or kind.is_integer() or kind.is_float() or kind.is_nested()


def rows_of(parts: Sequence[Part]) -> pl.LazyFrame:
    """The cleaned rows of all files in order, numbered by `INDEX`."""
    return pl.scan_parquet([part.path for part in parts], glob=False).with_row_index(INDEX)
