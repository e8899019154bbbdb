"""Delimited text of any condition, record by record: slow, and never wrong by more than the line that is broken."""

from __future__ import annotations

import csv
from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.calls.clean import TOO_FEW
from supportapi.dataset.encoding import ESCAPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TOO_MANY: Final = "too_many_fields"
BROKEN_QUOTE: Final = "quote_unbalanced"
BROKEN_BYTES: Final = "bytes_unreadable"
SWALLOWED_LINES: Final = 3
"""So many lines inside one value that look like records are records: a quotation mark is missing."""
SWALLOWED_WIDTH: Final = 3
"""Records of fewer fields look like any sentence."""
_DELIMITER, _RETURN = "\ufdd0", "\ufdd1"
"""Characters that no text has, for what the splitter cannot read."""
_LONGEST_VALUE: Final = 1 << 24


class Dialect(msgspec.Struct, frozen=True):
    """How records are written: `width` fields, of which the last one with a header is number `named`; 0: not known."""

    delimiter: str
    quote: str = '"'
    comment: str | None = None
    width: int = 0
    named: int = 0


class Record(msgspec.Struct, frozen=True):
    """`line` counts from 1; `fault` says why this is no record, or that it lacks fields (`TOO_FEW`)."""

    line: int
    fields: list[str]
    fault: str | None = None


class _Lines:
    """Lines, and those `taken` since the last record, which can be given back."""

    def __init__(self, lines: Iterable[str], dialect: Dialect, first: int) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._comment = dialect.comment
        self._delimiter = dialect.delimiter
        self.begins = first
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next()
        while self._comment and not self.taken and line.startswith(self._comment):
            self.begins += 1
            line = self._next()
        self.taken.append(line)
        return _shielded(line, self._delimiter)

    def _next(self) -> str:
        return self._again.popleft() if self._again else next(self._lines)

    def done(self) -> None:
        self.begins += len(self.taken)
        self.taken = []

    def give_back(self, keep: int = 0) -> None:
        """All taken lines but the first `keep` will come again."""
        self._again.extendleft(reversed(self.taken[keep:]))
        del self.taken[keep:]


def records(lines: Iterable[str], dialect: Dialect, *, first: int = 1) -> Iterator[Record]:
    """The records of `lines`, blank ones included (without fields); the first line is number `first`.

    A quotation mark that is never closed, or that swallows what looks like records, spoils the line on which it
    stands (`BROKEN_QUOTE`) and no other.
    """
    csv.field_size_limit(_LONGEST_VALUE)
    feed = _Lines(lines, dialect, first)
    while True:
        try:
            for fields in _split(feed, dialect):
                if len(feed.taken) > 1 and _is_swallowed(fields, feed.taken, dialect):
                    break
                yield _judged(feed, fields, dialect)
                feed.done()
            else:
                return
        except csv.Error:
            pass
        yield _mended(feed, dialect)
        feed.done()


def _split(lines: Iterable[str], dialect: Dialect, *, escape: str | None = None) -> Iterator[list[str]]:
    long = len(dialect.delimiter) > 1
    return csv.reader(
        lines,
        delimiter=_DELIMITER if long else dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=escape,
        strict=True,
    )


def _mended(feed: _Lines, dialect: Dialect) -> Record:
    """What begins on the first line taken: with quotation marks escaped by backslashes, or that line by itself."""
    if f"\\{dialect.quote}" in feed.taken[0]:
        feed.give_back()
        try:
            fields = next(_split(feed, dialect, escape="\\"))
        except (csv.Error, StopIteration):
            fields = []
        if fields and _fits(fields, dialect):
            return _judged(feed, fields, dialect)
    feed.give_back(keep=1)
    line = _shielded(feed.taken[0], dialect.delimiter)
    delimiter = _DELIMITER if len(dialect.delimiter) > 1 else dialect.delimiter
    none: list[str] = []
    fields = next(csv.reader([line], delimiter=delimiter, quotechar=dialect.quote), none)
    if not any("\n" in field for field in fields) and _fits(fields, dialect):
        return _judged(feed, fields, dialect)
    return Record(feed.begins, _plain(line.rstrip("\r\n").split(delimiter), dialect), BROKEN_QUOTE)


def _judged(feed: _Lines, fields: list[str], dialect: Dialect) -> Record:
    fault = None
    if any(not line.isascii() and ESCAPED.search(line) for line in feed.taken):
        fault = BROKEN_BYTES
    elif len(fields) != dialect.width and dialect.width and not _fits(fields, dialect):
        short = len(fields) < dialect.named
        fault = TOO_MANY if not short else TOO_FEW if any(fields) else None
    return Record(feed.begins, _plain(fields, dialect), fault)


def _fits(fields: list[str], dialect: Dialect) -> bool:
    return not dialect.width or (len(fields) >= dialect.named and not any(fields[dialect.width :]))


def _is_swallowed(fields: list[str], taken: list[str], dialect: Dialect) -> bool:
    if not _fits(fields, dialect):
        return True
    if dialect.width < SWALLOWED_WIDTH:
        return False
    if _is_unbalanced(taken, dialect) and _is_record(taken[-1], dialect):
        return True
    inside = taken[1:-1]
    alike = sum(line.count(dialect.delimiter) == dialect.width - 1 for line in inside)
    return alike >= SWALLOWED_LINES and alike * 2 > len(inside)


def _is_unbalanced(taken: list[str], dialect: Dialect) -> bool:
    return bool(dialect.quote) and sum(line.count(dialect.quote) for line in taken) % 2 == 1


def _is_record(line: str, dialect: Dialect) -> bool:
    try:
        return _fits(next(_split([_shielded(line, dialect.delimiter)], dialect)), dialect)
    except (csv.Error, StopIteration):
        return False


def _shielded(line: str, delimiter: str) -> str:
    """The line with what the splitter cannot read, long delimiters and single CRs, replaced."""
    if len(delimiter) > 1:
        line = line.replace(delimiter, _DELIMITER)
    if "\r" not in line or line.find("\r") == len(line) - len("\r\n"):
        return line
    ending = "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""
    return line.removesuffix(ending).replace("\r", _RETURN) + ending


def _plain(fields: list[str], dialect: Dialect) -> list[str]:
    told = "\0".join(fields)
    if _RETURN in told:
        fields = [field.replace(_RETURN, "\r") for field in fields]
    if _DELIMITER in told:
        fields = [field.replace(_DELIMITER, dialect.delimiter) for field in fields]
    return fields
