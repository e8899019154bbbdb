from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.datasets import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = (
    '{"id": "a", "agent_id": 7, "start_time": "2024-05-06T12:00:00Z", "call_duration_minutes": 2.5, "rating": 4}',
    '{"id": "b", "agent_id": 9, "start_time": "2024-05-06T11:00:00Z", "call_duration_minutes": 0, "rating": null}',
)
AGENTS = "id,name,region\n7,Zoë O'Neil,North\n8,Li Wei,South\n"


def generate(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    out = folder / "data"
    command = [sys.executable, "scripts/generate_parquet.py", "--input", str(folder / "calls.json")]
    places = ["--output", str(out / "cleaned_calls.parquet"), "--manifest", str(out / "manifest.json")]
    return subprocess.run([*command, *places, *more], cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("calls", [f"[{','.join(RECORDS)}]", "\n".join(RECORDS)], ids=["array", "a record a line"])
def test_calls_and_agents_become_a_dataset_by_the_blueprints_command(tmp_path: Path, calls: str) -> None:
    (tmp_path / "calls.json").write_text(calls)
    (tmp_path / "agents.csv").write_text(AGENTS)

    done = generate(tmp_path, "--agents", str(tmp_path / "agents.csv"))

    assert (done.returncode, done.stderr) == (0, "")
    assert "2 of 2 rows are calls" in done.stdout
    assert (tmp_path / "data" / "manifest.json").exists()
    written = pl.read_parquet(tmp_path / "data" / "cleaned_calls.parquet")
    assert written.select("call_id", "agent_id", "agent_name", "region", "duration_seconds", "rating").rows() == [
        ("b", "9", None, None, None, None),
        ("a", "7", "Zoë O'Neil", "North", 150.0, 4),
    ]


def test_calls_that_cannot_be_read_end_the_command_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "calls.json").write_text('[{"id": "a"}]')

    done = generate(tmp_path)

    assert done.returncode == 1
    assert "SCHEMA_INVALID" in done.stderr
    assert "started_at (column_missing)" in done.stderr
