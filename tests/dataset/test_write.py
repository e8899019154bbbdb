from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from supportapi.calls.manifest import Manifest, dataset_hash, read_manifest
from supportapi.calls.record import canonical
from supportapi.dataset import spans
from supportapi.dataset.files import sha256_of
from supportapi.dataset.write import Partition, Writer, write_dataset
from supportapi.errors import DatasetNotWritable, SchemaInvalid

if TYPE_CHECKING:
    from pathlib import Path

MAY, JUNE = datetime(2024, 5, 6, 12, tzinfo=UTC), datetime(2024, 6, 6, 12, tzinfo=UTC)


def calls(*ids: str) -> pl.LazyFrame:
    times = [datetime(2024, 5, 6, 12, tzinfo=UTC)] * len(ids)
    return canonical(pl.LazyFrame({"call_id": ids, "started_at": times}))


def started(**times: datetime) -> pl.LazyFrame:
    """A call for each id, at its time."""
    return canonical(pl.LazyFrame({"call_id": list(times), "started_at": list(times.values())}))


def read(path: Path) -> list[str]:
    return pl.read_parquet(path)["call_id"].to_list()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.parquet")}


def on_disk(folder: Path) -> dict[str, tuple[int, int]]:
    """Which inode each file is, and when it was last written."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file()}


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


def test_each_month_is_a_file_named_by_its_bytes_and_the_first_instant_of_a_month_is_utc(tmp_path: Path) -> None:
    manifest = write_dataset(
        started(
            b=datetime(2024, 5, 31, 23, 59, 59, 999_999, UTC),
            c=datetime(2024, 6, 1, tzinfo=UTC),
            a=datetime(2023, 5, 1, tzinfo=UTC),
        ),
        tmp_path,
        partition="month",
    )

    assert [read(tmp_path / file.path) for file in manifest.files] == [["a"], ["b"], ["c"]]
    assert [file.path for file in manifest.files] == [
        f"calls-{month}-{file.hash[:16]}.parquet"
        for month, file in zip(("2023-05", "2024-05", "2024-06"), manifest.files, strict=True)
    ]
    assert manifest == live(tmp_path)
    assert (manifest.path, manifest.hash) == (manifest.files[0].path, dataset_hash(manifest.files))
    assert (manifest.row_count, [file.row_count for file in manifest.files]) == (3, [1, 1, 1])


def test_a_month_that_changed_is_the_only_file_that_is_written_again(tmp_path: Path) -> None:
    write_dataset(started(a=MAY, b=JUNE), tmp_path, partition="month")
    before = on_disk(tmp_path)

    write_dataset(started(a=MAY, b=JUNE, c=JUNE), tmp_path, partition="month")

    after = on_disk(tmp_path)
    assert sorted(name[:13] for name in after.keys() - before.keys()) == ["calls-2024-06"]
    assert all(after[name] == state for name, state in before.items() if name.startswith("calls-2024-05"))


@pytest.mark.parametrize("partition", ["month", "none"])
def test_equal_calls_leave_every_file_as_it_is(tmp_path: Path, partition: Partition) -> None:
    write_dataset(started(a=MAY, b=JUNE), tmp_path, partition=partition)
    before = on_disk(tmp_path)

    write_dataset(started(b=JUNE, a=MAY), tmp_path, partition=partition)

    assert {name: state for name, state in on_disk(tmp_path).items() if name.endswith(".parquet")} == {
        name: state for name, state in before.items() if name.endswith(".parquet")
    }


def test_a_damaged_file_with_the_right_name_is_written_again(tmp_path: Path) -> None:
    manifest = write_dataset(started(a=MAY, b=JUNE), tmp_path, partition="month")
    damaged = tmp_path / manifest.files[0].path
    damaged.write_bytes(b"x" * damaged.stat().st_size)

    write_dataset(started(a=MAY, b=JUNE), tmp_path, partition="month")

    assert sha256_of(damaged) == manifest.files[0].hash


def test_files_stay_for_one_more_dataset_and_files_of_others_for_ever(tmp_path: Path) -> None:
    first = write_dataset(started(a=MAY), tmp_path, partition="month")
    (tmp_path / "mine.parquet").write_bytes(b"of somebody else")
    second = write_dataset(started(b=MAY), tmp_path, partition="month")
    both = names(tmp_path)

    third = write_dataset(started(c=MAY), tmp_path, partition="month")

    assert both == {first.path, second.path, "mine.parquet"}
    assert names(tmp_path) == {second.path, third.path, "mine.parquet"}


def test_a_writer_of_months_killed_before_its_manifest_leaves_the_old_dataset_and_is_finished(tmp_path: Path) -> None:
    before = write_dataset(started(a=MAY), tmp_path, partition="month")
    killed = write_dataset(started(a=MAY, b=JUNE), tmp_path / "elsewhere", partition="month")
    shutil.copy(tmp_path / "elsewhere" / killed.files[1].path, tmp_path)
    old = live(tmp_path)
    shutil.copy(tmp_path / "elsewhere" / "manifest.json", tmp_path / ".manifest.json.next")

    with Writer(tmp_path):
        pass

    assert old == before
    assert live(tmp_path) == killed


@pytest.mark.parametrize("partition", ["month", "none"])
def test_bytes_do_not_depend_on_how_many_calls_are_sorted_together(
    tmp_path: Path, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = pl.datetime_range(MAY, JUNE, "7m", eager=True)
    many = canonical(pl.LazyFrame({"call_id": hours.cast(pl.Int64).cast(pl.String), "started_at": hours.reverse()}))
    whole = write_dataset(many, tmp_path / "whole", partition=partition)
    monkeypatch.setattr(spans.joined, "__defaults__", (300,))

    pieces = write_dataset(many, tmp_path / "pieces", partition=partition)

    assert pieces.hash == whole.hash
    assert pieces.files == whole.files


def test_a_call_without_a_start_is_refused_rather_than_lost(tmp_path: Path) -> None:
    placeless = canonical(pl.LazyFrame({"call_id": ["a", "b"], "started_at": [MAY, None]}))

    with pytest.raises(SchemaInvalid, match="1 calls have no started_at"):
        write_dataset(placeless, tmp_path)

    assert names(tmp_path) == set()


def test_a_folder_that_cannot_be_made_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where a folder should be")

    with pytest.raises(DatasetNotWritable):
        write_dataset(calls("a"), tmp_path / "out")
