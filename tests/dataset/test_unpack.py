from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from typing import TYPE_CHECKING

import pytest

from supportapi.errors import RawFileUnreadable
from tests.dataset.reading import raws, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = b"id,wait\n1,5\n"


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_packed_text_is_unpacked(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"calls.csv{suffix}"
    path.write_bytes(pack(TEXT))

    assert rows(path).rows() == [("1", "5")]
    assert raws(path)[0].name == "calls.csv"


def test_each_data_file_of_an_archive_is_read_in_order_of_names(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "calls.zip",
        {
            "2024/02.csv": b"id\n2\n",
            "2024/01.csv.gz": gzip.compress(b"id\n1\n"),
            "__MACOSX/2024/._01.csv": b"\x00",
            "README.txt": b"hello",
            "chart.png": b"\x89PNG",
            "2024/.DS_Store": b"\x00",
            "2024/03.csv": b"",
        },
    )

    found = raws(path)

    assert [raw.name for raw in found] == ["calls.zip/2024/01.csv", "calls.zip/2024/02.csv"]
    assert [raw.rows.collect()["id"].item() for raw in found] == ["1", "2"]
    assert found[0].notes[:2] == (
        "not read, for they look like no data: README.txt, chart.png",
        "2024/03.csv is empty",
    )


def test_an_archive_without_data_is_told_with_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(RawFileUnreadable, match=r"a\.png, b\.pdf"):
        rows(zipped(tmp_path / "calls.zip", {"a.png": b"x", "b.pdf": b"x"}))


def test_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path / "calls.zip", {"a.csv": TEXT})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the file's own header, and in the archive's list
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    with pytest.raises(RawFileUnreadable, match="password"):
        rows(path)


def test_an_archive_that_unpacks_to_far_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as opened:
        for _ in range(300):
            opened.write(bytes(1 << 20))

    with pytest.raises(RawFileUnreadable, match="250 times"):
        rows(path)


def test_archives_within_archives_have_an_end(tmp_path: Path) -> None:
    content = TEXT
    for name in ("a.csv", "b.zip", "c.zip", "d.zip", "e.zip"):
        opened = io.BytesIO()
        with zipfile.ZipFile(opened, "w") as archive:
            archive.writestr(name, content)
        content = opened.getvalue()
    (tmp_path / "calls.zip").write_bytes(content)

    with pytest.raises(RawFileUnreadable, match="archives"):
        rows(tmp_path / "calls.zip")


@pytest.mark.parametrize(
    ("head", "kind"), [(b"\x28\xb5\x2f\xfd", "zstd"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "rar")]
)
def test_an_archive_of_a_foreign_kind_is_named(tmp_path: Path, head: bytes, kind: str) -> None:
    (tmp_path / "calls").write_bytes(head + bytes(100))

    with pytest.raises(RawFileUnreadable, match=kind):
        rows(tmp_path / "calls")


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "calls.csv.gz").write_bytes(b"\x1f\x8bbroken")

    with pytest.raises(RawFileUnreadable):
        rows(tmp_path / "calls.csv.gz")
