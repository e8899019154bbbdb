"""Text of any encoding, as UTF-8: what it was declared to be, or what its bytes say."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK: Final = 1 << 22
_HEAD: Final = 1 << 16
_UTF8: Final = "utf-8"
_ALSO_UTF8: Final = (_UTF8, "utf-8-sig", "ascii")
_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_FALLBACK: Final = "cp1252"
_MANY_NULS, _FEW_NULS = 0.3, 0.05
ESCAPED: Final = re.compile("[\udc80-\udcff]")
"""Bytes that are no text, as the error handler `surrogateescape` keeps them."""


class Text(msgspec.Struct, frozen=True):
    """`path` is UTF-8, with or without a mark, its lines end with LF or CRLF; if `broken`, some bytes are no text."""

    path: Path
    broken: bool = False
    notes: tuple[str, ...] = ()


def as_utf8(path: Path, declared: str | None, scratch: Path) -> Text:
    """The text of `path` in UTF-8: `path` itself when it is that already, else a file beside `scratch`.

    Without `declared`, UTF-16 is told by its mark or its zero bytes; what is then not UTF-8 is read as cp1252, unless
    most of its letters are UTF-8: then single lines are broken. Whatever was assumed is said in `notes`.
    """
    encoding, broken = _told(path) if declared is None else _declared(path, declared)
    notes = ()
    if declared is None and encoding != _UTF8:
        doubt = "; say read.encoding if letters look wrong" if encoding == _FALLBACK else ""
        notes = (f"read as {encoding}{doubt}",)
    lone = _has_only_carriage_returns(path, encoding)
    if encoding == _UTF8 and not lone:
        return Text(path, broken, notes)
    recoded = scratch.with_name(f"{scratch.name}.utf8")
    broken = _recode(path, encoding, recoded, lone=lone, keep_broken=declared is not None or broken)
    return Text(recoded, broken, notes)


def _declared(path: Path, declared: str) -> tuple[str, bool]:
    try:
        known = codecs.lookup(declared).name
    except LookupError as cause:
        raise RawFileUnreadable(
            f"'{declared}' is no encoding. Write read.encoding as in 'utf-8', 'utf-16', 'cp1252'.",
            path=str(path),
            reason="no_encoding",
        ) from cause
    return (_UTF8, not _is_utf8(path)) if known in _ALSO_UTF8 else (known, False)


def _told(path: Path) -> tuple[str, bool]:
    wide = _wide(path)
    return (wide, False) if wide is not None else _utf8_or_not(path)


def _wide(path: Path) -> str | None:
    """UTF-16 or UTF-32, by its mark, or by where the zero bytes of its digits and delimiters stand."""
    with path.open("rb") as opened:
        head = opened.read(_HEAD)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2], head[1::2]
    zeros = (even.count(0) / max(len(even), 1), odd.count(0) / max(len(odd), 1))
    if zeros[1] > _MANY_NULS and zeros[0] < _FEW_NULS:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > _MANY_NULS and zeros[1] < _FEW_NULS else None


def _utf8_or_not(path: Path) -> tuple[str, bool]:
    """UTF-8 and whether bytes of it are broken; or the fallback, when more letters are broken than whole."""
    if _is_utf8(path):
        return _UTF8, False
    decoder = codecs.getincrementaldecoder(_UTF8)("surrogateescape")
    whole = broken = 0
    for chunk in _chunks(path):
        if not chunk.isascii():
            text = decoder.decode(chunk)
            escaped = len(ESCAPED.findall(text))
            broken += escaped
            whole += len(text) - len(text.encode("ascii", "ignore")) - escaped
    return (_UTF8, True) if whole > broken else (_FALLBACK, False)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder(_UTF8)()
    try:
        for chunk in _chunks(path):
            if not chunk.isascii() or decoder.getstate()[0]:
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _has_only_carriage_returns(path: Path, encoding: str) -> bool:
    with path.open(encoding=encoding, errors="replace", newline="") as opened:
        head = opened.read(_HEAD)
    return "\r" in head and "\n" not in head


def _recode(path: Path, encoding: str, target: Path, *, lone: bool, keep_broken: bool) -> bool:
    """Write `path` to `target` in UTF-8; whether bytes that are no text were kept as they are."""
    broken = False
    errors = "surrogateescape" if keep_broken else "strict"
    try:
        with (
            path.open(encoding=encoding, errors=errors, newline=None if lone else "") as read,
            target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as written,
        ):
            while text := read.read(_CHUNK):
                broken = broken or (not text.isascii() and ESCAPED.search(text) is not None)
                written.write(text)
    except UnicodeDecodeError as cause:
        raise RawFileUnreadable(
            f"{path} is not {encoding}: byte {cause.object[cause.start]:#04x} is none of it."
            ' Say which encoding it is, as in read.encoding = "cp1255".',
            path=str(path),
            reason="not_decodable",
        ) from cause
    return broken


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
