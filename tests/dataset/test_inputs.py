from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from supportapi.dataset.ingest import ingest
from supportapi.dataset.inputs import names_of, raw_files
from supportapi.errors import RawFileUnreadable

MAPPING = 'time_zone = "UTC"\n[columns]\ncall_id = "id"\nstarted_at = "start"\nregion = "region"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("2024/02.csv", "2024/01.csv", "2023/01.csv", "2024/.hidden.csv", "2024/mapping.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"start,region,id\n2024-05-06,North,{name}\n,West,bad\n")
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["2024/*.csv"], ["2024/01.csv", "2024/02.csv"]),
        (["**/01.csv"], ["2023/01.csv", "2024/01.csv"]),
        (["2024"], ["2024/01.csv", "2024/02.csv"]),
        (["2024/02.csv", "2024"], ["2024/02.csv", "2024/01.csv"]),
        (["nothing.csv"], ["nothing.csv"]),
    ],
)
def test_files_folders_and_patterns_mean_files(folder: Path, asked: list[str], expected: list[str]) -> None:
    assert raw_files([folder / name for name in asked]) == [folder / name for name in expected]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path) -> None:
    (folder / "calls[1].csv").write_text("id\n1\n")

    assert raw_files([folder / "calls[1].csv"]) == [folder / "calls[1].csv"]


@pytest.mark.parametrize("asked", ["2025-*.csv", "2025/*/calls.csv"])
def test_a_pattern_that_matches_nothing_is_told(folder: Path, asked: str) -> None:
    with pytest.raises(RawFileUnreadable, match="No file matches"):
        raw_files([folder / asked])


def test_a_folder_without_files_is_told(folder: Path) -> None:
    (folder / "empty").mkdir()

    with pytest.raises(RawFileUnreadable, match="no file in"):
        raw_files([folder / "empty"])


def test_files_of_one_name_are_told_apart_by_their_folders() -> None:
    assert names_of([Path("/x/a.csv"), Path("/y/b.csv")]) == ["a.csv", "b.csv"]
    assert names_of([Path("/x/2023/a.csv"), Path("/x/2024/a.csv")]) == ["2023/a.csv", "2024/a.csv"]


def test_rejects_name_the_file_among_several_of_one_name_and_other_columns(folder: Path) -> None:
    (folder / "2023" / "01.csv").write_text("id;region;start;more\nx;South;2023-05-06;\ny;South;;z\n")
    (folder / "mapping.toml").write_text(MAPPING)

    report = ingest(raw_files([folder / "**" / "*.csv"]), folder / "mapping.toml", folder / "out")

    assert (report.written, report.rejected) == (3, 3)
    assert pl.read_parquet(folder / "out" / "rejects.parquet").select("file", "line").rows() == [
        ("2023/01.csv", 3),
        ("2024/01.csv", 3),
        ("2024/02.csv", 3),
    ]
