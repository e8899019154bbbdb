"""One quick look at all bytes of a delimited file: may Polars read it as it is, and where do its records begin?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import numpy.typing as npt

from supportapi.dataset.records import SWALLOWED_LINES, SWALLOWED_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supportapi.dataset.dialect import Layout
    from supportapi.dataset.records import Dialect

Places = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_CHUNK: Final = 1 << 18
"""Small enough for a processor's cache."""
_LONGEST_RECORD: Final = 1 << 24
_LF, _CR = 10, 13


class Survey(msgspec.Struct, frozen=True):
    """`short`: the numbers of records that lack fields; `widest`: the fields of the longest record.

    `continued`: the lines, counted from 0 at the first record, that begin inside a quoted value. Not `regular`:
    quotation marks stand where they should not, and nothing else here holds.
    """

    regular: bool
    widest: int = 0
    short: Places = msgspec.field(default_factory=lambda: np.empty(0, np.int64))
    continued: Places = msgspec.field(default_factory=lambda: np.empty(0, np.int64))

    def lines(self, numbers: Places) -> Places:
        """On which lines, counted from 0 at the first record, the records with these numbers begin."""
        owners = self.continued - np.arange(self.continued.size)
        return numbers + np.searchsorted(owners, numbers, side="right")


class _Irregular(Exception):
    """Quotation marks that only a slow reader can make sense of."""


class _Marks(msgspec.Struct):
    """What one block of whole records holds."""

    fields: Places
    blank: Flags
    continued: Places
    lines: int


def survey(path: Path, found: Layout) -> Survey:
    """Look at all records of `path` (UTF-8) below its header."""
    delimiter, quote = ord(found.dialect.delimiter), ord(found.dialect.quote) if found.dialect.quote else None
    short: list[Places] = []
    continued: list[Places] = []
    records = lines = widest = 0
    try:
        for block in _blocks(path, found.begins - 1, quote):
            marks = _marks(block, delimiter, quote, found.dialect.width)
            lacking = np.flatnonzero((marks.fields < found.dialect.named) & ~marks.blank)
            short.append(lacking + records)
            continued.append(marks.continued + lines)
            widest = max(widest, int(marks.fields.max(initial=0)))
            records += marks.fields.size
            lines += marks.lines
    except _Irregular:
        return Survey(regular=False)
    return Survey(regular=True, widest=widest, short=_joined(short), continued=_joined(continued))


def whole_lines(block: bytes, dialect: Dialect) -> Places:
    """Where the first lines of `block` end, as long as they are whole records, or blank, by themselves."""
    delimiter, quote = ord(dialect.delimiter), ord(dialect.quote)
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == _LF)
    quotes = np.flatnonzero(text == quote)
    owners = np.searchsorted(ends, quotes)
    odd = np.flatnonzero(np.bincount(owners) % 2)[:1]
    stray = _stray(text, quotes[owners < odd[0]] if odd.size else quotes, delimiter, quote)[:1]
    no_records = (stray, _unreadable(block), _commented(block, dialect.comment))
    count = min([ends.size, *odd, *(int(np.searchsorted(ends, place)) for places in no_records for place in places)])
    if not count:
        return ends[:0]
    marks = _marks(block[: ends[count - 1] + 1], delimiter, quote, dialect.width)
    fits = (marks.fields >= dialect.named) & (marks.fields <= dialect.width)
    return ends[: next(iter(np.flatnonzero(~fits & ~marks.blank)), count)]


def _unreadable(block: bytes) -> list[int]:
    """The first byte that is no text."""
    try:
        block.decode()
    except UnicodeDecodeError as cause:
        return [cause.start]
    return []


def _commented(block: bytes, comment: str | None) -> list[int]:
    """The first line that is a comment."""
    found = (b"\n" + block).find(f"\n{comment}".encode()) if comment else -1
    return [found] if found >= 0 else []


def _joined(parts: list[Places]) -> Places:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _blocks(path: Path, skipped: int, quote: int | None) -> Iterator[bytes]:
    """Whole records of the file, some megabytes at a time."""
    mark = bytes([quote]) if quote is not None else None
    with path.open("rb") as opened:
        for _ in range(skipped):
            opened.readline()
        parts: list[bytes] = []
        quotes = 0
        while chunk := opened.read(_CHUNK):
            end = _end(chunk, mark, quotes)
            if end:
                yield b"".join([*parts, chunk[:end]])
                parts, quotes = [], 0
            parts.append(chunk[end:])
            quotes += _count(parts[-1], mark)
            if sum(map(len, parts)) > _LONGEST_RECORD:
                raise _Irregular
        left = b"".join(parts)
        if left:
            if quotes % 2:
                raise _Irregular
            yield left if left.endswith(b"\n") else left + b"\n"


def _end(chunk: bytes, mark: bytes | None, before: int) -> int:
    """Where the last whole record ends: after the last line break with an even number of quotation marks before it.

    `before` is the number of those before `chunk`, where no record ends.
    """
    end = len(chunk)
    quotes = before + _count(chunk, mark)
    while (at := chunk.rfind(b"\n", 0, end)) >= 0:
        quotes -= _count(chunk[at:end], mark)
        if quotes % 2 == 0:
            return at + 1
        end = at
    return 0


def _count(text: bytes, mark: bytes | None) -> int:
    return 0 if mark is None else text.count(mark)


def _marks(block: bytes, delimiter: int, quote: int | None, width: int) -> _Marks:
    text = np.frombuffer(block, np.uint8)
    marks = (text == delimiter) | (text == _LF)
    if quote is None or quote not in block:
        places = np.flatnonzero(marks)
        breaks = text[places] == _LF
        ends = np.flatnonzero(breaks)
        return _Marks(np.diff(ends, prepend=-1), _blank(text, places[ends]), np.empty(0, np.int64), ends.size)
    places = np.flatnonzero(marks | (text == quote))
    quotes = text[places] == quote
    if _stray(text, places[quotes], delimiter, quote).size:
        raise _Irregular
    inside = np.logical_xor.accumulate(quotes)[~quotes]
    places = places[~quotes]
    breaks = text[places] == _LF
    _refuse_swallowed(breaks, inside, width)
    ends = np.flatnonzero(breaks[~inside])
    # A line that begins after a break inside of a value goes on with the record before it.
    continued = np.flatnonzero(inside[breaks]) + 1
    fields = np.diff(ends, prepend=-1)
    return _Marks(fields, _blank(text, places[~inside][ends]), continued, int(np.count_nonzero(breaks)))


def _stray(text: Bytes, quotes: Places, delimiter: int, quote: int) -> Places:
    """Marks open a value at its beginning, close it at its end, or are doubled: those of `quotes` that do not."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = text[np.maximum(opening - 1, 0)]
    opens = (before == delimiter) | (before == _LF) | (opening == 0)
    opens[1:] |= opening[1:] == closing[: opening.size - 1] + 1
    after = text[np.minimum(closing + 1, text.size - 1)]
    closes = (after == delimiter) | (after == _LF) | (after == _CR) | (after == quote)
    return np.sort(np.concatenate([opening[~opens], closing[~closes]]))


def _refuse_swallowed(breaks: Flags, inside: Flags, width: int) -> None:
    """Lines inside of a value that look like records themselves want the slow reader's judgement."""
    ends = np.flatnonzero(breaks)
    within = inside[ends]
    inner = within[:-1] & within[1:]
    alike = np.diff(ends) == width
    if width >= SWALLOWED_WIDTH and np.count_nonzero(inner & alike) >= SWALLOWED_LINES:
        raise _Irregular


def _blank(text: Bytes, ends: Places) -> Flags:
    lengths = np.diff(ends, prepend=-1) - 1
    only_return = (lengths == 1) & (text[np.maximum(ends - 1, 0)] == _CR)
    return (lengths == 0) | only_return
