"""Several rows a call: legs, and event logs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from supportapi.dataset import judged
from supportapi.dataset.ingest import ingest

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LEGS = """
time_zone = "UTC"
[fold]
[columns]
call_id = "call"
started_at = "start"
ended_at = "end"
agent_name = "agent"
wait_seconds = { from = "wait", unreadable = "null" }
duration_seconds = "talk"
answered = "answered"
resolution = "state"
rating = "stars"
"""
LEG_HEADER = "call,start,end,agent,wait,talk,answered,state,stars\n"
EVENTS = """
time_zone = "UTC"
[fold]
order = "at"
[columns]
call_id = "call"
agent_name = { from = "who", only_when = { column = "event", is = "answered" } }
resolution = { from = "result", only_when = { column = "event", is = "ended" } }
[columns.started_at]
from = "at"
only_when = { column = "event", is = "queued" }
[columns.ended_at]
from = "at"
only_when = { column = "event", is = "ended" }
[columns.answered]
when = { column = "event", is = "answered" }
[columns.wait_seconds]
between = [
  { from = "at", only_when = { column = "event", is = "queued" } },
  { from = "at", only_when = { column = "event", is = "answered" } },
]
[columns.duration_seconds]
between = [
  { from = "at", only_when = { column = "event", is = "answered" } },
  { from = "at", only_when = { column = "event", is = "ended" } },
]
"""
EVENT_HEADER = "call,event,at,who,result\n"


def run(tmp_path: Path, mapping: str, *texts: str, out: str = "out") -> tuple[object, ...]:
    """The calls of files with `texts` and their counts: read, written, rejected, duplicates, folded."""
    (tmp_path / "mapping.toml").write_text(mapping)
    files = [tmp_path / f"{number}.csv" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    report = ingest(files, tmp_path / "mapping.toml", tmp_path / out)
    return (report.read, report.written, report.rejected, report.duplicates, report.folded)


def call(tmp_path: Path, call_id: str = "1") -> dict[str, object]:
    return pl.read_parquet(tmp_path / "out" / "cleaned_calls.parquet").filter(call_id=call_id).row(0, named=True)


def at(minute: int, second: int = 0) -> datetime:
    return datetime(2024, 5, 6, 12, minute, second, tzinfo=UTC)


def test_legs_become_one_call_in_the_order_of_their_starts(tmp_path: Path) -> None:
    later = LEG_HEADER + "1,2024-05-06 12:05,2024-05-06 12:09,Bob,7,200,y,resolved,\n2,2024-05-06 13:00,,,9,,n,,\n"
    first = LEG_HEADER + "1,2024-05-06 12:00,2024-05-06 12:04,Ann,20,100.5,n,transferred,4\n"

    counts = run(tmp_path, LEGS, later, first)

    assert counts == (3, 2, 0, 0, 1)
    assert call(tmp_path) == {
        "call_id": "1", "customer_id": None, "agent_id": "ann", "agent_name": "Ann", "region": None, "channel": None,
        "issue_type": None, "started_at": at(0), "ended_at": at(9), "wait_seconds": 20.0, "duration_seconds": 300.5,
        "answered": True, "resolved": True, "resolution": "resolved", "rating": 4,
    }  # fmt: skip
    assert call(tmp_path, "2")["answered"] is False


def test_what_a_call_takes_of_its_legs_can_be_said(tmp_path: Path) -> None:
    mapping = (
        LEGS.replace('"agent"', '{ from = "agent", take = "last" }')
        .replace('from = "wait"', 'from = "wait", take = "max"')
        .replace('"answered"', '{ from = "answered", take = "all" }')
    )
    text = LEG_HEADER + "1,2024-05-06 12:00,,Ann,20,100,n,,\n1,2024-05-06 12:05,,Bob,70,200,y,,\n"

    run(tmp_path, mapping, text)

    folded = call(tmp_path)
    assert (folded["agent_name"], folded["wait_seconds"], folded["answered"]) == ("Bob", 70.0, False)


def test_a_call_one_of_whose_rows_cannot_be_read_is_rejected_whole(tmp_path: Path) -> None:
    text = (
        LEG_HEADER
        + "1,2024-05-06 12:00,,,,soon,,,\n1,2024-05-06 12:05,,,,2,,,\n2,2024-05-06 12:05,,,,2,,,\n,,,,,1,,,\n"
    )

    counts = run(tmp_path, LEGS, text)

    assert counts == (4, 1, 3, 0, 0)
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet").select("line", "reason").rows() == [
        (2, "duration_seconds_unreadable"),
        (3, "duration_seconds_unreadable"),
        (5, "call_id_missing"),
    ]


def test_what_was_made_null_in_a_leg_is_listed_where_it_stands(tmp_path: Path) -> None:
    text = LEG_HEADER + "1,2024-05-06 12:00,,,1,0,,,\n1,2024-05-06 12:05,,,soon,,,,\n"

    run(tmp_path, LEGS, text)

    assert pl.read_parquet(tmp_path / "out" / "altered.parquet").select("line", "reason", "original").rows() == [
        (2, "duration_zero", '{"talk":"0"}'),
        (3, "wait_seconds_unreadable", '{"wait":"soon"}'),
    ]


def test_an_event_log_becomes_calls_whatever_the_order_of_its_rows(tmp_path: Path) -> None:
    text = (
        EVENT_HEADER
        + "1,ended,2024-05-06 12:03:00,,resolved\n1,answered,2024-05-06 12:00:30,Ann,\n1,queued,2024-05-06 12:00:00,,\n"
        + "2,queued,2024-05-06 12:10:00,,\n2,ended,2024-05-06 12:10:20,,\n3,ended,2024-05-06 12:10:20,,\n"
    )

    counts = run(tmp_path, EVENTS, text)

    assert counts == (6, 2, 1, 0, 3)
    answered, lost = call(tmp_path), call(tmp_path, "2")
    assert (answered["started_at"], answered["ended_at"], answered["wait_seconds"], answered["duration_seconds"]) == (
        at(0), at(3), 30.0, 150.0,
    )  # fmt: skip
    assert (answered["agent_name"], answered["answered"], answered["resolved"]) == ("Ann", True, True)
    assert (lost["wait_seconds"], lost["duration_seconds"], lost["answered"]) == (None, None, False)
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet")["reason"].to_list() == ["started_at_missing"]


def test_an_event_that_was_exported_twice_counts_once_when_that_is_declared(tmp_path: Path) -> None:
    text = LEG_HEADER + "1,2024-05-06 12:00,,,,100,,,\n" * 2 + "1,2024-05-06 12:01,,,,100,,,\n"

    counts = run(tmp_path, LEGS + '[duplicates]\nkey = "row"', text)

    assert counts == (3, 1, 0, 1, 1)
    assert call(tmp_path)["duration_seconds"] == 200.0


def test_rows_may_be_parts_of_a_call_by_another_key_than_its_id(tmp_path: Path) -> None:
    mapping = LEGS.replace("[fold]", '[fold]\nkey = ["agent_name", "started_at"]')
    text = LEG_HEADER + "1,2024-05-06,,Ann,,1,,,\n2,2024-05-06,,Ann,,1,,,\n1,2024-05-07,,Ann,,1,,,\n"

    counts = run(tmp_path, mapping, text)

    assert counts == (3, 1, 1, 0, 1)
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet")["reason"].to_list() == ["call_id_repeated"]


def test_folding_in_rounds_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = LEG_HEADER + "".join(f"{k % 40},2024-05-06 12:{k % 60:02},,A{k % 7},{k},1.5,,,\n" for k in range(200))
    run(tmp_path, LEGS, text, out="at once")
    monkeypatch.setattr(judged, "_FOLDED_AT_ONCE", 30)

    counts = run(tmp_path, LEGS, text, out="in rounds")

    assert counts == (200, 40, 0, 0, 160)
    at_once, in_rounds = (tmp_path / out / "cleaned_calls.parquet" for out in ("at once", "in rounds"))
    assert at_once.read_bytes() == in_rounds.read_bytes()
