from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from supportapi.calls.clean import clean
from supportapi.calls.mapping import read_mapping
from supportapi.errors import RawFileUnreadable
from tests.dataset.reading import raws, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TYPED = """
[columns]
call_id = "id"
started_at = "start"
region = "region"
channel = "day"
issue_type = "of.kind"
resolution = "tags.1"
duration_seconds = { from = "talk", unit = "h:mm:ss" }
wait_seconds = "wait"
customer_id = "clock"
agent_id = "code"
"""


def typed() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [1],
            "start": pl.Series([datetime(2024, 5, 6, 12)], dtype=pl.Datetime("ns", "UTC")),  # noqa: DTZ001 - it has
            "region": pl.Series(["North"], dtype=pl.Categorical),
            "day": [date(2024, 5, 6)],
            "of": [{"kind": "billing"}],
            "tags": [["a", "b"]],
            "talk": pl.Series([timedelta(seconds=143)], dtype=pl.Duration("ms")),
            "wait": pl.Series([Decimal("12.5")], dtype=pl.Decimal(10, 2)),
            "clock": [time(1, 2, 3)],
            "code": pl.Series(["x"], dtype=pl.Enum(["x"])),
        }
    )


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("calls.parquet", pl.DataFrame.write_parquet),
        ("calls.arrow", pl.DataFrame.write_ipc),
        ("calls", pl.DataFrame.write_parquet),
    ],
)
def test_typed_columns_are_read_as_what_they_are(
    tmp_path: Path, name: str, write: Callable[[pl.DataFrame, Path], object]
) -> None:
    write(typed(), tmp_path / name)
    (raw,) = raws(tmp_path / name)

    call = clean(raw.rows, read_mapping(TYPED)).calls.collect().row(0, named=True)

    assert {key: call[key] for key in ("call_id", "region", "channel", "issue_type", "resolution", "agent_id")} == {
        "call_id": "1", "region": "North", "channel": "2024-05-06", "issue_type": "billing", "resolution": "b",
        "agent_id": "x",
    }  # fmt: skip
    assert (call["duration_seconds"], call["wait_seconds"], str(call["started_at"])) == (
        143.0, 12.5, "2024-05-06 12:00:00+00:00",
    )  # fmt: skip


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_bytes(b"")

    with pytest.raises(RawFileUnreadable, match="is empty"):
        rows(tmp_path / "calls.csv")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RawFileUnreadable, match=r"calls\.csv"):
        rows(tmp_path / "calls.csv")


def test_brackets_in_a_header_are_no_json(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("[id],[start]\n1,2\n")

    assert rows(tmp_path / "calls.csv").rows() == [("1", "2")]
