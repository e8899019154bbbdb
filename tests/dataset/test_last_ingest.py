from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.dataset.ingest import ingest
from supportapi.dataset.last_ingest import LONGEST_TEXT, RejectedRow, last_ingest
from supportapi.errors import DataCorrupt, IngestRejected

if TYPE_CHECKING:
    from pathlib import Path

MAPPING = """
name = "test"
time_zone = "UTC"
[columns]
call_id = "id"
started_at = { from = "start", formats = "iso" }
region = "region"
"""
ROWS = "id,start,region\na,2024-05-06 12:00:00,North\nb,never,South\nc,,West\nd,at noon,East\n"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING)
    return path


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_text(ROWS)
    return path


def test_the_report_and_the_first_rejected_rows_are_told(tmp_path: Path, raw: Path, mapping: Path) -> None:
    report = ingest([raw], mapping, tmp_path / "out")

    told = last_ingest(tmp_path / "out", reason=None, limit=1)

    assert told is not None
    assert (told.outcome, told.files, told.dataset_hash) == ("written", ("calls.csv",), report.dataset_hash)
    assert (told.read, told.written, told.rejected, told.duplicates) == (4, 1, 3, 0)
    assert told.rejected_by_reason == {"started_at_unreadable": 2, "started_at_missing": 1}
    assert told.rows == (
        RejectedRow(
            file="calls.csv",
            line=3,
            reason="started_at_unreadable",
            original={"id": "b", "start": "never", "region": "South"},
        ),
    )


def test_rows_of_one_reason_can_be_asked_for(tmp_path: Path, raw: Path, mapping: Path) -> None:
    ingest([raw], mapping, tmp_path / "out")

    told = last_ingest(tmp_path / "out", reason="started_at_missing", limit=20)

    assert told is not None
    assert [row.line for row in told.rows] == [4]
    assert told.rejected == 3


def test_a_refused_ingest_is_told_until_one_succeeds(tmp_path: Path, raw: Path, mapping: Path) -> None:
    with pytest.raises(IngestRejected):
        ingest([raw], mapping, tmp_path / "out", max_rejects="1")

    refused = last_ingest(tmp_path / "out", reason=None, limit=20)
    ingest([raw], mapping, tmp_path / "out")
    written = last_ingest(tmp_path / "out", reason=None, limit=20)

    assert refused is not None
    assert (refused.outcome, refused.read, refused.dataset_hash) == ("refused", None, None)
    assert refused.rejected_by_reason == {"started_at_unreadable": 2, "started_at_missing": 1}
    assert [row.original["id"] for row in refused.rows] == ["b", "c", "d"]
    assert written is not None
    assert written.outcome == "written"


def test_a_dataset_that_no_ingest_wrote_has_none(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")

    assert last_ingest(tmp_path, reason=None, limit=20) is None


def test_a_dataset_in_a_bucket_has_none() -> None:
    assert last_ingest(None, reason=None, limit=20) is None


def test_a_long_text_is_cut(tmp_path: Path, raw: Path, mapping: Path) -> None:
    raw.write_text(f"{ROWS}e,never,{'x' * 10_000}\n")
    ingest([raw], mapping, tmp_path / "out")

    told = last_ingest(tmp_path / "out", reason=None, limit=20)

    assert told is not None
    assert told.rows[-1].original["region"] == "x" * LONGEST_TEXT + "…"


@pytest.mark.parametrize("name", ["ingest-report.json", "rejects.parquet"])
def test_a_file_that_no_ingest_wrote_is_named(tmp_path: Path, raw: Path, mapping: Path, name: str) -> None:
    ingest([raw], mapping, tmp_path / "out")
    (tmp_path / "out" / name).write_bytes(b"[]")

    with pytest.raises(DataCorrupt, match=name):
        last_ingest(tmp_path / "out", reason=None, limit=20)
