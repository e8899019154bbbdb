"""`python -m supportapi.exports.sheet ROWS BOOK`: a Parquet file becomes an Excel workbook of one sheet, row by row.

A program of its own, for a million rows are minutes of Python, which a thread would take from everybody else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from xlsxwriter import Workbook  # pyright: ignore[reportMissingTypeStubs] - it has none

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsxwriter.worksheet import Worksheet  # pyright: ignore[reportMissingTypeStubs] - as above

SLICE_ROWS: Final = 20_000
_OPTIONS: Final = {
    # One row in memory, the others in a temporary file.
    "constant_memory": True,
    # A text stays a text, whatever it begins with.
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    # Excel knows no zones: instants are in UTC.
    "remove_timezone": True,
    "default_date_format": "yyyy-mm-dd hh:mm:ss.000",
}
_POLITENESS: Final = 10


def write_sheet(rows: Path, book: Path) -> None:
    """Write all of `rows` under a header. There are no more of them than a sheet has."""
    with TemporaryDirectory(dir=book.parent) as folder, Workbook(book, {**_OPTIONS, "tmpdir": folder}) as workbook:
        sheet = workbook.add_worksheet("export")
        _fill(sheet, pl.scan_parquet(rows))


def _fill(sheet: Worksheet, rows: pl.LazyFrame) -> None:
    parent, schema = os.getppid(), rows.collect_schema()
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(schema):
        sheet.write_string(0, column, name)
    writers = [_writer(sheet, kind) for kind in schema.dtypes()]
    count = int(rows.select(pl.len()).collect().item())
    for start in range(0, count, SLICE_ROWS):
        if os.getppid() != parent:
            sys.exit("Nobody waits for it any longer.")
        for at, row in enumerate(rows.slice(start, SLICE_ROWS).collect().iter_rows(), start + 1):
            for column, (write, value) in enumerate(zip(writers, row, strict=True)):
                if value is not None:
                    write(at, column, value)


def _writer(sheet: Worksheet, kind: pl.DataType) -> Callable[[int, int, Any], object]:
    if kind.is_numeric():
        return sheet.write_number
    if kind == pl.Boolean:
        return sheet.write_boolean
    return sheet.write_string if kind == pl.String else sheet.write_datetime


if __name__ == "__main__":
    os.nice(_POLITENESS)
    write_sheet(Path(sys.argv[1]), Path(sys.argv[2]))
