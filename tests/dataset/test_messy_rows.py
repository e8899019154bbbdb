"""Whatever rows a file holds, each of them is in exactly one place afterwards."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.calls.mapping import read_mapping
from supportapi.dataset.ingest import ingest

COLUMNS = ("id", "start", "end", "wait", "talk", "answered", "stars", "queue")
MAPPING = """
time_zone = "Europe/Berlin"
null_words = ["n/a"]
[[filters]]
column = "queue"
is_not = "test"
[columns]
call_id = "id"
started_at = "start"
ended_at = { from = "end", unreadable = "null" }
wait_seconds = { from = "wait", outside = "reject" }
duration_seconds = { from = "talk", unit = ["h:mm:ss", "seconds"], unreadable = "null" }
answered = { from = "answered", other = "null" }
rating = "stars"
"""
TABLES = {
    "calls": "",
    "last": '[duplicates]\nkeep = "last"\norder = "end"\n',
    "exact repeats": '[duplicates]\nkey = "row"\n',
    "another key": '[duplicates]\nkey = ["started_at", "rating"]\n',
    "folded": "[fold]\n",
    "folded without repeats": '[fold]\n[duplicates]\nkey = "row"\n',
}
JUNK = st.sampled_from(["", " ", "n/a", "N/A", "-", "soon", "\u200b", '"', "0"])
TIMES = st.sampled_from(
    ["2024-05-06 12:00", "2024-05-06T12:00:00Z", "2024-05-07", "2024-03-31 02:30", "2024-10-27 02:30", "1.5.2024"]
)
ROWS = st.tuples(
    st.sampled_from(["a", "b", "c", "d", " a ", ""]),
    TIMES | JUNK,
    TIMES | JUNK,
    st.sampled_from(["1", "-1", "2.5", "1e400"]) | JUNK,
    st.sampled_from(["0:01:00", "0", "-5", "61"]) | JUNK,
    st.sampled_from(["y", "N", "maybe"]) | JUNK,
    st.sampled_from(["1", "5", "6", "4.5"]) | JUNK,
    st.sampled_from(["test", "Main", ""]),
)


def text_of(rows: list[tuple[str, ...]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([COLUMNS, *rows])
    return written.getvalue()


@pytest.mark.parametrize("kind", TABLES)
@settings(max_examples=6, deadline=None)
@given(first=st.lists(ROWS, min_size=1, max_size=12), second=st.lists(ROWS, min_size=1, max_size=6))
def test_every_row_is_in_exactly_one_place(
    kind: str, first: list[tuple[str, ...]], second: list[tuple[str, ...]]
) -> None:
    good = ("good", "2024-05-06 12:00", "", "", "", "", "", "")
    mapping = read_mapping(MAPPING + TABLES[kind])
    with TemporaryDirectory() as folder:
        files = [Path(folder) / "first.csv", Path(folder) / "second.csv"]
        files[0].write_text(text_of([*first, good]))
        files[1].write_text(text_of(second))

        report = ingest(files, mapping, Path(folder) / "out")

        calls = pl.read_parquet(Path(folder) / "out" / "cleaned_calls.parquet")
        rejects = pl.read_parquet(Path(folder) / "out" / "rejects.parquet")
    blank = sum(1 for row in (*first, *second) if not any(row))
    assert report.read == len(first) + len(second) + 1 - blank
    assert report.read == report.written + report.rejected + report.duplicates + report.filtered + report.folded
    assert Counter(rejects["reason"].to_list()) == report.rejected_by_reason
    assert rejects.select("file", "line").is_unique().all()
    assert calls["call_id"].n_unique() == calls.height == report.written
    assert calls.filter((pl.col("ended_at") < pl.col("started_at")) | (pl.col("duration_seconds") <= 0)).is_empty()
    assert report.filtered == sum(row[-1].lower() == "test" for row in (*first, *second))
