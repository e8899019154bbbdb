from __future__ import annotations

import io
import os
import threading
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from supportapi.errors import ExportFailed
from supportapi.exports.formats import FORMATS, FormatName
from supportapi.exports.write import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STARTED = datetime(2026, 1, 5, 9, 30, 0, 250_000, tzinfo=UTC)
SCHEMA = pl.Schema(
    {
        "name": pl.String,
        "started_at": pl.Datetime("us", "UTC"),
        "wait": pl.Float64,
        "rating": pl.Int8,
        "resolved": pl.Boolean,
    }
)
FRAMES = [
    pl.DataFrame([('Ann, "B"\nC', STARTED, -1.5, 5, True), ("Ünal", STARTED, None, None, None)], SCHEMA, orient="row"),
    pl.DataFrame([(None, STARTED.replace(microsecond=0), 0.0, 1, False)], SCHEMA, orient="row"),
]
WHOLE = pl.concat(FRAMES)
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]


def written(frames: list[pl.DataFrame], name: FormatName, schema: pl.Schema = SCHEMA) -> bytes:
    """What goes through a pipe, which cannot seek."""
    end, descriptor = os.pipe()
    got: list[bytes] = []

    def read() -> None:
        with os.fdopen(end, "rb") as opened:
            got.append(opened.read())

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(descriptor, "wb") as out:
        write(frames, schema, name, out, threading.Event())
    reader.join()
    return got[0]


def _instants(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("started_at").str.to_datetime("%+", time_unit="us", time_zone="UTC")).cast(SCHEMA)


READERS: dict[FormatName, Callable[[io.BytesIO], pl.DataFrame]] = {
    "csv": lambda file: _instants(pl.read_csv(file)),
    "ndjson": lambda file: _instants(pl.read_ndjson(file)),
    "parquet": pl.read_parquet,
    "arrow": pl.read_ipc,
    "xlsx": lambda file: pl.read_excel(file).with_columns(pl.col("started_at").dt.replace_time_zone("UTC")).cast(
        SCHEMA
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FORMATS))
def test_what_is_written_is_read_back_whole_and_in_order(name: FormatName) -> None:
    found = READERS[name](io.BytesIO(written(FRAMES, name)))

    assert found.to_dicts() == WHOLE.to_dicts()


@pytest.mark.parametrize("name", ["csv", "parquet", "arrow"])
def test_a_file_without_rows_has_its_columns(name: FormatName) -> None:
    found = READERS[name](io.BytesIO(written([], name)))

    assert (found.columns, found.height) == (SCHEMA.names(), 0)


def test_a_workbook_without_rows_has_a_header() -> None:
    found = pl.read_excel(io.BytesIO(written([], "xlsx")), has_header=False)

    assert found.rows() == [tuple(SCHEMA.names())]


def test_ndjson_of_no_rows_is_empty() -> None:
    assert written([], "ndjson") == b""


def test_instants_are_written_as_json_has_them() -> None:
    lines = written(FRAMES, "csv").decode().splitlines()

    assert lines[0] == "name,started_at,wait,rating,resolved"
    assert lines[-1] == ",2026-01-05T09:30:00Z,0.0,1,false"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_run_is_defused_in_csv(text: str) -> None:
    frame = pl.DataFrame({"name": [text, f"not {text}"]})

    found = pl.read_csv(io.BytesIO(written([frame], "csv", frame.schema)))

    assert found["name"].to_list() == [f"'{text}", f"not {text}"]


def test_a_negative_number_stays_a_number() -> None:
    frame = pl.DataFrame({"delta": [-1.5], "count": [-3]})

    assert written([frame], "csv", frame.schema) == b"delta,count\n-1.5,-3\n"


@pytest.mark.parametrize("text", [*FORMULAS, "https://example.org", "007"])
def test_a_text_stays_a_text_in_a_workbook(text: str) -> None:
    frame = pl.DataFrame({"name": [text]})

    book = written([frame], "xlsx", frame.schema)

    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert pl.read_excel(io.BytesIO(book), infer_schema_length=0)["name"].to_list() == [text]


@pytest.mark.parametrize("name", list(FORMATS))
def test_what_fails_on_the_way_fails_the_file(name: FormatName) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        yield FRAMES[0]
        raise OSError("the disk is gone")

    with pytest.raises((OSError, pl.exceptions.ComputeError), match="the disk is gone"):
        write(frames(), SCHEMA, name, io.BytesIO(), threading.Event())


@pytest.mark.parametrize("name", ["parquet", "arrow", "xlsx"])
def test_a_half_written_file_cannot_be_read_as_a_whole_one(name: FormatName) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        yield FRAMES[0]
        raise OSError("the disk is gone")

    out = io.BytesIO()
    with pytest.raises((OSError, pl.exceptions.ComputeError)):
        write(frames(), SCHEMA, name, out, threading.Event())

    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever each reader says
        READERS[name](io.BytesIO(out.getvalue()))


def test_nothing_more_is_made_when_nobody_waits_for_it() -> None:
    asked: list[int] = []
    stopped = threading.Event()

    def frames() -> Iterator[pl.DataFrame]:
        for number in range(10):
            asked.append(number)
            yield FRAMES[0]
            stopped.set()

    with pytest.raises(ExportFailed):
        write(frames(), SCHEMA, "csv", io.BytesIO(), stopped)

    assert asked == [0, 1]
