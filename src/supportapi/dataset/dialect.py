"""How a delimited file is written: told from its first records, where the mapping does not say."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.dataset.records import Dialect, records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from supportapi.calls.mapping import Reading
    from supportapi.dataset.records import Record

_DELIMITERS: Final = (",", "\t", ";", "|", "^", "~", "\x01", "\x1f")
_LAST_RESORT: Final = (":",)
"""Clock times are full of it."""
_NAMES: Final = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar", ":": "colon"}
_HEAD_CHARACTERS: Final = 1 << 18
_HEAD_RECORDS: Final = 200


class Layout(msgspec.Struct, frozen=True):
    """The dialect, the headers, and on which line (counted from 1) the first record after them begins."""

    dialect: Dialect
    names: tuple[str, ...]
    begins: int
    notes: tuple[str, ...]


def layout(path: Path, reading: Reading) -> Layout:
    """How `path` (UTF-8) is written."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as opened:
        head = opened.read(_HEAD_CHARACTERS)
    lines = list(io.StringIO(head, newline="\n"))
    if len(head) >= _HEAD_CHARACTERS:
        lines = lines[:-1] or lines  # perhaps cut in the middle
    notes: list[str] = []
    excel = lines[0].strip().lower() if lines else ""
    skipped = 1 if excel.startswith("sep=") and len(excel) <= len("sep=||") else 0
    delimiter = reading.delimiter or (lines[0].strip("\r\n")[4:] if skipped else None)
    if reading.header_row:
        skipped = reading.header_row - 1
    if delimiter is None:
        delimiter = _delimiter(lines[skipped:], reading)
        notes.append(f"delimiter {_NAMES.get(delimiter, repr(delimiter))}")
    dialect = Dialect(delimiter, reading.quote, reading.comment)
    found = _records(lines[skipped:], dialect, skipped + 1)
    if reading.header_row == 0:
        names = [f"column_{number + 1}" for number in range(max((len(record.fields) for record in found), default=1))]
        return Layout(_sized(dialect, names, len(names)), tuple(names), skipped + 1, tuple(notes))
    return _headed(found, dialect, reading, notes)


def unique_names(names: Sequence[str]) -> list[str]:
    """Headers as names: blanks and line breaks made one blank, empty ones by their place, repeated ones numbered."""
    unique: list[str] = []
    for number, raw in enumerate(names, start=1):
        name = alone = " ".join(raw.split()) or f"column_{number}"
        copies = 1
        while name in unique:
            copies += 1
            name = f"{alone}_{copies}"
        unique.append(name)
    return unique


def header_place(rows: Sequence[Sequence[str]]) -> int:
    """Which of the first rows holds the headers: the first that is filled for more than half of the usual width.

    What stands above is a title, an export date and the like.
    """
    widths = Counter(len(row) for row in rows if any(row))
    if not widths:
        return 0
    usual = max(widths, key=lambda width: (widths[width], -width))
    for place, row in enumerate(rows):
        if sum(bool(cell.strip()) for cell in row) * 2 > usual:
            return place
    return 0


def header_notes(names: Sequence[str], raw: Sequence[str]) -> list[str]:
    """What was made of headers that are no names."""
    told = [name.strip() for name in raw]
    repeated = sorted({name for name in told if name and told.count(name) > 1})
    notes = [f"headers that occur twice are numbered: {', '.join(repeated)}"] if repeated else []
    empty = [name for name, cell in zip(names, told, strict=True) if not cell]
    return [*notes, *([f"columns without a header are {', '.join(empty)}"] if empty else [])]


def _headed(found: list[Record], dialect: Dialect, reading: Reading, notes: list[str]) -> Layout:
    place = 0 if reading.header_row else header_place([record.fields for record in found])
    while place < len(found) - 1 and not any(found[place].fields):
        place += 1
    if not found:
        return Layout(dialect, (), 1, tuple(notes))
    record = found[place]
    if reading.header_row is None and record.line > 1:
        notes.append(f"header on line {record.line}")
    raw = list(record.fields)
    named = max((number for number, cell in enumerate(raw, start=1) if cell.strip()), default=len(raw))
    names = unique_names(raw)
    notes.extend(header_notes(names, raw))
    begins = found[place + 1].line if place + 1 < len(found) else record.line + 1
    return Layout(_sized(dialect, names, named), tuple(names), begins, tuple(notes))


def _sized(dialect: Dialect, names: Sequence[str], named: int) -> Dialect:
    return msgspec.structs.replace(dialect, width=len(names), named=named)


def _records(lines: Sequence[str], dialect: Dialect, first: int) -> list[Record]:
    return [record for record, _ in zip(records(lines, dialect, first=first), range(_HEAD_RECORDS), strict=False)]


def _delimiter(lines: Sequence[str], reading: Reading) -> str:
    """The one that splits the first records most evenly into most fields."""
    scores = {delimiter: _evenness(lines, delimiter, reading) for delimiter in _DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    if scores[best][0] == 0:
        scores = {delimiter: _evenness(lines, delimiter, reading) for delimiter in _LAST_RESORT}
        last = max(scores, key=lambda delimiter: scores[delimiter])
        return last if scores[last][0] else best
    return best


def _evenness(lines: Sequence[str], delimiter: str, reading: Reading) -> tuple[float, int]:
    try:
        found = _records(lines, Dialect(delimiter, reading.quote, reading.comment), 1)
    except csv.Error:
        return 0.0, 1
    widths = Counter(len(record.fields) for record in found if any(record.fields))
    split = {width: count for width, count in widths.items() if width > 1}
    if not split:
        return 0.0, 1
    usual = max(split, key=lambda width: (split[width], width))
    return split[usual] / sum(widths.values()), usual
