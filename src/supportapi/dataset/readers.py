"""Raw files of any kind become frames, rows in the file's order, with what is needed to name a row's line later."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

import msgspec
import polars as pl
from fastexcel import FastExcelError, read_excel

from supportapi.calls.clean import ROW
from supportapi.dataset.files import DISK_REFUSALS
from supportapi.dataset.unpack import as_utf8, unpacked
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from supportapi.calls.mapping import Reading

_DELIMITERS: Final = (",", "\t", ";", "|")
_SNIFF_BYTES: Final = 1 << 18
_SNIFF_RECORDS: Final = 200
_SUFFIXES: Final = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel", ".xlsb": "excel",
    ".ods": "excel", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet",
}  # fmt: skip
_UNREADABLE: Final = (
    OSError, EOFError, UnicodeError, pl.exceptions.PolarsError, zipfile.BadZipFile, zlib.error, csv.Error,
    FastExcelError,
)  # fmt: skip
_PARQUET_MAGIC: Final = b"PAR1"
_NO_DATE: Final = datetime(1900, 3, 1)  # noqa: DTZ001 - Excel has no zones
_EXCEL_MIDNIGHT: Final = datetime(1899, 12, 31)  # noqa: DTZ001 - Excel has no zones


class Raw(msgspec.Struct, frozen=True):
    """`rows`: the file's columns as they are, and `ROW`; rows without any value are left out.

    `lines` gives, for row numbers, the lines on which those rows begin (or their place in a file without lines).
    """

    rows: pl.LazyFrame
    lines: Callable[[pl.Series], pl.Series]


def read_raw(path: Path, reading: Reading, scratch: Path) -> Raw:
    """The rows of `path`; unpacked text is kept in files that begin with `scratch`, for the caller to remove.

    Raises `RawFileUnreadable` when the file is missing, empty, or not of its format.
    """
    with readable(path):
        if path.stat().st_size == 0:
            raise RawFileUnreadable(f"{path} is empty.", path=str(path), reason="empty")
        plain, inner = unpacked(path, scratch)
        kind = reading.format or _kind(plain, inner)
        raw = _READERS[kind](plain, reading, scratch)
        names = [name for name in raw.rows.collect_schema().names() if name != ROW]
    return msgspec.structs.replace(raw, rows=raw.rows.filter(~pl.all_horizontal(_blank(raw.rows, names))))


@contextmanager
def readable(path: Path) -> Generator[None]:
    """Turn what readers raise about `path` into `RawFileUnreadable`; a full disk is another matter, and passes."""
    try:
        yield
    except _UNREADABLE as cause:
        if isinstance(cause, OSError) and cause.errno in DISK_REFUSALS:
            raise
        reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        hint = ""
        if "utf-8" in reason.lower():
            hint = ' It is not UTF-8: say read.encoding, as in encoding = "cp1252".'
        elif "more fields than defined" in str(cause):
            hint = " A line has more fields than the header: is read.delimiter or read.quote another one?"
        raise RawFileUnreadable(f"{path} cannot be read: {reason}.{hint}", path=str(path), reason=reason) from cause


def _kind(path: Path, inner: str) -> str:
    with path.open("rb") as opened:
        head = opened.read(4096).lstrip(b"\xef\xbb\xbf").lstrip()
    if head.startswith(_PARQUET_MAGIC):
        return "parquet"
    suffix = next((found for ending, found in _SUFFIXES.items() if inner.lower().endswith(ending)), None)
    if suffix is None or suffix in {"json", "ndjson"}:
        if head.startswith(b"["):
            return "json"
        if head.startswith(b"{"):
            return "ndjson"
    return suffix or "csv"


def _csv(path: Path, reading: Reading, scratch: Path) -> Raw:
    text = as_utf8(path, reading.encoding, scratch)
    delimiter = reading.delimiter or _delimiter(text, reading)
    rows = pl.scan_csv(
        text,
        separator=delimiter,
        quote_char=reading.quote or None,
        infer_schema=False,
        skip_lines=reading.header_row - 1,
        row_index_name=ROW,
    )

    def lines(numbers: pl.Series) -> pl.Series:
        return _csv_lines(text, delimiter, reading, numbers)

    return Raw(rows, lines)


def _delimiter(path: Path, reading: Reading) -> str:
    """The delimiter that splits the first records most evenly into most fields."""
    with path.open("rb") as opened:
        head = opened.read(_SNIFF_BYTES).decode("utf-8-sig", errors="replace")
    scores: dict[str, tuple[float, int]] = {}
    for delimiter in _DELIMITERS:
        records = [
            len(record)
            for record, _ in zip(
                csv.reader(io.StringIO(head), delimiter=delimiter), range(_SNIFF_RECORDS), strict=False
            )
            if record
        ][reading.header_row - 1 : -1 if len(head) >= _SNIFF_BYTES else None]
        width = records[0] if records else 1
        even = sum(length == width for length in records) / max(len(records), 1)
        scores[delimiter] = (even if width > 1 else 0.0, width)
    return max(scores, key=lambda delimiter: scores[delimiter])


def _csv_lines(path: Path, delimiter: str, reading: Reading, numbers: pl.Series) -> pl.Series:
    """Where records begin. Counting records is enough unless a quoted value holds a line break."""
    if not reading.quote or not _has_byte(path, reading.quote.encode()):
        return numbers.cast(pl.Int64) + reading.header_row + 1
    wanted = set(numbers.to_list())
    found: dict[int, int] = {}
    with path.open(encoding="utf-8-sig", newline="") as opened:
        for _ in range(reading.header_row - 1):
            opened.readline()
        records = csv.reader(opened, delimiter=delimiter, quotechar=reading.quote)
        next(records, None)
        begins = records.line_num + reading.header_row
        for number, _ in enumerate(records):
            if number in wanted:
                found[number] = begins
            begins = records.line_num + reading.header_row
    return numbers.cast(pl.Int64).replace_strict(found, default=None, return_dtype=pl.Int64)


def _has_byte(path: Path, byte: bytes) -> bool:
    with path.open("rb") as opened:
        return any(byte in chunk for chunk in iter(lambda: opened.read(1 << 20), b""))


def _excel(path: Path, reading: Reading, _scratch: Path) -> Raw:
    sheet = (reading.sheet or 1) - 1 if not isinstance(reading.sheet, str) else reading.sheet
    loaded = read_excel(path).load_sheet(sheet, header_row=reading.header_row - 1, schema_sample_rows=None)
    frame = loaded.to_polars()
    times = [_excel_time(frame[name]) for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return _numbered(frame.with_columns(times).lazy(), reading.header_row + 1)


def _excel_time(values: pl.Series) -> pl.Series:
    """Cells with a clock format hold fractions of a day: lengths of time. Cells at midnight throughout hold dates."""
    latest = cast("datetime | None", values.max())
    if latest is not None and latest < _NO_DATE:
        return (values - pl.Series([_EXCEL_MIDNIGHT]).cast(values.dtype)).cast(pl.Duration("us"))
    at_midnight = bool((values.dt.truncate("1d") == values).all())
    return values.cast(pl.Date) if at_midnight else values.cast(pl.Datetime("us"))


def _json(path: Path, _reading: Reading, _scratch: Path) -> Raw:
    return _numbered(_flat(pl.read_json(path, infer_schema_length=None).lazy()), 1)


def _ndjson(path: Path, _reading: Reading, _scratch: Path) -> Raw:
    return _numbered(_flat(pl.scan_ndjson(path, infer_schema_length=None)), 1)


def _parquet(path: Path, _reading: Reading, _scratch: Path) -> Raw:
    return _numbered(_flat(pl.scan_parquet(path, glob=False)), 1)


def _flat(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Fields of nested records as columns with dotted names."""
    while structs := [name for name, kind in rows.collect_schema().items() if isinstance(kind, pl.Struct)]:
        rows = rows.with_columns(pl.col(name).name.prefix_fields(f"{name}.") for name in structs).unnest(structs)
    return rows


def _numbered(rows: pl.LazyFrame, first_line: int) -> Raw:
    return Raw(rows.with_row_index(ROW), lambda numbers: numbers.cast(pl.Int64) + first_line)


def _blank(rows: pl.LazyFrame, names: list[str]) -> list[pl.Expr]:
    kinds = rows.collect_schema()
    return [
        (pl.col(name) == "").fill_null(value=True) if kinds[name] == pl.String else pl.col(name).is_null()
        for name in names
    ]


_READERS: Final = {"csv": _csv, "excel": _excel, "json": _json, "ndjson": _ndjson, "parquet": _parquet}
