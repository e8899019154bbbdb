"""The boards of the public data sets, against what pandas and DuckDB computed from their raw files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supportapi.answers.agents import agents_answer
from supportapi.answers.query import AgentsQuery
from supportapi.dataset.ingest import ingest
from supportapi.refresh.reading import calls_of
from supportapi.rollups.build import build
from supportapi.rollups.states import partial_state
from tests.answers.few_calls import TRUTH
from tests.datasets import MAPPINGS, OURS, expected, shared

if TYPE_CHECKING:
    from pathlib import Path


def board(name: str, file: str, out: Path) -> dict[str, dict[str, Any]]:
    """Every agent's metrics, by their own names for them."""
    ingest([shared(name) / file], MAPPINGS / f"{name}.toml", out)
    calls = calls_of([out / "cleaned_calls.parquet"])
    aggregates = build(partial_state(calls, ("UTC",)), calls, ("UTC",), 64 << 20)
    rows = agents_answer(aggregates, AgentsQuery(range="all", compare="none", per_page=200), TRUTH).data.rows
    return {row.agent_name: {theirs: getattr(row, ours) for theirs, ours in OURS.items()} for row in rows}


@pytest.mark.parametrize(
    ("name", "file", "told"),
    [
        ("pwc-call-centre", "call_center.csv", list(OURS)),
        (
            "anonymous-bank-1999-02",
            "data_anonymous_bank_february.txt",
            ["calls", "answered", "mean_duration_seconds_gt0", "mean_wait_seconds"],
        ),
    ],
)
def test_each_agent_has_the_numbers_that_were_expected(name: str, file: str, told: list[str], tmp_path: Path) -> None:
    wanted: dict[str, dict[str, Any]] = expected(name)["normalised"]["per_agent"]

    found = board(name, file, tmp_path)

    assert {agent: {key: row[key] for key in told} for agent, row in found.items()} == {
        agent: {key: pytest.approx(row[key]) for key in told} for agent, row in wanted.items()
    }
