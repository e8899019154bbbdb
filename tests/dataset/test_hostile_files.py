"""Files that were made to do something else than being read."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

import pytest
import xlsxwriter  # pyright: ignore[reportMissingTypeStubs] - it has none

from supportapi.calls.mapping import Reading
from supportapi.errors import RawFileUnreadable
from tests.dataset.reading import rows

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "what stands in a file of this machine"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Calls")
        sheet.write_row(0, 0, ["id", "note"])
        sheet.write_row(1, 0, ["a", "PLACEHOLDER"])
    return path


def with_entity(path: Path, declared: str) -> Path:
    """A workbook whose shared text names an entity that its own document type declares."""
    plain = workbook(path.with_name("plain.xlsx"))
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part).decode()
            if part.filename.endswith(("sharedStrings.xml", "workbook.xml", "sheet1.xml")):
                content = re.sub(r"(<\?xml[^>]*\?>)", rf"\1<!DOCTYPE x [{declared}]>", content)
                content = content.replace("PLACEHOLDER", "&l9;")
            new.writestr(part.filename, content)
    return path


def told(path: Path) -> str:
    """All that is read of a file, or why it is not."""
    try:
        return str(rows(path, Reading()).rows())
    except RawFileUnreadable as refused:
        return str(refused)


@pytest.mark.parametrize("scheme", ["file://", ""])
def test_a_workbook_reads_no_other_file_of_this_machine(tmp_path: Path, scheme: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)

    path = with_entity(tmp_path / "xxe.xlsx", f'<!ENTITY l9 SYSTEM "{scheme}{secret}">')

    assert SECRET not in told(path)


def test_a_workbook_does_not_grow_by_entities_of_entities(tmp_path: Path) -> None:
    path = with_entity(tmp_path / "laughs.xlsx", f'<!ENTITY l0 "{"ha" * 50}">{LAUGHS}')

    assert len(told(path)) < 10_000


def test_a_workbook_that_unpacks_to_far_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bomb.xlsx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/x.xml", "w") as part:
        for _ in range(300):
            part.write(bytes(1 << 20))

    with pytest.raises(RawFileUnreadable, match="250 times"):
        rows(path, Reading())


def test_a_formula_is_never_computed_only_its_last_value_is_read(tmp_path: Path) -> None:
    path = tmp_path / "formula.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Calls")
        sheet.write_row(0, 0, ["id", "wait"])
        sheet.write(1, 0, "a")
        sheet.write_formula(1, 1, '=HYPERLINK("http://127.0.0.1:9/?"&A1,"x")', None, "kept")  # pyright: ignore[reportArgumentType] - it takes any

    assert rows(path, Reading()).rows() == [("a", "kept")]


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "-2+3"])
def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(f'id,note\na,"{text}"\n')

    assert rows(path, Reading()).rows() == [("a", text)]


@pytest.mark.parametrize("name", ["../../evil.csv", "/evil.csv", "..\\evil.csv", "a/../../../evil.csv"])
def test_an_archive_writes_nothing_where_its_members_names_point(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    path = folder / "calls.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "id,wait\na,1\n")

    assert told(path)
    assert list(tmp_path.rglob("evil.csv")) == []
