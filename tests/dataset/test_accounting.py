from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import polars as pl
import pytest

from supportapi.calls.mapping import read_mapping
from supportapi.dataset.ingest import ingest
from supportapi.dataset.report import FileRows, IngestReport
from supportapi.errors import IngestRejected, MappingInvalid

if TYPE_CHECKING:
    from pathlib import Path

MAPPING = """
time_zone = "UTC"
[columns]
call_id = "id"
started_at = "start"
region = "region"
wait_seconds = "wait"
duration_seconds = { from = "talk", unreadable = "null" }
"""
HEADER = "id,start,region,wait,talk,queue,updated,customer name\n"
GOOD = "a,2024-05-06 12:00:00,North,1,60,main,1,Ann\nb,2024-05-06 11:00:00,South,,,main,1,Bob\n"


def rules(tmp_path: Path, *tables: str) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text("\n".join((MAPPING, *tables)))
    return path


def raw(tmp_path: Path, text: str, name: str = "calls.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def calls(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "cleaned_calls.parquet")


def test_a_short_row_is_a_call_and_a_long_one_is_none_and_both_can_be_looked_up(tmp_path: Path) -> None:
    text = HEADER + "a,2024-05-06 12:00:00,North,1\nb,2024-05-06 11:00:00,South,2,60,main,1,Bob,surplus\n"

    report = ingest([raw(tmp_path, text)], rules(tmp_path), tmp_path / "out")

    short = '{"id":"a","start":"2024-05-06 12:00:00","region":"North","wait":"1","talk":null}'
    long = '{"id":"b","start":"2024-05-06 11:00:00","region":"South","wait":"2","talk":"60"}'
    assert (report.written, report.rejected, report.altered_by_reason) == (1, 1, {"too_few_fields": 1})
    assert pl.read_parquet(tmp_path / "out" / "altered.parquet").rows() == [
        ("calls.csv", 2, "a", None, "too_few_fields", short),
    ]
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet").rows() == [("calls.csv", 3, "too_many_fields", long)]


def test_rows_that_a_filter_leaves_out_are_counted_by_filter_and_not_rejected(tmp_path: Path) -> None:
    mapping = rules(
        tmp_path,
        '[[filters]]\ncolumn = "queue"\nis_not = ["TEST", "demo"]',
        '[[filters]]\ncolumn = "id"\npresent = true',
        '[[filters]]\ncolumn = "talk"\nabove = 0',
    )
    text = HEADER + GOOD + "c,never,,,5,test,,\n,2024-05-06,,,5,main,,\nd,never,,,5,,,\ne,2024-05-06,,,0,demo,,\n"

    report = ingest([raw(tmp_path, text)], mapping, tmp_path / "out")

    assert (report.read, report.written, report.rejected, report.filtered) == (6, 1, 1, 4)
    assert report.filtered_by_filter == {"queue is_not TEST, demo": 2, "id present true": 1, "talk above 0.0": 1}
    assert report.rejected_by_reason == {"started_at_unreadable": 1}


def test_the_newest_correction_stays_wherever_it_stands(tmp_path: Path) -> None:
    mapping = rules(tmp_path, '[duplicates]\nkeep = "last"\norder = { from = "updated", formats = "number" }')
    text = HEADER + "a,2024-05-06,new,,,,10,\na,2024-05-06,old,,,,9,\na,2024-05-06,unknown,,,,,\n"

    report = ingest([raw(tmp_path, text)], mapping, tmp_path / "out")

    assert (report.written, report.duplicates) == (1, 2)
    assert calls(tmp_path / "out")["region"].to_list() == ["new"]


def test_only_rows_that_repeat_in_every_value_may_be_duplicates(tmp_path: Path) -> None:
    mapping = rules(tmp_path, '[duplicates]\nkey = "row"')
    text = HEADER + GOOD + GOOD + "b,2024-05-06 11:00:00,South,,,main,2,Bob\n"

    report = ingest([raw(tmp_path, text)], mapping, tmp_path / "out")

    assert (report.read, report.written, report.rejected, report.duplicates) == (5, 2, 1, 2)
    assert report.rejected_by_reason == {"call_id_repeated": 1}


def test_values_that_were_made_null_are_listed_with_what_stood_there(tmp_path: Path) -> None:
    text = HEADER + GOOD + "c,2024-05-06,,-1,0,,,Cy\nd,2024-05-07,,,soon,,,Di\n"

    report = ingest([raw(tmp_path, text)], rules(tmp_path), tmp_path / "out")

    assert report.altered_by_reason == {"duration_seconds_unreadable": 1, "wait_negative": 1, "duration_zero": 1}
    assert pl.read_parquet(tmp_path / "out" / "altered.parquet").rows() == [
        ("calls.csv", 4, "c", "wait_seconds", "wait_negative", '{"wait":"-1"}'),
        ("calls.csv", 4, "c", "duration_seconds", "duration_zero", '{"talk":"0"}'),
        ("calls.csv", 5, "d", "duration_seconds", "duration_seconds_unreadable", '{"talk":"soon"}'),
    ]


def test_an_altered_length_of_a_typed_file_stands_there_as_a_clock_shows_it(tmp_path: Path) -> None:
    moment = datetime(2024, 5, 6, tzinfo=UTC)
    calls = pl.DataFrame({"id": ["a"], "start": [moment], "talk": [timedelta(0)]})
    calls.write_parquet(tmp_path / "calls.parquet")
    columns = '[columns]\ncall_id = "id"\nstarted_at = "start"\nduration_seconds = "talk"\n'

    ingest([tmp_path / "calls.parquet"], read_mapping(columns), tmp_path / "out")

    told = pl.read_parquet(tmp_path / "out" / "altered.parquet").select("reason", "original").rows()
    assert told == [("duration_zero", '{"talk":"0:00:00"}')]


def test_the_report_tells_how_many_altered_values_are_not_listed(tmp_path: Path) -> None:
    text = HEADER + "".join(f"{number},2024-05-06,,,0,,,\n" for number in range(1_500))

    report = ingest([raw(tmp_path, text)], rules(tmp_path), tmp_path / "out")

    assert report.altered_by_reason == {"duration_zero": 1_500}
    assert report.altered_listed == {"duration_zero": 1_000}
    assert pl.read_parquet(tmp_path / "out" / "altered.parquet")["line"].to_list() == list(range(2, 1_002))


def test_columns_that_the_mapping_does_not_name_are_kept_nowhere(tmp_path: Path) -> None:
    text = HEADER + GOOD + ",2024-05-06,North,1,0,main,1,Secret Name\nc,2024-05-06,,,0,main,1,Secret Name\n"

    ingest([raw(tmp_path, text)], rules(tmp_path), tmp_path / "out", rejects_csv=True)

    written = {path.name: path for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert {"rejects.parquet", "rejects.csv", "altered.parquet", "ingest-report.json"} <= set(written)
    assert [name for name, path in written.items() if b"Secret" in path.read_bytes()] == []
    assert pl.read_parquet(written["rejects.parquet"])["original"].to_list() == [
        '{"id":null,"start":"2024-05-06","region":"North","wait":"1","talk":"0"}'
    ]


def test_the_report_on_disk_is_that_of_the_live_dataset_by_file(tmp_path: Path) -> None:
    first = raw(tmp_path, HEADER + GOOD)
    second = raw(tmp_path, HEADER + "a,2024-05-08,,,,,,\n,2024-05-08,,,,,,\n", "more.csv")

    report = ingest([first, second], rules(tmp_path), tmp_path / "out")

    kept = msgspec.json.decode((tmp_path / "out" / "ingest-report.json").read_bytes(), type=IngestReport)
    assert msgspec.structs.replace(kept, seconds=report.seconds) == report
    assert kept.files == (
        FileRows(name="calls.csv", read=2, written=2, rejected=0, duplicates=0, filtered=0, folded=0),
        FileRows(name="more.csv", read=2, written=0, rejected=1, duplicates=1, filtered=0, folded=0),
    )


@pytest.mark.parametrize("limit", ["0", "24%"])
def test_too_many_rejects_leave_the_live_dataset_and_can_be_looked_at(tmp_path: Path, limit: str) -> None:
    out = tmp_path / "out"
    live = ingest([raw(tmp_path, HEADER + GOOD)], rules(tmp_path), out)
    text = HEADER + GOOD + "c,2024-05-06,,,,,,\nd,never,,,,,,\n"

    with pytest.raises(IngestRejected, match=r"rejects\.failed\.parquet"):
        ingest([raw(tmp_path, text)], rules(tmp_path), out, max_rejects=limit)

    assert pl.read_parquet(out / "rejects.failed.parquet").select("line", "reason").rows() == [
        (5, "started_at_unreadable")
    ]
    assert pl.read_parquet(out / "rejects.parquet").height == 0
    assert calls(out).height == live.written
    assert ingest([raw(tmp_path, text)], rules(tmp_path), out, max_rejects="25%").rejected == 1
    assert not (out / "rejects.failed.parquet").exists()


def test_a_limit_that_is_no_limit_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingInvalid, match="as in 100 or 1%"):
        ingest([raw(tmp_path, HEADER + GOOD)], rules(tmp_path), tmp_path / "out", max_rejects="some")


def test_a_spreadsheet_takes_nothing_of_the_rejects_for_a_formula(tmp_path: Path) -> None:
    file = raw(tmp_path, HEADER + GOOD + '"=1+1",never,,,,,,\n', "@calls.csv")

    ingest([file], rules(tmp_path), tmp_path / "out", rejects_csv=True)

    rejects = pl.read_csv(tmp_path / "out" / "rejects.csv")
    assert rejects["file"].to_list() == ["'@calls.csv"]
    assert rejects["original"].to_list()[0].startswith('{"id":"=1+1"')


def test_rejects_as_csv_of_an_earlier_ingest_do_not_stay(tmp_path: Path) -> None:
    ingest([raw(tmp_path, HEADER + GOOD)], rules(tmp_path), tmp_path / "out", rejects_csv=True)

    ingest([raw(tmp_path, HEADER + GOOD)], rules(tmp_path), tmp_path / "out")

    assert not (tmp_path / "out" / "rejects.csv").exists()
