"""Datasets of a few rows, and their aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from supportapi.calls.record import SCHEMA
from supportapi.rollups.build import build
from supportapi.rollups.states import partial_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from supportapi.rollups.aggregates import Aggregates
    from tests.rollups.oracle import Row

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
AMPLE, SCARCE, NOTHING = 512 << 20, 200_000, 0
"""Budgets in bytes: for every lattice, for some of them, for none."""


def row(started_at: datetime, **known: Any) -> Row:
    """One call; what is not said is not known."""
    return {**dict.fromkeys(SCHEMA), "call_id": "1", "started_at": started_at, **known}


def frame(rows: Sequence[Mapping[str, Any]]) -> pl.LazyFrame:
    """The rows as a file holds them, in the order given."""
    return pl.LazyFrame({name: [each.get(name) for each in rows] for name in SCHEMA}, schema=SCHEMA)


def aggregates_of(
    rows: Sequence[Mapping[str, Any]], zones: Sequence[str] = ZONES, budget_bytes: int = AMPLE
) -> Aggregates:
    """What a worker makes of the rows as one file."""
    return build(partial_state(frame(rows), zones), frame(rows), zones, budget_bytes)
