"""Packed files, as the plain files that they hold."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

import msgspec

from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from io import BufferedIOBase

_CHUNK: Final = 1 << 20
_ZIP_MAGIC: Final = b"PK\x03\x04"
_STREAMS: Final = {
    b"\x1f\x8b": (".gz", gzip.GzipFile), b"BZh": (".bz2", bz2.BZ2File), b"\xfd7zXZ\x00": (".xz", lzma.LZMAFile),
}  # fmt: skip
_FOREIGN: Final = {
    b"\x28\xb5\x2f\xfd": "a zstd file", b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!": "a rar archive",
}  # fmt: skip
_TAR_AT, _TAR_MAGIC = 257, b"ustar"
_HEAD: Final = 512
_WORKBOOK_PARTS: Final = ("[Content_Types].xml", "mimetype", "xl/workbook.bin")
_DATA: Final = (
    ".csv", ".tsv", ".tab", ".psv", ".txt", ".dat", ".log", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".json",
    ".ndjson", ".jsonl", ".parquet", ".pq", ".arrow", ".feather", ".ipc", ".gz", ".bz2", ".xz", ".zip", "",
)  # fmt: skip
_TALK: Final = ("readme", "license", "licence", "copying", "changelog", "notice")
_LARGE_BYTES: Final = 1 << 28
_STEEPEST: Final = 250
"""No export shrinks so much: what unpacks to more than so many times its size, and is large, is a trap or a mistake."""
_DEEPEST: Final = 3


class Plain(msgspec.Struct, frozen=True):
    """A file that is not packed; `name` begins with the names of the archives that it came from."""

    path: Path
    name: str
    notes: tuple[str, ...] = ()


def unpacked(path: Path, scratch: Path, name: str | None = None) -> list[Plain]:
    """The plain files that `path` holds, by name; `path` itself when it is not packed (workbooks are not).

    Raises `RawFileUnreadable` for an archive that holds no data, is encrypted, or is of a kind that is not unpacked
    here.
    """
    return _unpacked(path, scratch, name or path.name, 0)


def _unpacked(path: Path, scratch: Path, name: str, depth: int) -> list[Plain]:
    with path.open("rb") as opened:
        head = opened.read(_HEAD)
    _refuse_foreign(path, head)
    stream = next((found for magic, found in _STREAMS.items() if head.startswith(magic)), None)
    packed = stream is not None or (head.startswith(_ZIP_MAGIC) and not is_workbook(path))
    if packed and depth == _DEEPEST:
        raise RawFileUnreadable(f"{name} is an archive within archives.", path=str(path), reason="nested_archives")
    if stream is not None:
        suffix, opener = stream
        plain = scratch.with_name(f"{scratch.name}.plain{depth}")
        with opener(path) as unpacking:
            _copy(unpacking, plain, path.stat().st_size, name)
        return _unpacked(plain, scratch, name.removesuffix(suffix), depth + 1)
    return _members(path, scratch, name, depth) if packed else [Plain(path, name)]


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is a workbook of Excel or LibreOffice."""
    with zipfile.ZipFile(path) as archive:
        return any(part in archive.namelist() for part in _WORKBOOK_PARTS)


def refuse_steep(packed: int, plain: int, name: str) -> None:
    """Raise `RawFileUnreadable` when `plain` bytes are more than `packed` ones can honestly hold."""
    if plain > _LARGE_BYTES and plain > packed * _STEEPEST:
        raise RawFileUnreadable(
            f"{name} unpacks to more than {_STEEPEST} times its size, which no export does. If it is right, unpack it"
            " yourself.",
            path=name, reason="unpacks_too_large",
        )  # fmt: skip


def _members(path: Path, scratch: Path, name: str, depth: int) -> list[Plain]:
    with zipfile.ZipFile(path) as archive:
        files = [part for part in archive.infolist() if not part.is_dir() and not _is_hidden(part.filename)]
        data = sorted((part for part in files if _is_data(part.filename)), key=lambda part: part.filename)
        data = data or (files if len(files) == 1 else [])
        if not data:
            raise RawFileUnreadable(
                f"{path} holds no data: {', '.join(part.filename for part in files) or 'nothing at all'}.",
                path=str(path), reason="no_data_in_archive",
            )  # fmt: skip
        skipped = [part.filename for part in files if part not in data]
        notes = (f"not read, for they look like no data: {', '.join(skipped)}",) if skipped else ()
        plains: list[Plain] = []
        for number, part in enumerate(data):
            if part.flag_bits & 1:
                raise RawFileUnreadable(
                    f"{part.filename} in {path} is encrypted. Unpack it with its password first.",
                    path=str(path), reason="encrypted",
                )  # fmt: skip
            inner = scratch.with_name(f"{scratch.name}.{number}")
            plain = inner.with_name(f"{inner.name}.member{depth}")
            with archive.open(part) as unpacking:
                _copy(unpacking, plain, part.compress_size, f"{name}/{part.filename}")
            if plain.stat().st_size or len(data) == 1:
                plains += _unpacked(plain, inner, f"{name}/{part.filename}", depth + 1)
            else:
                notes = (*notes, f"{part.filename} is empty")
    plains[0] = msgspec.structs.replace(plains[0], notes=(*notes, *plains[0].notes))
    return plains


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in _DATA and path.stem.lower() not in _TALK


def _copy(unpacking: IO[bytes] | BufferedIOBase, plain: Path, packed: int, name: str) -> None:
    size = 0
    with plain.open("wb") as written:
        while chunk := unpacking.read(_CHUNK):
            size += len(chunk)
            refuse_steep(packed, size, name)
            written.write(chunk)


def _refuse_foreign(path: Path, head: bytes) -> None:
    kind = next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), None)
    if head[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        kind = "a tar archive"
    if kind is not None:
        raise RawFileUnreadable(
            f"{path} is {kind}, which is not unpacked here. Unpack it, or pack it as zip or gzip.",
            path=str(path), reason="foreign_archive",
        )  # fmt: skip
