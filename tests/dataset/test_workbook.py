from __future__ import annotations

import struct
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import xlsxwriter  # pyright: ignore[reportMissingTypeStubs] - it has none

from supportapi.calls.mapping import Reading
from supportapi.errors import RawFileUnreadable
from tests.dataset.reading import lines, notes, rows

if TYPE_CHECKING:
    from pathlib import Path


def workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        clock = book.add_format({"num_format": "hh:mm:ss"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        book.add_worksheet("Notes").write(0, 0, "nothing here")
        sheet = book.add_worksheet("Calls")
        sheet.write_row(0, 0, ["Export of May"])
        sheet.write_row(2, 0, ["id", "day", "talk", "moment", "wait"])
        sheet.write(3, 0, "a")
        sheet.write_datetime(3, 1, datetime(2024, 5, 6), day)  # noqa: DTZ001 - Excel has no zones
        sheet.write_number(3, 2, 143 / 86400, clock)
        sheet.write_datetime(3, 3, datetime(2024, 5, 6, 12, 30), moment)  # noqa: DTZ001 - as above
        sheet.write_number(3, 4, 12)
        sheet.write(5, 0, "b")
        sheet.write_number(5, 2, 1.25, clock)
    return path


def test_a_workbooks_dates_times_and_lengths_are_told_apart(tmp_path: Path) -> None:
    frame = rows(workbook(tmp_path / "calls.xlsx"), Reading(sheet="Calls", header_row=3))

    assert frame.rows() == [
        ("a", date(2024, 5, 6), timedelta(seconds=143), datetime(2024, 5, 6, 12, 30), 12),  # noqa: DTZ001 - Excel has no zones
        ("b", None, timedelta(hours=30), None, None),
    ]


def test_a_workbooks_rows_know_their_line(tmp_path: Path) -> None:
    assert lines(workbook(tmp_path / "calls.xlsx"), Reading(sheet=2, header_row=3)) == [4, 6]


def test_the_header_of_a_workbook_is_found_below_its_titles(tmp_path: Path) -> None:
    path = workbook(tmp_path / "calls.xlsx")

    assert rows(path, Reading(sheet="Calls")).columns == ["id", "day", "talk", "moment", "wait"]
    assert notes(path, Reading(sheet="Calls")) == ("sheet 'Calls' of Notes, Calls", "header in row 3")


@pytest.mark.parametrize("sheet", ["May", 3])
def test_a_missing_sheet_is_told_with_those_that_there_are(tmp_path: Path, sheet: str | int) -> None:
    with pytest.raises(RawFileUnreadable, match="it has Notes, Calls"):
        rows(workbook(tmp_path / "calls.xlsx"), Reading(sheet=sheet))


def side_by_side(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Both")
        sheet.merge_range(1, 1, 1, 6, "Calls of May, and what they cost")
        for row, values in enumerate([("id", "wait"), ("a", 1), ("b", 2), ("Total", 3)], start=3):
            sheet.write_row(row, 1, values)
        for row, values in enumerate([("month", "cost"), ("May", 10), ("June", 11), ("July", 12), ("x", 1)], start=3):
            sheet.write_row(row, 5, values)
    return path


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("B4:C6", [("a", 1), ("b", 2)]),
        ("B4:C", [("a", 1), ("b", 2), ("Total", 3)]),
        ("$f$4:$g$5", [("May", 10)]),
        ("A4:C5", [("a", 1)]),
    ],
)
def test_one_of_several_tables_is_read_by_its_range(
    tmp_path: Path, cells: str, expected: list[tuple[str, int]]
) -> None:
    path = side_by_side(tmp_path / "calls.xlsx")

    assert rows(path, Reading(cells=cells)).rows() == expected
    assert lines(path, Reading(cells=cells))[0] == 5


def test_a_range_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(RawFileUnreadable, match="B4:H200"):
        rows(side_by_side(tmp_path / "calls.xlsx"), Reading(cells="somewhere"))


def test_cells_of_several_kinds_in_one_column_keep_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    with xlsxwriter.Workbook(path) as book:
        clock = book.add_format({"num_format": "[h]:mm:ss"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet = book.add_worksheet("Calls")
        sheet.write_row(0, 0, ["id", "day", "start", "talk", "error", "flag"])
        sheet.write_number(1, 0, 17)
        sheet.write_datetime(1, 1, datetime(2024, 5, 6), day)  # noqa: DTZ001 - Excel has no zones
        sheet.write_datetime(1, 2, datetime(2024, 5, 6, 12, 30), moment)  # noqa: DTZ001 - as above
        sheet.write_number(1, 3, 1.25, clock)
        sheet.write_formula(1, 4, "=NA()", None, "#N/A")  # pyright: ignore[reportArgumentType] - it takes any
        sheet.write_boolean(1, 5, True)  # noqa: FBT003 - a cell
        sheet.write_row(2, 0, ["0018", "07/05/2024", "07/05/2024 08:00", "0:02:03", 3, "no"])

    frame = rows(path)

    assert frame.rows() == [
        ("17", "2024-05-06", "2024-05-06 12:30:00", "30:00:00", None, "true"),
        ("0018", "07/05/2024", "07/05/2024 08:00", "0:02:03", 3.0, "no"),
    ]
    assert [note.split(";")[0] for note in notes(path)] == [
        "column 'day' holds dates and text",
        "column 'start' holds dates and text",
        "column 'talk' holds dates and text",
    ]


def test_a_web_page_named_as_a_workbook_is_told(tmp_path: Path) -> None:
    path = tmp_path / "calls.xls"
    path.write_text("<html><table><tr><td>id</td></tr></table></html>")

    with pytest.raises(RawFileUnreadable, match="web page"):
        rows(path)


def test_text_named_as_a_workbook_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "calls.xls"
    path.write_bytes("id\tagent\n1\tZoë\n".encode("utf-16"))

    assert rows(path).rows() == [("1", "Zoë")]


def test_a_sheet_without_a_header_has_columns_by_position(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Calls").write_row(0, 0, ["a", 1])

    assert rows(path, Reading(header_row=0)).rows(named=True) == [{"column_1": "a", "column_2": 1.0}]


def test_an_empty_sheet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Calls")

    with pytest.raises(RawFileUnreadable, match="headers"):
        rows(path)


def _locked() -> bytes:
    """What Excel puts around a workbook that it encrypts: a compound file with a stream of that name, here empty."""
    none, end, own = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII109I", bytes.fromhex("d0cf11e0a1b11ae1"), 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, 1, 0, 4096, end, 0, end, 0, 0, *[none] * 108,
    )  # fmt: skip
    sectors = struct.pack("<128I", own, end, *[none] * 126)
    entries = [
        struct.pack("<64sHBBIII36xIQ", name.encode("utf-16-le"), len(name) * 2 + 2, kind, 1, none, none, child, end, 0)
        for name, kind, child in (("Root Entry", 5, 1), ("EncryptedPackage", 2, none))
    ]
    return header + sectors + b"".join(entries).ljust(512, b"\0")


def test_a_workbook_that_needs_a_password_is_told(tmp_path: Path) -> None:
    (tmp_path / "calls.xlsx").write_bytes(_locked())

    with pytest.raises(RawFileUnreadable, match=r"is protected by a password\. Open it, and save it without one"):
        rows(tmp_path / "calls.xlsx")
