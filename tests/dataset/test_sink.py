from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from supportapi.dataset.sink import sink


def test_what_the_disk_refuses_is_raised_as_it_was_when_polars_has_done() -> None:
    with pytest.raises(OSError, match="No space left") as refused, sink(Path("/dev/full")) as file:
        pl.LazyFrame({"a": range(1_000)}).sink_parquet(file, engine="streaming")

    assert refused.value.errno == errno.ENOSPC


def test_what_is_written_is_there(tmp_path: Path) -> None:
    with sink(tmp_path / "a.parquet") as file:
        pl.LazyFrame({"a": range(1_000)}).sink_parquet(file, engine="streaming")

    assert pl.read_parquet(tmp_path / "a.parquet")["a"].to_list() == list(range(1_000))


def test_an_ingest_without_room_ends_and_says_so(tmp_path: Path) -> None:
    rows = [f"c{k},2024-05-{k % 28 + 1:02d}T12:00:00Z,Agent {k * 7919 % 9973}" for k in range(100_000)]
    (tmp_path / "calls.csv").write_text("\n".join(["call_id,started_at,agent_name", *rows]))
    command = f"ulimit -f 100; exec {sys.executable} -m supportapi.cli ingest calls.csv --out out"

    ended = subprocess.run(  # noqa: S602 - a limit for one process
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("DATASET_NOT_WRITABLE: ")
