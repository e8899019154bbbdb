"""Small datasets on disk, true ones and lying ones."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from supportapi.calls.record import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def some_calls(count: int, *, month: int = 0) -> pl.DataFrame:
    """`count` calls of one agent and region after another, an hour apart, beginning with month `month`."""
    start = _START + timedelta(days=31 * month)
    rows = [
        {
            "call_id": f"{month}-{number:05d}",
            "customer_id": f"c{number % 3}",
            "agent_id": f"a{number % 4}",
            "agent_name": f"Agent {number % 4}",
            "region": ("north", "south", None)[number % 3],
            "channel": "phone",
            "issue_type": ("billing", "technical")[number % 2],
            "started_at": start + timedelta(hours=number),
            "ended_at": start + timedelta(hours=number, seconds=90),
            "wait_seconds": float(number % 40),
            "duration_seconds": 60.0 + number % 30,
            "answered": number % 5 != 0,
            "resolved": number % 2 == 0,
            "resolution": None,
            "rating": None if number % 3 == 0 else number % 5 + 1,
        }
        for number in range(count)
    ]
    return pl.DataFrame(rows, schema=dict(SCHEMA))


def put(folder: Path, files: Mapping[str, pl.DataFrame | bytes], **claims: Any) -> str:
    """Write Parquet files (or whatever bytes) and then the manifest that names them; the dataset's hash.

    `claims` overwrite what the manifest says truly; `row_count` is that of each file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for name, content in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            content.write_parquet(folder / name)
        document = (folder / name).read_bytes()
        entries.append({"path": name, "hash": hashlib.sha256(document).hexdigest(), "size_bytes": len(document)})
    for entry in entries:
        entry |= {claim: claims[claim] for claim in ("row_count", "size_bytes", "hash") if claim in claims}
    dataset_hash = hashlib.sha256("".join(entry["hash"] for entry in entries).encode()).hexdigest()
    if len(entries) == 1:
        dataset_hash = entries[0]["hash"]
    manifest = {"path": entries[0]["path"], "hash": dataset_hash, "files": entries}
    manifest |= {claim: value for claim, value in claims.items() if claim in ("columns", "dataset")}
    fresh = folder / ".manifest.next"
    fresh.write_text(json.dumps(manifest))
    fresh.replace(folder / "manifest.json")
    return dataset_hash
