"""A table of a workbook becomes rows: one sheet, or a range of its cells."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import polars as pl
from fastexcel import FastExcelError, UnsupportedColumnTypeCombinationError, read_excel

from supportapi.calls.clean import ROW
from supportapi.dataset.dialect import header_notes, header_place, unique_names
from supportapi.dataset.raw import Raw
from supportapi.dataset.unpack import refuse_steep
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

    from fastexcel import ExcelReader

    from supportapi.calls.mapping import Reading

_NO_DATE: Final = datetime(1900, 3, 1)  # noqa: DTZ001 - Excel has no zones
_EXCEL_MIDNIGHT: Final = datetime(1899, 12, 31)  # noqa: DTZ001 - Excel has no zones
_COLUMNS, _ROWS = 1 << 14, 1 << 20
_HEAD_ROWS: Final = 200
_CELLS: Final = re.compile(r"\$?([A-Z]{1,3})\$?(\d*):\$?([A-Z]{1,3})\$?(\d*)", re.IGNORECASE)
_COLUMN: Final = re.compile(r"for column (__UNNAMED__\d+)")
_MOMENT: Final = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$"


class _Table(msgspec.Struct, frozen=True):
    """Where a table stands: columns and rows counted from 0, the last ones exclusive."""

    sheet: str
    left: int = 0
    right: int = _COLUMNS
    top: int = 0
    bottom: int = _ROWS


def read_workbook(path: Path, reading: Reading) -> Raw:
    """The rows of the table; cells with a clock format are lengths of time, errors (`#N/A`) are null."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            refuse_steep(path.stat().st_size, sum(part.file_size for part in archive.infolist()), str(path))
    book = opened(path)
    table = _table(book, path, reading)
    head = _cells(book, table, top=table.top, rows=_HEAD_ROWS, dtypes="string")
    notes = [f"sheet '{table.sheet}' of {', '.join(book.sheet_names)}"] if len(book.sheet_names) > 1 else []
    if reading.header_row == 0:
        names, top = unique_names([""] * head.width), table.top
    else:
        rows = [[cell or "" for cell in row] for row in cast("list[tuple[str | None, ...]]", head.rows())]
        place = 0
        if reading.cells is None and reading.header_row is None:
            place = header_place(rows)
        elif reading.header_row is not None:
            place = reading.header_row - 1 - table.top
        if not 0 <= place < len(rows):
            raise RawFileUnreadable(f"{path} has no row of headers there.", path=str(path), reason="no_header")
        names, top = unique_names(rows[place]), table.top + place + 1
        if reading.header_row is None and reading.cells is None and place:
            notes.append(f"header in row {top}")
        notes += header_notes(names, rows[place])
    frame, mixed = _typed(book, table, top)
    notes += [
        f"column '{names[number]}' holds dates and text; where it is a time, add \"iso\" to its formats"
        for number in mixed
    ]
    rows = frame.rename(dict(zip(frame.columns, names, strict=False))).with_row_index(ROW).lazy()
    return Raw(rows, lambda numbers: numbers.cast(pl.Int64) + top + 1, tuple(notes))


def opened(path: Path) -> ExcelReader:
    """The workbook at `path`. Raises `RawFileUnreadable` when only a password opens it."""
    try:
        return read_excel(path)
    except FastExcelError as cause:
        if "password" not in str(cause):
            raise
        raise RawFileUnreadable(
            f"{path} is protected by a password. Open it, and save it without one.", path=str(path), reason="protected"
        ) from cause


def _table(book: ExcelReader, path: Path, reading: Reading) -> _Table:
    names = book.sheet_names
    asked = 1 if reading.sheet is None else reading.sheet
    if (isinstance(asked, str) and asked not in names) or (isinstance(asked, int) and not 0 < asked <= len(names)):
        raise RawFileUnreadable(
            f"{path} has no sheet {asked!r}; it has {', '.join(names)}.", path=str(path), reason="no_such_sheet"
        )
    sheet = asked if isinstance(asked, str) else names[asked - 1]
    if reading.cells is None:
        return _Table(sheet, top=max((reading.header_row or 1) - 1, 0))
    found = _CELLS.fullmatch(reading.cells.strip())
    if found is None:
        raise RawFileUnreadable(
            f"read.range: '{reading.cells}' is no range of cells; write it as in 'B4:H200' or 'B4:H'.",
            path=str(path), reason="no_range",
        )  # fmt: skip
    left, first, right, last = found.groups()
    return _Table(sheet, _number(left) - 1, _number(right), int(first or 1) - 1, int(last or _ROWS))


def _number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _cells(book: ExcelReader, table: _Table, *, top: int, rows: int = _ROWS, dtypes: Any = None) -> pl.DataFrame:
    """Cells from row `top` on, as text or, without `dtypes`, as what most of a column is."""
    loaded = book.load_sheet(
        table.sheet,
        header_row=None,
        skip_rows=top,
        n_rows=min(max(table.bottom - top, 0), rows),
        use_columns=lambda column: table.left <= column.absolute_index < table.right,
        dtypes=dtypes,
        schema_sample_rows=None,
    )
    return loaded.to_polars()


def _typed(book: ExcelReader, table: _Table, top: int) -> tuple[pl.DataFrame, list[int]]:
    """Cells as what they are; and which columns hold dates and text."""
    texts: dict[str | int, str] = {}
    while True:
        try:
            frame = _cells(book, table, top=top, dtypes=texts)
            break
        except UnsupportedColumnTypeCombinationError as cause:
            found = _COLUMN.search(str(cause))
            if found is None or found[1] in texts:
                raise
            texts[found[1]] = "string"
    moments = [
        name for name, kind in frame.schema.items() if kind == pl.String and frame[name].str.contains(_MOMENT).any()
    ]
    cells = _cells(book, table, top=top, dtypes=dict.fromkeys(moments, "datetime")) if moments else frame
    mended = [
        *(_excel_time(frame[name]) for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)),
        *(_mixed(frame[name], cells[name]) for name in moments),
    ]
    return frame.with_columns(mended), [frame.columns.index(name) for name in moments]


def _excel_time(values: pl.Series) -> pl.Series:
    """Cells with a clock format hold fractions of a day: lengths of time. Cells at midnight throughout hold dates."""
    latest = cast("datetime | None", values.max())
    if latest is not None and latest < _NO_DATE:
        return (values - pl.Series([_EXCEL_MIDNIGHT]).cast(values.dtype)).cast(pl.Duration("us"))
    at_midnight = bool((values.dt.truncate("1d") == values).all())
    return values.cast(pl.Date) if at_midnight else values.cast(pl.Datetime("us"))


def _mixed(texts: pl.Series, cells: pl.Series) -> pl.Series:
    """Text as it is; real dates beside it in ISO 8601 and real lengths of time as `h:mm:ss`."""
    frame = pl.DataFrame({"text": texts, "cell": cells})
    cell = pl.when(pl.col("text").str.contains(_MOMENT)).then(pl.col("cell"))
    seconds = (cell - _EXCEL_MIDNIGHT).dt.total_seconds()
    clock = pl.format(
        "{}:{}:{}", seconds // 3600, *((seconds // step % 60).cast(pl.String).str.zfill(2) for step in (60, 1))
    )
    only_dates = (cell.is_null() | (cell < _NO_DATE) | (cell.dt.truncate("1d") == cell)).all()
    moment = pl.when(only_dates).then(cell.dt.strftime("%Y-%m-%d")).otherwise(cell.dt.strftime("%Y-%m-%d %H:%M:%S%.f"))
    told = pl.when(cell < _NO_DATE).then(clock).otherwise(pl.coalesce(moment, "text"))
    return frame.select(told.alias(texts.name))[texts.name]
