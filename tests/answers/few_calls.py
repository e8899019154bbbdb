"""A dataset of a few calls, written by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from supportapi.answers.meta import Truth
from supportapi.calls.record import SCHEMA
from supportapi.rollups.build import build
from supportapi.rollups.states import partial_state

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

TRUTH = Truth(version="v1", dataset_hash="h1", as_of=None, built_at=datetime(2026, 1, 1, tzinfo=UTC))


def call(started: str, **known: Any) -> dict[str, Any]:
    """One call; what is not said is not known."""
    return {"started_at": datetime.fromisoformat(started).replace(tzinfo=UTC), **known}


def aggregates_of(*calls: dict[str, Any], zones: tuple[str, ...] = ("UTC",)) -> Aggregates:
    """The aggregates of `calls`."""
    rows = [dict.fromkeys(SCHEMA) | {"call_id": f"c{n}"} | row for n, row in enumerate(calls)]
    frame = pl.DataFrame(rows, schema=SCHEMA).sort("started_at", "call_id").lazy()
    return build(partial_state(frame, zones), frame, zones, 64 << 20)
