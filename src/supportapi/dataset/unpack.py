"""Packed and foreign text, as plain files in UTF-8."""

from __future__ import annotations

import codecs
import gzip
import shutil
import zipfile
from typing import TYPE_CHECKING, Final

from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK: Final = 1 << 20
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".ods")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def unpacked(path: Path, scratch: Path) -> tuple[Path, str]:
    """A plain file with what `path` holds, and the name it has inside; `path` itself when it is not packed.

    Workbooks are zip archives too, and are left alone. Raises `RawFileUnreadable` for an archive of none or several.
    """
    with path.open("rb") as opened:
        head = opened.read(4)
    plain = scratch.with_name(f"{scratch.name}.plain")
    if head.startswith(_GZIP_MAGIC):
        with gzip.open(path, "rb") as packed, plain.open("wb") as written:
            shutil.copyfileobj(packed, written, _CHUNK)
        return plain, path.name.removesuffix(".gz")
    if head != _ZIP_MAGIC or path.suffix.lower() in _WORKBOOKS:
        return path, path.name
    with zipfile.ZipFile(path) as archive:
        names = [
            name for name in archive.namelist() if not name.endswith("/") and not name.startswith(("__MACOSX", "."))
        ]
        if len(names) != 1:
            raise RawFileUnreadable(
                f"{path} holds {len(names)} files; pack one, or unpack it and name the files.",
                path=str(path),
                reason="not_one_file",
            )
        with archive.open(names[0]) as packed, plain.open("wb") as written:
            shutil.copyfileobj(packed, written, _CHUNK)
    return plain, names[0]


def as_utf8(path: Path, encoding: str | None, scratch: Path) -> Path:
    """A file with the text of `path` in UTF-8; `path` itself when it is UTF-8 already, with or without a BOM.

    Without `encoding`, UTF-16 is told by its BOM and everything else is taken as UTF-8.
    """
    with path.open("rb") as opened:
        head = opened.read(2)
    if encoding is None:
        encoding = "utf-16" if head in _UTF16 else "utf-8"
    try:
        known = codecs.lookup(encoding).name
    except LookupError as cause:
        raise RawFileUnreadable(
            f"'{encoding}' is no encoding. Write read.encoding as in 'utf-8', 'utf-16', 'cp1252'.",
            path=str(path),
            reason="no_encoding",
        ) from cause
    if known in {"utf-8", "utf-8-sig", "ascii"}:
        return path
    recoded = scratch.with_name(f"{scratch.name}.utf8")
    with path.open(encoding=known, newline="") as read, recoded.open("w", encoding="utf-8", newline="") as written:
        shutil.copyfileobj(read, written, _CHUNK)
    return recoded
