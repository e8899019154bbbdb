"""Raw files of any kind become frames, rows in the file's order, with what is needed to name a row's line later."""

from __future__ import annotations

import csv
import lzma
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl
from fastexcel import FastExcelError

from supportapi.calls.clean import FAULT, ROW
from supportapi.dataset.delimited import read_delimited
from supportapi.dataset.files import DISK_REFUSALS
from supportapi.dataset.json_records import read_array, read_lines, wraps_records
from supportapi.dataset.raw import Raw, flat, numbered
from supportapi.dataset.unpack import unpacked
from supportapi.dataset.workbook import read_workbook
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from supportapi.calls.mapping import Reading

_SUFFIXES: Final = {
    ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel", ".xlsb": "excel", ".ods": "excel",
    ".csv": "csv", ".tsv": "csv", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson",
}  # fmt: skip
_UNREADABLE: Final = (
    OSError, EOFError, UnicodeError, pl.exceptions.PolarsError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
    csv.Error, FastExcelError, msgspec.DecodeError,
)  # fmt: skip
_MAGICS: Final = {
    b"PAR1": "parquet", b"ARROW1": "arrow", b"PK\x03\x04": "excel", b"\xd0\xcf\x11\xe0": "excel",
}  # fmt: skip
_HEAD: Final = 1 << 16


def read_raw(path: Path, reading: Reading, scratch: Path, *, name: str | None = None) -> list[Raw]:
    """The rows of `path`, or of each file that the archive `path` holds; `name` is what to call it.

    Unpacked and mended text is kept in files that begin with `scratch`, for the caller to remove. Raises
    `RawFileUnreadable` when the file is missing, empty, or not of its format.
    """
    with readable(path):
        if path.stat().st_size == 0:
            raise RawFileUnreadable(f"{path} is empty.", path=str(path), reason="empty")
        raws: list[Raw] = []
        for number, plain in enumerate(unpacked(path, scratch, name)):
            raw = _read(plain.path, plain.name, reading, scratch.with_name(f"{scratch.name}.{number}"))
            raws.append(msgspec.structs.replace(raw, name=plain.name, notes=(*plain.notes, *raw.notes)))
    return raws


@contextmanager
def readable(path: Path) -> Generator[None]:
    """Turn what readers raise about `path` into `RawFileUnreadable`; a full disk is another matter, and passes."""
    try:
        yield
    except _UNREADABLE as cause:
        if isinstance(cause, OSError) and cause.errno in DISK_REFUSALS:
            raise
        reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        raise RawFileUnreadable(f"{path} cannot be read: {reason}.", path=str(path), reason=reason) from cause


def _read(path: Path, name: str, reading: Reading, scratch: Path) -> Raw:
    kind = reading.format or _kind(path, name, reading)
    match kind:
        case "excel":
            raw = read_workbook(path, reading)
        case "json":
            raw = read_array(path, reading, scratch)
        case "ndjson":
            raw = read_lines(path, reading, scratch)
        case "parquet":
            raw = numbered(flat(pl.scan_parquet(path, glob=False)), 1)
        case "arrow":
            raw = numbered(flat(pl.scan_ipc(path)), 1)
        case _:
            raw = read_delimited(path, reading, scratch)
    names = [name for name in raw.rows.collect_schema().names() if name not in {ROW, FAULT}]
    about = _about(path) if kind in {"csv", "ndjson"} else 0
    return msgspec.structs.replace(raw, rows=raw.rows.filter(~pl.all_horizontal(_blank(raw.rows, names))), about=about)


def _about(path: Path) -> int:
    """The lines of a text, if the others are as long as the first ones."""
    with path.open("rb") as opened:
        head = opened.read(_HEAD)
    return head.count(b"\n") * path.stat().st_size // max(len(head), 1)


def _kind(path: Path, name: str, reading: Reading) -> str:
    """What a file holds: by its first bytes, which do not lie, then by its name."""
    with path.open("rb") as opened:
        raw = opened.read(_HEAD)
    for magic, kind in _MAGICS.items():
        if raw.startswith(magic):
            return kind
    head = raw.lstrip(b"\xef\xbb\xbf\xff\xfe\x00").lstrip()
    suffix = next((kind for ending, kind in _SUFFIXES.items() if name.lower().endswith(ending)), None)
    if suffix == "excel" and head.startswith(b"<"):
        raise RawFileUnreadable(
            f"{name} is a web page that is only named as a workbook. Open it, and save it as .xlsx or CSV.",
            path=str(path), reason="not_a_workbook",
        )  # fmt: skip
    if suffix not in {"excel", "csv"} and head.startswith((b"[", b"{")):
        return _kind_of_json(path, head, reading)
    return "csv" if suffix is None or suffix == "excel" else suffix


def _kind_of_json(path: Path, head: bytes, reading: Reading) -> str:
    if head.startswith(b"[") or reading.records is not None:
        return "json"
    try:
        msgspec.json.decode(head.splitlines()[0])
    except (msgspec.DecodeError, UnicodeError):
        return "json" if wraps_records(path.read_bytes().lstrip(b"\xef\xbb\xbf")) else "ndjson"
    alone = len(head) < _HEAD and len(head.split()) > 0 and b"\n" not in head.strip()
    return "json" if alone and wraps_records(head) else "ndjson"


def _blank(rows: pl.LazyFrame, names: Iterable[str]) -> list[pl.Expr]:
    kinds = rows.collect_schema()
    return [
        (pl.col(name) == "").fill_null(value=True) if kinds[name] == pl.String else pl.col(name).is_null()
        for name in names
    ]
