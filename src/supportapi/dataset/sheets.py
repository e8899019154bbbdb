"""Which tables a workbook holds: its sheets, and where an empty column parts one of them into several."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.dataset.dialect import header_place
from supportapi.dataset.unpack import is_workbook
from supportapi.dataset.workbook import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEAD_ROWS: Final = 200
_LEAST_COLUMNS: Final = 2
_LETTERS: Final = 26
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"


class Table(msgspec.Struct, frozen=True):
    """A table that stands in `sheet`: all of it, or the `cells` from its header on, as `read.range` wants them."""

    sheet: str
    number: int
    """Which sheet of the workbook that is, counted from 1."""
    cells: str | None
    size: int
    """About how many cells it has."""


def tables_of(path: Path) -> list[Table]:
    """The tables of the workbook `path`, sheet by sheet; titles and remarks of one column are none.

    A file that is no workbook has none.
    """
    if not _is_workbook(path):
        return []
    book = opened(path)
    found: list[Table] = []
    for number, name in enumerate(book.sheet_names, start=1):
        sheet = book.load_sheet(name, header_row=None, n_rows=_HEAD_ROWS, dtypes="string")
        rows = [[cell or "" for cell in row] for row in sheet.to_polars().rows()]
        blocks = list(_blocks(rows))
        for left, right in blocks:
            top = header_place([row[left:right] for row in rows])
            if right - left < _LEAST_COLUMNS or top + 1 >= len(rows):
                continue
            cells = f"{_letters(left)}{top + 1}:{_letters(right - 1)}" if len(blocks) > 1 else None
            filled = sum(any(row[left:right]) for row in rows)
            height = sheet.total_height if filled == len(rows) else filled
            found.append(Table(name, number, cells, height * (right - left)))
    return found


def _is_workbook(path: Path) -> bool:
    if zipfile.is_zipfile(path):
        return is_workbook(path)
    with path.open("rb") as opened:
        return opened.read(len(_OLD_WORKBOOK)) == _OLD_WORKBOOK


def _blocks(rows: list[list[str]]) -> Iterator[tuple[int, int]]:
    """The first and last columns (exclusive) of what stands side by side, parted by columns without any value."""
    width = max((len(row) for row in rows), default=0)
    filled = [any(row[place].strip() for row in rows) for place in range(width)]
    left = None
    for place, is_filled in enumerate([*filled, False]):
        if is_filled and left is None:
            left = place
        elif not is_filled and left is not None:
            yield left, place
            left = None


def _letters(place: int) -> str:
    letters = ""
    number = place + 1
    while number:
        number, rest = divmod(number - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters
