"""Calls as JSON (an array, or a record a line) and agents as CSV become a dataset: `supportapi ingest` by another name.

python scripts/generate_parquet.py --input calls.json --agents agents.csv \
    --output data/cleaned_calls.parquet --manifest data/manifest.json
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from supportapi.calls.mapping import Mapping, Reading, read_mapping
from supportapi.calls.record import ready_sources
from supportapi.dataset.ingest import ingest
from supportapi.dataset.readers import read_raw
from supportapi.dataset.write import CALLS_NAME, MANIFEST_NAME
from supportapi.errors import SupportApiError

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_AGENT_ID: Final = ("agent_id", "id")
_OF_AGENTS: Final = {"agent_name": ("agent_name", "name", "full_name"), "region": ("region", "agent_region")}


@click.command()
@click.option("--input", "calls", type=_FILE, required=True, help="The calls.")
@click.option("--agents", type=_FILE, help="Names and regions by agent id, for calls that lack them.")
@click.option("--output", type=_FILE, default=Path("data") / CALLS_NAME, show_default=True)
@click.option("--manifest", type=_FILE, default=Path("data") / MANIFEST_NAME, show_default=True)
def main(calls: Path, agents: Path | None, output: Path, manifest: Path) -> None:
    """Make the dataset of a first front end: calls with our column names or with its own."""
    if (output.name, manifest.name) != (CALLS_NAME, MANIFEST_NAME) or output.parent != manifest.parent:
        raise click.UsageError(f"The dataset is {CALLS_NAME} and {MANIFEST_NAME} in one folder; name both so.")
    try:
        report = ingest([calls], None if agents is None else _with_agents(calls, agents), output.parent)
    except SupportApiError as failure:
        raise click.ClickException(f"{failure.code}: {failure.message}") from failure
    click.echo(f"{report.written:,} of {report.read:,} rows are calls in {output}, dataset {report.dataset_hash[:16]}")


def _with_agents(calls: Path, agents: Path) -> Mapping:
    """The mapping that a person would write who has seen both headers."""
    sources = ready_sources(_headers(calls))
    known = _headers(agents)
    key = _first(_AGENT_ID, known)
    if sources["agent_id"] is None or key is None:
        raise click.UsageError(f"Calls need agent_id, and {agents.name} needs one of {', '.join(_AGENT_ID)}.")
    columns: dict[str, dict[str, str]] = {
        column: {"from": source} | ({"unit": "minutes"} if source == "call_duration_minutes" else {})
        for column, source in sources.items()
        if source is not None
    }
    for column, spellings in _OF_AGENTS.items():
        found = _first(spellings, known)
        if column not in columns and found is not None:
            columns[column] = {"from": f"agents.{found}"}
    tables = {"lookups.agents": {"file": str(agents.resolve()), "here": sources["agent_id"], "there": key}}
    tables |= {f"columns.{column}": rule for column, rule in columns.items()}
    lines = ['time_zone = "UTC"']
    for table, fields in tables.items():
        lines += [f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in fields.items())]
    return read_mapping("\n".join(lines))


def _headers(path: Path) -> list[str]:
    with TemporaryDirectory() as scratch:
        return read_raw(path, Reading(), Path(scratch) / "raw")[0].rows.collect_schema().names()


def _first(spellings: tuple[str, ...], names: list[str]) -> str | None:
    return next((name for name in spellings if name in names), None)


if __name__ == "__main__":
    main()
