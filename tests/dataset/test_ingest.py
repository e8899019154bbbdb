from __future__ import annotations

import gzip
import threading
from typing import TYPE_CHECKING

import msgspec
import polars as pl
import pytest

from supportapi.calls.manifest import read_manifest
from supportapi.dataset.files import LOCK_NAME, locked
from supportapi.dataset.ingest import ingest, raw_folder
from supportapi.errors import DatasetNotWritable, IngestRejected, MappingInvalid, RawFileUnreadable, SchemaInvalid

if TYPE_CHECKING:
    from pathlib import Path

MAPPING = """
name = "test"
time_zone = "UTC"
[columns]
call_id = "id"
started_at = { from = "start", formats = "iso" }
region = "region"
wait_seconds = "wait"
"""
HEADER = "id,start,region,wait\n"
RECORDS = (
    b'{"id":"a","start":"2024-05-06T12:00:00Z","region":"North","wait":1}',
    b'{"id":"b","start":"2024-05-06T11:00:00Z","region":"South"}',
)
GOOD = "a,2024-05-06 12:00:00,North,1\nb,2024-05-06 11:00:00,South,\n"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING)
    return path


def raw(tmp_path: Path, text: str, name: str = "calls.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def calls(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "cleaned_calls.parquet")


def test_calls_are_sorted_by_start_and_described_by_the_manifest(tmp_path: Path, mapping: Path) -> None:
    report = ingest([raw(tmp_path, HEADER + GOOD)], mapping, tmp_path / "out")

    manifest = read_manifest((tmp_path / "out" / "manifest.json").read_bytes())
    assert calls(tmp_path / "out")["call_id"].to_list() == ["b", "a"]
    assert manifest == report.manifest
    assert (manifest.row_count, manifest.source) == (2, "test")
    assert manifest.columns == ("call_id", "region", "started_at", "wait_seconds")
    assert manifest.files[0].size_bytes == (tmp_path / "out" / "cleaned_calls.parquet").stat().st_size
    assert str(manifest.min_started_at) == "2024-05-06 11:00:00+00:00"


def test_every_row_is_accounted_for(tmp_path: Path, mapping: Path) -> None:
    text = (
        HEADER
        + GOOD
        + "a,2024-05-06 13:00:00,North,2\nc,,North,3\n,2024-05-06 14:00:00,,\n\nd,2024-05-06 15:00:00,North,-4\n,,,\n"
    )

    report = ingest([raw(tmp_path, text)], mapping, tmp_path / "out")

    assert (report.read, report.written, report.rejected, report.duplicates) == (6, 3, 2, 1)
    assert report.rejected_by_reason == {"call_id_missing": 1, "started_at_missing": 1}
    assert report.manifest.rejected_rows == 2
    assert report.altered_by_reason == {"wait_negative": 1}
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet").rows() == [
        ("calls.csv", 5, "started_at_missing", '{"id":"c","start":null,"region":"North","wait":"3"}'),
        ("calls.csv", 6, "call_id_missing", '{"id":null,"start":"2024-05-06 14:00:00","region":null,"wait":null}'),
    ]


def test_the_first_of_repeated_calls_stays_or_the_last_one_when_declared(tmp_path: Path, mapping: Path) -> None:
    file = raw(tmp_path, HEADER + GOOD + "a,2024-05-06 13:00:00,West,2\n")
    last = tmp_path / "last.toml"
    last.write_text(MAPPING.replace("[columns]", '[duplicates]\nkeep = "last"\n[columns]'))

    ingest([file], mapping, tmp_path / "first")
    ingest([file], last, tmp_path / "last")

    assert calls(tmp_path / "first").filter(call_id="a")["region"].to_list() == ["North"]
    assert calls(tmp_path / "last").filter(call_id="a")["region"].to_list() == ["West"]


def test_another_key_may_tell_duplicates_and_ids_stay_unique(tmp_path: Path) -> None:
    rules = tmp_path / "key.toml"
    rules.write_text(MAPPING.replace("[columns]", '[duplicates]\nkey = ["started_at", "region"]\n[columns]'))
    text = HEADER + "a,2024-05-06 12:00:00,North,1\nz,2024-05-06 12:00:00,North,1\na,2024-05-06 13:00:00,North,1\n"

    report = ingest([raw(tmp_path, text)], rules, tmp_path / "out")

    assert (report.read, report.written, report.rejected, report.duplicates) == (3, 1, 1, 1)
    assert report.rejected_by_reason == {"call_id_repeated": 1}


def test_several_files_are_one_dataset(tmp_path: Path, mapping: Path) -> None:
    first = raw(tmp_path, HEADER + GOOD)
    second = raw(
        tmp_path, "region;wait;id;start\nEast;5;c;2024-05-07 08:00:00\nEast;;;2024-05-07 09:00:00\n", "more.csv"
    )

    report = ingest([first, second], mapping, tmp_path / "out")

    assert (report.read, report.written) == (4, 3)
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet").select("file", "line").rows() == [("more.csv", 3)]


@pytest.mark.parametrize(
    "content",
    [
        (HEADER + GOOD).encode("utf-8-sig"),
        (HEADER + GOOD).replace("\n", "\r\n").encode(),
        (HEADER + GOOD).replace(",", "\t").encode(),
        (HEADER + GOOD).replace(",", ";").encode(),
        (HEADER + GOOD).replace(",", "|").encode(),
        (HEADER + GOOD).encode("utf-16"),
        (HEADER + GOOD + "\n\n,,,\n").encode(),
        HEADER.encode() + b'a,2024-05-06 12:00:00,"North",1\n"b","2024-05-06 11:00:00",South,""\n',
        gzip.compress((HEADER + GOOD).encode()),
        b"[%s,%s]" % RECORDS,
        b"%s\n%s\n" % RECORDS,
    ],
    ids=["bom", "crlf", "tab", "semicolon", "bar", "utf-16", "blank tail", "quoted", "gzip", "json", "ndjson"],
)
def test_the_same_calls_in_another_form_are_the_same_dataset(tmp_path: Path, mapping: Path, content: bytes) -> None:
    plain = ingest([raw(tmp_path, HEADER + GOOD)], mapping, tmp_path / "plain")
    file = tmp_path / "other.dat"
    file.write_bytes(content)

    other = ingest([file], mapping, tmp_path / "other")

    assert other.dataset_hash == plain.dataset_hash


def test_a_declared_encoding_is_read(tmp_path: Path) -> None:
    rules = tmp_path / "latin.toml"
    rules.write_text(MAPPING.replace("[columns]", '[read]\nencoding = "cp1252"\n[columns]'))
    file = tmp_path / "latin.csv"
    file.write_bytes((HEADER + "a,2024-05-06 12:00:00,Zürich,1\n").encode("cp1252"))

    ingest([file], rules, tmp_path / "out")

    assert calls(tmp_path / "out")["region"].to_list() == ["Zürich"]


def test_foreign_text_without_a_declared_encoding_is_read_as_cp1252_and_that_is_said(
    tmp_path: Path, mapping: Path
) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes((HEADER + "a,2024-05-06 12:00:00,Zürich,1\n").encode("cp1252"))

    report = ingest([file], mapping, tmp_path / "out")

    assert calls(tmp_path / "out")["region"].to_list() == ["Zürich"]
    assert "latin.csv: read as cp1252; say read.encoding if letters look wrong" in report.assumed


def test_lines_of_rejects_count_line_breaks_within_quotes(tmp_path: Path, mapping: Path) -> None:
    text = HEADER + 'a,2024-05-06 12:00:00,"North\nand\nSouth",1\n,2024-05-06 12:00:00,East,1\n'

    ingest([raw(tmp_path, text)], mapping, tmp_path / "out")

    assert calls(tmp_path / "out")["region"].to_list() == ["North\nand\nSouth"]
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet")["line"].to_list() == [5]


def test_a_header_further_down_is_declared(tmp_path: Path) -> None:
    rules = tmp_path / "header.toml"
    rules.write_text(MAPPING.replace("[columns]", "[read]\nheader_row = 3\n[columns]"))

    report = ingest([raw(tmp_path, "Export of May\n\n" + HEADER + GOOD + ",,North,\n")], rules, tmp_path / "out")

    assert (report.written, report.rejected) == (2, 1)
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet")["line"].to_list() == [6]


def test_nested_fields_are_named_with_dots(tmp_path: Path) -> None:
    rules = tmp_path / "nested.toml"
    rules.write_text(MAPPING.replace('region = "region"', 'region = "customer.region"'))
    file = raw(
        tmp_path, '{"id":"a","start":"2024-05-06T12:00:00Z","customer":{"region":"North"},"wait":1}\n', "calls.ndjson"
    )

    ingest([file], rules, tmp_path / "out")

    assert calls(tmp_path / "out")["region"].to_list() == ["North"]


def test_equal_input_gives_equal_bytes_in_any_order(tmp_path: Path, mapping: Path) -> None:
    lines = GOOD.splitlines(keepends=True)
    forwards = ingest([raw(tmp_path, HEADER + "".join(lines))], mapping, tmp_path / "forwards")
    backwards = ingest([raw(tmp_path, HEADER + "".join(reversed(lines)))], mapping, tmp_path / "backwards")

    assert forwards.dataset_hash == backwards.dataset_hash


def test_a_ready_parquet_needs_no_mapping(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "id": ["a", "b", "b", None],
            "start_time": ["2024-05-06 12:00:00"] * 4,
            "call_duration_minutes": [2.38, 0.0, 1.0, 1.0],
            "skill_rating": [4, 9, None, None],
        }
    )
    frame.with_columns(pl.col("start_time").str.to_datetime()).write_parquet(tmp_path / "ready.parquet")

    report = ingest([tmp_path / "ready.parquet"], None, tmp_path / "out")

    assert (report.read, report.written, report.rejected, report.duplicates) == (4, 2, 1, 1)
    assert report.altered_by_reason == {"duration_zero": 1, "rating_outside_scale": 1}
    assert calls(tmp_path / "out").select("call_id", "duration_seconds", "rating").rows() == [
        ("a", 142.8, 4),
        ("b", None, None),
    ]


def test_a_written_dataset_ingested_again_is_itself(tmp_path: Path, mapping: Path) -> None:
    first = ingest([raw(tmp_path, HEADER + GOOD)], mapping, tmp_path / "out")

    again = ingest([tmp_path / "out" / "cleaned_calls.parquet"], None, tmp_path / "again")

    assert again.dataset_hash == first.dataset_hash


def test_a_ready_file_with_text_that_is_no_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaInvalid, match="yesterday"):
        ingest([raw(tmp_path, "call_id,started_at\na,yesterday\n")], None, tmp_path / "out")


def test_iso_times_without_a_zone_ask_for_one(tmp_path: Path) -> None:
    rules = tmp_path / "zoneless.toml"
    rules.write_text(MAPPING.replace('time_zone = "UTC"', ""))

    with pytest.raises(MappingInvalid, match="time_zone = "):
        ingest([raw(tmp_path, HEADER + GOOD)], rules, tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "is empty"), (HEADER.encode(), "no rows"), (b"PAR1 and nothing more", "cannot be read")]
)
def test_a_file_without_calls_is_refused(tmp_path: Path, mapping: Path, content: bytes, told: str) -> None:
    file = tmp_path / "calls.csv"
    file.write_bytes(content)

    with pytest.raises(RawFileUnreadable, match=told):
        ingest([file], mapping, tmp_path / "out")


def test_a_missing_file_is_refused(tmp_path: Path, mapping: Path) -> None:
    with pytest.raises(RawFileUnreadable, match="No such file"):
        ingest([tmp_path / "none.csv"], mapping, tmp_path / "out")


def test_a_file_of_which_no_row_is_a_call_leaves_the_live_dataset(tmp_path: Path, mapping: Path) -> None:
    live = ingest([raw(tmp_path, HEADER + GOOD)], mapping, tmp_path / "out")

    with pytest.raises(IngestRejected, match="2 x started_at_unreadable"):
        ingest([raw(tmp_path, HEADER + "a,x,,\nb,y,,\n")], mapping, tmp_path / "out")

    assert read_manifest((tmp_path / "out" / "manifest.json").read_bytes()) == live.manifest
    assert hidden(tmp_path / "out") == [LOCK_NAME]


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_what_a_killed_run_left_is_cleaned_by_the_next(tmp_path: Path, mapping: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".cleaned_calls.parquet.1.supportapi-tmp").write_bytes(b"half")
    (out / ".raw-0.1.supportapi-tmp.plain").write_bytes(b"half")

    ingest([raw(tmp_path, HEADER + GOOD)], mapping, out)

    assert hidden(out) == [LOCK_NAME]


def test_a_second_ingest_into_the_same_folder_is_refused_clearly(tmp_path: Path, mapping: Path) -> None:
    with locked(tmp_path / "out", 0), pytest.raises(DatasetNotWritable, match="Another ingest") as refused:
        ingest([raw(tmp_path, HEADER + GOOD)], mapping, tmp_path / "out", lock_wait_seconds=0.1)

    assert refused.value.facts["reason"] == "locked"


def test_progress_is_told(tmp_path: Path, mapping: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    ingest(
        [raw(tmp_path, HEADER + GOOD)],
        mapping,
        tmp_path / "out",
        progress=lambda stage, done, total: seen.append((stage, done, total)),
    )

    assert (seen[0], *seen[-3:]) == (("read", 0, 3), ("read", 2, 2), ("write", 0, 2), ("write", 2, 2))


def test_a_raw_folder_is_ingested_by_the_mapping_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / ".gitkeep").touch()
    (folder / "mapping.toml").write_text(MAPPING)
    raw(folder, HEADER + GOOD)

    assert ingest(*raw_folder(folder), tmp_path / "out").written == 2


def test_a_raw_folder_without_a_mapping_holds_a_ready_dataset(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    raw(folder, "call_id,started_at\na,2024-05-06T12:00:00Z\n")

    assert ingest(*raw_folder(folder), tmp_path / "out").written == 1


@pytest.mark.parametrize("exists", [True, False])
def test_an_empty_or_missing_raw_folder_says_what_belongs_there(tmp_path: Path, exists: bool) -> None:  # noqa: FBT001 - a value
    folder = tmp_path / "raw"
    if exists:
        folder.mkdir()

    with pytest.raises(RawFileUnreadable, match="Put the export there") as refused:
        ingest(*raw_folder(folder), tmp_path / "out")

    assert refused.value.facts["reason"] == "no_files"


def test_a_report_is_json(tmp_path: Path, mapping: Path) -> None:
    report = ingest([raw(tmp_path, HEADER + GOOD)], mapping, tmp_path / "out")

    assert msgspec.json.decode(msgspec.json.encode(report))["dataset_hash"] == report.dataset_hash


def test_a_second_ingest_waits_for_the_first(tmp_path: Path, mapping: Path) -> None:
    held, release = threading.Event(), threading.Event()

    def first() -> None:
        with locked(tmp_path / "out", 0):
            held.set()
            release.wait(10)

    holder = threading.Thread(target=first)
    holder.start()
    held.wait(10)
    threading.Timer(0.2, release.set).start()

    report = ingest([raw(tmp_path, HEADER + GOOD)], mapping, tmp_path / "out", lock_wait_seconds=10)

    holder.join()
    assert report.written == 2
