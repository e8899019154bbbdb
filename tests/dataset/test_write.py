from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from supportapi.calls.manifest import Manifest, read_manifest
from supportapi.calls.record import canonical
from supportapi.dataset.files import sha256_of
from supportapi.dataset.write import Writer, write_dataset
from supportapi.errors import DatasetNotWritable

if TYPE_CHECKING:
    from pathlib import Path


def calls(*ids: str) -> pl.LazyFrame:
    times = [datetime(2024, 5, 6, 12, tzinfo=UTC)] * len(ids)
    return canonical(pl.LazyFrame({"call_id": ids, "started_at": times}))


def live(out: Path) -> Manifest:
    return read_manifest((out / "manifest.json").read_bytes())


def test_equal_calls_give_equal_bytes_sorted_by_start_and_id(tmp_path: Path) -> None:
    one = write_dataset(calls("b", "a"), tmp_path / "one")
    two = write_dataset(calls("a", "b"), tmp_path / "two")

    assert pl.read_parquet(tmp_path / "one" / "cleaned_calls.parquet")["call_id"].to_list() == ["a", "b"]
    assert one.hash == two.hash == sha256_of(tmp_path / "two" / "cleaned_calls.parquet")


def test_the_manifest_tells_what_was_written(tmp_path: Path) -> None:
    write_dataset(calls("a"), tmp_path, source="a test", notes="a note")

    manifest = live(tmp_path)
    assert (manifest.dataset, manifest.path, manifest.row_count) == ("cleaned_calls", "cleaned_calls.parquet", 1)
    assert (manifest.source, manifest.notes) == ("a test", "a note")
    assert manifest.columns == ("call_id", "started_at")
    assert manifest.min_started_at == manifest.max_started_at == datetime(2024, 5, 6, 12, tzinfo=UTC)
    assert manifest.updated_at is not None
    assert manifest.updated_at.utcoffset() is not None
    assert [file.hash for file in manifest.files] == [manifest.hash]


def test_a_writer_that_does_not_publish_changes_nothing(tmp_path: Path) -> None:
    before = write_dataset(calls("a"), tmp_path)

    with Writer(tmp_path) as writer:
        writer.stage(calls("b"))

    assert live(tmp_path) == before
    assert sha256_of(tmp_path / "cleaned_calls.parquet") == before.hash


def test_a_writer_killed_between_calls_and_manifest_is_finished_by_the_next(tmp_path: Path) -> None:
    write_dataset(calls("a"), tmp_path)
    killed = write_dataset(calls("b"), tmp_path / "elsewhere")
    os.replace(tmp_path / "elsewhere" / "cleaned_calls.parquet", tmp_path / "cleaned_calls.parquet")  # noqa: PTH105 - as the writer
    os.replace(tmp_path / "elsewhere" / "manifest.json", tmp_path / ".manifest.json.next")  # noqa: PTH105 - as the writer

    with Writer(tmp_path):
        pass

    assert live(tmp_path) == killed


@pytest.mark.parametrize("waiting", [b"{", None])
def test_a_waiting_manifest_of_calls_that_never_became_live_is_dropped(tmp_path: Path, waiting: bytes | None) -> None:
    before = write_dataset(calls("a"), tmp_path)
    write_dataset(calls("b"), tmp_path / "elsewhere")
    staged = waiting or (tmp_path / "elsewhere" / "manifest.json").read_bytes()
    (tmp_path / ".manifest.json.next").write_bytes(staged)

    with Writer(tmp_path):
        pass

    assert live(tmp_path) == before
    assert not (tmp_path / ".manifest.json.next").exists()


def test_a_folder_that_cannot_be_made_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where a folder should be")

    with pytest.raises(DatasetNotWritable):
        write_dataset(calls("a"), tmp_path / "out")
