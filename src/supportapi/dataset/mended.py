"""A copy of broken text that Polars reads: whole lines as they are, the others record by record."""

from __future__ import annotations

import csv
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec
import numpy as np

from supportapi.dataset.encoding import ESCAPED
from supportapi.dataset.records import BROKEN_BYTES, Dialect, records
from supportapi.dataset.survey import Places, whole_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supportapi.dataset.dialect import Layout
    from supportapi.dataset.records import Record

_MARK: Final = b"\xef\xbb\xbf"
_LEAST, _MOST = 1 << 12, 1 << 18
"""Bytes that are looked at together for whole lines: twice as many each time, as long as all are."""
_WORTH: Final = 64
"""Fewer whole lines were not worth looking for."""
_PATIENCE: Final = 1 << 16
"""Records that are read one by one before whole lines are looked for again: twice as many each time in vain."""


class Mended(msgspec.Struct, frozen=True):
    """The numbers of the records that have each fault; and of some records (`numbers`) the `lines` on which they begin.

    Those between two of them are on the lines that follow.
    """

    dialect: Dialect
    faults: dict[str, Places]
    numbers: Places
    lines: Places

    def lines_of(self, numbers: Places) -> Places:
        """On which lines the records with these numbers begin."""
        known = np.searchsorted(self.numbers, numbers, side="right") - 1
        return self.lines[known] + numbers - self.numbers[known]

    def first_line(self, fault: str) -> int:
        """Where a fault stands first."""
        return int(self.lines_of(self.faults[fault][:1])[0])


def mend(path: Path, found: Layout, target: Path) -> Mended:
    """Write the records of `path` (UTF-8 but for broken bytes) below its header to `target`.

    Blank ones may be left out. What a record has beyond the headers is one field.
    """
    with path.open("rb") as opened, target.open("wb") as written:
        for _ in range(found.begins - 1):
            opened.readline()
        if opened.tell() == 0 and opened.read(len(_MARK)) != _MARK:
            opened.seek(0)
        copy = _Copy(written, found)
        line: int | None = found.begins
        patience = 1
        while line is not None:
            whole = _copy_lines(opened, line, copy) if copy.alike else line
            patience = 1 if whole - line >= _WORTH else min(2 * patience, _PATIENCE)
            line = _copy_records(opened, whole, copy, patience)
    return copy.mended()


class _Copy:
    """What has been written, and what there is to say about it."""

    def __init__(self, written: BinaryIO, found: Layout) -> None:
        self.read = found.dialect
        self.width = len(found.names)
        self.alike = len(self.read.delimiter.encode()) == len(self.read.quote.encode()) == 1
        """Whether the copy is written as the file is."""
        self._written = written
        self._dialect = self.read if self.alike else msgspec.structs.replace(self.read, delimiter=",", quote='"')
        self._rows = csv.writer(
            self, delimiter=self._dialect.delimiter, quotechar=self._dialect.quote, lineterminator="\n"
        )
        self._count = 0
        self._faults: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._numbers, self._lines = array("q"), array("q")

    def write(self, text: str) -> None:
        """What the writer of rows writes to."""
        self._written.write(text.encode())

    def add_lines(self, text: bytes, count: int, line: int) -> None:
        """Whole lines, the first of which is number `line`."""
        self._note(line)
        self._written.write(text)
        self._count += count

    def add(self, record: Record) -> None:
        """A record, unless it is blank."""
        fields = record.fields
        if record.fault == BROKEN_BYTES:
            fields = [ESCAPED.sub("\ufffd", field) for field in fields]
        if len(fields) > self.width:
            rest = self.read.delimiter.join(fields[self.width :]).rstrip(self.read.delimiter)
            fields = [*fields[: self.width], rest]
        if not any(fields):
            return
        self._note(record.line)
        if record.fault is not None:
            self._faults[record.fault].append(self._count)
        self._rows.writerow(fields)
        self._count += 1

    def mended(self) -> Mended:
        faults = {fault: np.array(numbers, np.int64) for fault, numbers in self._faults.items()}
        return Mended(self._dialect, faults, np.array(self._numbers, np.int64), np.array(self._lines, np.int64))

    def _note(self, line: int) -> None:
        self._numbers.append(self._count)
        self._lines.append(line)


def _copy_lines(opened: BinaryIO, line: int, copy: _Copy) -> int:
    """Copy lines that are whole records, and go to the first that is none; its number."""
    wanted = _LEAST
    while block := opened.read(wanted) + opened.readline():
        text = block if block.endswith(b"\n") else block + b"\n"
        ends = whole_lines(text, copy.read)
        size = int(ends[-1]) + 1 if ends.size else 0
        if size:
            copy.add_lines(text[:size], ends.size, line)
        line += ends.size
        if size < len(text):
            opened.seek(size - len(block), 1)
            break
        wanted = min(2 * wanted, _MOST)
    return line


def _copy_records(opened: BinaryIO, first: int, copy: _Copy, limit: int) -> int | None:
    """Copy `limit` records one by one from line `first` on, and go to the next line; its number, or None at the end."""
    begins = array("q")
    for count, record in enumerate(records(_lines(opened, begins), copy.read, first=first)):
        if count == limit:
            opened.seek(begins[record.line - first])
            return record.line
        copy.add(record)
    return None


def _lines(opened: BinaryIO, begins: array[int]) -> Iterator[str]:
    """The lines from here on; `begins` learns where they begin."""
    place = opened.tell()
    while line := opened.readline():
        begins.append(place)
        place += len(line)
        yield line.decode("utf-8", "surrogateescape")
