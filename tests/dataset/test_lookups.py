from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from supportapi.dataset.ingest import ingest, raw_folder
from supportapi.errors import MappingInvalid, RawFileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

CALLS = """id,start,agent no
a,2024-05-06 12:00:00, 17
b,2024-05-06 11:00:00,18.0
c,2024-05-06 10:00:00,99
d,2024-05-06 09:00:00,
"""
AGENTS = "No,Name,Region\n17,Ann,North\n18,Bob,South\n,Nobody,\n"
MAPPING = """
time_zone = "UTC"
[lookups.agents]
file = "lists/agents.csv"
here = "agent_no"
there = "no"
[columns]
call_id = "id"
started_at = "start"
agent_name = "agents.name"
region = "agents.Region"
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "agents.csv").write_text(AGENTS)
    (tmp_path / "calls.csv").write_text(CALLS)
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING)
    return path


def test_columns_of_a_lookup_are_sources(tmp_path: Path, mapping: Path) -> None:
    report = ingest([tmp_path / "calls.csv"], mapping, tmp_path / "out")

    calls = pl.read_parquet(tmp_path / "out" / "cleaned_calls.parquet")
    assert calls.select("call_id", "agent_id", "region").rows() == [
        ("d", None, None),
        ("c", None, None),
        ("b", "bob", "South"),
        ("a", "ann", "North"),
    ]
    assert report.altered_by_reason == {"lookup_missed:agents": 1}
    assert pl.read_parquet(tmp_path / "out" / "altered.parquet").rows() == [
        ("calls.csv", 4, "c", None, "lookup_missed:agents", '{"agent no":"99"}'),
    ]


def test_a_lookup_keeps_the_order_of_rows(tmp_path: Path, mapping: Path) -> None:
    text = "".join(f"{number},2024-05-06 12:00:00,{17 + number % 2}\n" for number in range(200_000))
    (tmp_path / "calls.csv").write_text(f"id,start,agent no\n{text}7,2024-05-06 12:00:00,17\n,,17\n")

    report = ingest([tmp_path / "calls.csv"], mapping, tmp_path / "out")

    assert (report.written, report.duplicates) == (200_000, 1)
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet")["line"].to_list() == [200_003]
    assert pl.read_parquet(tmp_path / "out" / "cleaned_calls.parquet").filter(call_id="7")["agent_id"].item() == "bob"


def test_a_key_that_stands_twice_is_refused_and_named(tmp_path: Path, mapping: Path) -> None:
    (tmp_path / "lists" / "agents.csv").write_text(f"{AGENTS}17.0,Zoe,West\n")

    with pytest.raises(RawFileUnreadable, match=r"'17' stands more than once in 'No'.*keep"):
        ingest([tmp_path / "calls.csv"], mapping, tmp_path / "out")


def test_a_declared_row_wins_where_a_key_stands_twice(tmp_path: Path, mapping: Path) -> None:
    (tmp_path / "lists" / "agents.csv").write_text(f"{AGENTS}17,Zoe,West\n")
    mapping.write_text(MAPPING.replace('there = "no"', 'there = "no"\nkeep = "last"'))

    ingest([tmp_path / "calls.csv"], mapping, tmp_path / "out")

    calls = pl.read_parquet(tmp_path / "out" / "cleaned_calls.parquet")
    assert calls.filter(call_id="a")["region"].to_list() == ["West"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('there = "no"', 'there = "nr"', r"lookups\.agents\.there: agents\.csv has no column 'nr'"),
        ('here = "agent_no"', 'here = "agents"', r"lookups\.agents\.here: the file has no column 'agents'"),
        (
            'here = "agent_no"',
            'hear = "agent_no"',
            r"lookups\.agents\.hear: there is no such field; did you mean 'here'",
        ),
        ('"agents.name"', '"agents.nam"', r"did you mean 'agents\.Name'"),
    ],
)
def test_a_name_that_does_not_exist_is_told(tmp_path: Path, mapping: Path, old: str, new: str, told: str) -> None:
    mapping.write_text(MAPPING.replace(old, new))

    with pytest.raises(MappingInvalid, match=told):
        ingest([tmp_path / "calls.csv"], mapping, tmp_path / "out")


def test_a_missing_lookup_file_is_told(tmp_path: Path, mapping: Path) -> None:
    (tmp_path / "lists" / "agents.csv").unlink()

    with pytest.raises(RawFileUnreadable, match=r"agents\.csv"):
        ingest([tmp_path / "calls.csv"], mapping, tmp_path / "out")


def test_a_lookup_beside_the_calls_is_not_read_as_calls(tmp_path: Path, mapping: Path) -> None:
    (tmp_path / "lists" / "agents.csv").rename(tmp_path / "agents.csv")
    mapping.write_text(MAPPING.replace("lists/", ""))

    report = ingest(*raw_folder(tmp_path), tmp_path / "out")

    assert [file.name for file in report.files] == ["calls.csv"]
