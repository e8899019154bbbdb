from __future__ import annotations

import zipfile
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import xlsxwriter  # pyright: ignore[reportMissingTypeStubs] - it has none

from supportapi.calls.clean import ROW
from supportapi.calls.mapping import Reading
from supportapi.dataset.readers import read_raw
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


def rows(path: Path, reading: Reading | None = None) -> pl.DataFrame:
    return read_raw(path, reading or Reading(), path.with_name(".scratch")).rows.collect()


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

    assert frame.drop(ROW).rows() == [
        ("a", date(2024, 5, 6), timedelta(seconds=143), datetime(2024, 5, 6, 12, 30), 12),  # noqa: DTZ001 - Excel has no zones
        ("b", None, timedelta(hours=30), None, None),
    ]


def test_a_workbooks_rows_know_their_line(tmp_path: Path) -> None:
    raw = read_raw(workbook(tmp_path / "calls.xlsx"), Reading(sheet=2, header_row=3), tmp_path / ".scratch")

    assert raw.lines(raw.rows.collect()[ROW]).to_list() == [4, 6]


def test_a_missing_sheet_is_told(tmp_path: Path) -> None:
    with pytest.raises(RawFileUnreadable, match="May"):
        rows(workbook(tmp_path / "calls.xlsx"), Reading(sheet="May"))


def test_a_declared_delimiter_wins_over_a_likely_one(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("a;b,c\n1;2,3\n")

    assert rows(path, Reading(delimiter=",")).columns == [ROW, "a;b", "c"]


def test_the_delimiter_is_the_one_that_splits_evenly(tmp_path: Path) -> None:
    path = tmp_path / "calls.txt"
    path.write_text("id;note\n1;well, yes, no\n2;no\n3;a, b\n")

    assert rows(path).drop(ROW).rows() == [("1", "well, yes, no"), ("2", "no"), ("3", "a, b")]


def test_a_line_with_too_many_fields_is_told_with_what_to_check(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")

    with pytest.raises(RawFileUnreadable, match=r"read\.delimiter"):
        read_and_collect(path)


def read_and_collect(path: Path) -> None:
    from supportapi.dataset.readers import readable

    with readable(path):
        rows(path)


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "calls.zip", "w") as archive:
        archive.writestr("a.csv", "id\n1\n")
        archive.writestr("b.csv", "id\n2\n")

    with pytest.raises(RawFileUnreadable, match="holds 2 files"):
        rows(tmp_path / "calls.zip")


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "calls.csv.gz").write_bytes(b"\x1f\x8bbroken")

    with pytest.raises(RawFileUnreadable):
        rows(tmp_path / "calls.csv.gz")
