"""One file's calls become its partial state: counted cells that merge by addition, whatever the order."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import polars as pl

from supportapi.calls.record import COLUMNS
from supportapi.measures.sketch import SKETCH_VERSION, bucket_of
from supportapi.measures.tally import COUNTS, RATINGS, REPEAT_COUNTS, SHORT_ABANDON_SECONDS, SUMS, THRESHOLDS_SECONDS
from supportapi.rollups.day_runs import in_day_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STATE_FORMAT: Final = 2
"""Raised when the meaning or the encoding of a state changes: older ones are computed again."""

DIMENSIONS: Final = ("region", "issue_type", "channel", "agent_id")
CELL_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "base": ("region", "issue_type", "channel"),
    "pairs": ("agent_id", "region"),
}
HISTOGRAM_KEYS: Final = (*CELL_KEYS["base"], "bucket")
LONGEST_WAIT: Final = "longest_wait_ms"

_WAIT, _DURATION = pl.col("wait_ms"), pl.col("duration_ms")
_ANSWERED = pl.col("answered").fill_null(value=False)
_UNANSWERED = (~pl.col("answered")).fill_null(value=False)
_HANDLED = ~_UNANSWERED
_RESOLVED = pl.col("resolved")

_CONDITIONS: Final[dict[str, pl.Expr]] = {
    "calls": pl.lit(value=True),
    "answered": _ANSWERED,
    "unanswered": _UNANSWERED,
    "short_abandons": _UNANSWERED & (_WAIT < SHORT_ABANDON_SECONDS * 1000),
    **{f"within_{limit}": _ANSWERED & (limit * 1000 >= _WAIT) for limit in THRESHOLDS_SECONDS},
    **{f"beyond_{limit}": _UNANSWERED & (limit * 1000 < _WAIT) for limit in THRESHOLDS_SECONDS},
    "wait_known": _WAIT.is_not_null(),
    "wait_answered_known": _ANSWERED & _WAIT.is_not_null(),
    "wait_unanswered_known": _UNANSWERED & _WAIT.is_not_null(),
    "duration_known": _DURATION.is_not_null(),
    **{f"rating_{rating}": pl.col("rating") == rating for rating in RATINGS},
    "resolved": _RESOLVED,
    "resolved_known": _RESOLVED.is_not_null(),
    "resolved_handled": _RESOLVED & _HANDLED,
    "resolved_known_handled": _RESOLVED.is_not_null() & _HANDLED,
}
CONDITIONS: Final[dict[str, pl.Expr]] = {
    name: _CONDITIONS[name].fill_null(value=False) for name in COUNTS if name not in REPEAT_COUNTS
}
"""Which calls each count counts, over the columns of `in_ticks`; never null. `repeats` has the others."""

_AMOUNTS: Final[dict[str, pl.Expr]] = {
    "wait_ms": _WAIT,
    "wait_answered_ms": pl.when(_ANSWERED).then(_WAIT),
    "wait_unanswered_ms": pl.when(_UNANSWERED).then(_WAIT),
    "duration_ms": _DURATION,
}

MEASURES: Final[dict[str, pl.Expr]] = {
    "calls": pl.len().cast(pl.Int64),
    **{name: condition.sum().cast(pl.Int64) for name, condition in CONDITIONS.items() if name != "calls"},
    **{name: _AMOUNTS[name].sum().cast(pl.Int64) for name in SUMS},
    LONGEST_WAIT: _WAIT.max(),
}
"""Every measure of a cell as an aggregate over the columns of `in_ticks`."""


class PartialState(msgspec.Struct, frozen=True):
    """What one or several files add to every answer.

    `members` lists the known values of each dimension, sorted; cells name them by position, and the unknown one by
    the position after the last. `cells` holds, for `<zone>/base` and `<zone>/pairs`, a row for each day and member
    combination that has calls: `day` (Date), the codes, and the columns of `MEASURES`; for `<zone>/wait` and
    `<zone>/duration` the number `n` of calls of each `bucket`. `agents` has a row for each name that an agent ever
    had (`agent_id`, `agent_name`, `seen_at`).
    """

    zones: tuple[str, ...]
    rows: int
    first_us: int | None
    last_us: int | None
    known: dict[str, int]
    members: dict[str, list[str]]
    cells: dict[str, pl.DataFrame]
    agents: pl.DataFrame

    def encode(self) -> bytes:
        """Self-describing bytes: MessagePack around Arrow IPC with zstd."""
        document = {
            "format": [STATE_FORMAT, SKETCH_VERSION],
            "zones": self.zones,
            "rows": self.rows,
            "first_us": self.first_us,
            "last_us": self.last_us,
            "known": self.known,
            "members": self.members,
            "cells": {name: _to_ipc(frame) for name, frame in self.cells.items()},
            "agents": _to_ipc(self.agents),
        }
        return msgspec.msgpack.encode(document)

    @staticmethod
    def decode(encoded: bytes) -> PartialState:
        """The state in `encoded`; raises `ValueError` when another format wrote it."""
        raw: dict[str, Any] = msgspec.msgpack.decode(encoded)
        if raw["format"] != [STATE_FORMAT, SKETCH_VERSION]:
            raise ValueError("a partial state of another format")
        return PartialState(
            zones=tuple(raw["zones"]),
            rows=raw["rows"],
            first_us=raw["first_us"],
            last_us=raw["last_us"],
            known=raw["known"],
            members=raw["members"],
            cells={name: pl.read_ipc(io.BytesIO(frame)) for name, frame in raw["cells"].items()},
            agents=pl.read_ipc(io.BytesIO(raw["agents"])),
        )


def in_ticks(calls: pl.LazyFrame) -> pl.LazyFrame:
    """`calls` with waits and durations as whole milliseconds (`wait_ms`, `duration_ms`, Int64)."""
    return calls.with_columns(
        (pl.col("wait_seconds") * 1000).round().cast(pl.Int64).alias("wait_ms"),
        (pl.col("duration_seconds") * 1000).round().cast(pl.Int64).alias("duration_ms"),
    )


def local_day(zone: str) -> pl.Expr:
    """The day of a call in `zone`, as Date."""
    started = pl.col("started_at")
    return (started if zone == "UTC" else started.dt.convert_time_zone(zone)).dt.date().alias("day")


def bucket(column: str) -> pl.Expr:
    """The sketch bucket of `column` (milliseconds), UInt16; null where it is."""
    return pl.col(column).map_batches(_buckets, return_dtype=pl.UInt16, is_elementwise=True).alias("bucket")


def coded(calls: pl.LazyFrame, members: Mapping[str, Sequence[str]]) -> pl.LazyFrame:
    """`calls` with each dimension as the position of its member (UInt32); the unknown one comes after the last."""
    return calls.with_columns(
        pl.col(name).cast(pl.Enum(list(members[name]))).to_physical().cast(pl.UInt32).fill_null(len(members[name]))
        for name in DIMENSIONS
    )


def partial_state(calls: pl.LazyFrame, zones: Sequence[str]) -> PartialState:
    """The state of canonical `calls` (columns of `calls.record.SCHEMA`), with days in each of `zones`."""
    summary = (
        calls.select(
            pl.len().alias("rows"),
            pl.col("started_at").min().dt.epoch("us").alias("first_us"),
            pl.col("started_at").max().dt.epoch("us").alias("last_us"),
            *(pl.col(name).count().alias(f"known_{name}") for name in COLUMNS),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    members = {name: _members(calls, name) for name in DIMENSIONS}
    ticks = coded(in_ticks(calls), members)
    cells = {name: frame for zone in zones for name, frame in _cells(ticks, zone)}
    names = calls.filter(pl.col("agent_id").is_not_null() & pl.col("agent_name").is_not_null())
    return PartialState(
        zones=tuple(zones),
        rows=summary["rows"],
        first_us=summary["first_us"],
        last_us=summary["last_us"],
        known={name: summary[f"known_{name}"] for name in COLUMNS},
        members=members,
        cells=cells,
        agents=_agents(names),
    )


def merge(states: Sequence[PartialState]) -> PartialState:
    """The state of all the calls of `states` together: equal to the state of their rows in one file."""
    if len(states) == 1:
        return states[0]
    members = {name: sorted({m for state in states for m in state.members[name]}) for name in DIMENSIONS}
    recoded = [_recoded(state, members) for state in states]
    return PartialState(
        zones=states[0].zones,
        rows=sum(state.rows for state in states),
        first_us=min((state.first_us for state in states if state.first_us is not None), default=None),
        last_us=max((state.last_us for state in states if state.last_us is not None), default=None),
        known={name: sum(state.known[name] for state in states) for name in COLUMNS},
        members=members,
        cells={name: _summed(name, [cells[name] for cells in recoded]) for name in recoded[0]},
        agents=_agents(pl.concat([state.agents for state in states]).lazy(), seen=pl.col("seen_at")),
    )


def _members(calls: pl.LazyFrame, name: str) -> list[str]:
    frame = calls.select(name).drop_nulls().group_by(name).agg().collect(engine="streaming")
    return frame.get_column(name).sort().to_list()


def _cells(ticks: pl.LazyFrame, zone: str) -> Iterable[tuple[str, pl.DataFrame]]:
    dated = ticks.with_columns(local_day(zone))
    for kind, keys in CELL_KEYS.items():
        yield f"{zone}/{kind}", _collected(dated.group_by("day", *keys).agg(**MEASURES), keys)
    for of in ("wait", "duration"):
        known = dated.filter(pl.col(f"{of}_ms").is_not_null()).with_columns(bucket(f"{of}_ms"))
        counted = known.group_by("day", *HISTOGRAM_KEYS).agg(pl.len().cast(pl.Int64).alias("n"))
        yield f"{zone}/{of}", _collected(counted, HISTOGRAM_KEYS)


def _collected(cells: pl.LazyFrame, keys: Sequence[str]) -> pl.DataFrame:
    # Sorted cells compress to about a byte each, and equal states are equal bytes.
    return cells.collect(engine="streaming").sort("day", *keys)


def _agents(names: pl.LazyFrame, seen: pl.Expr | None = None) -> pl.DataFrame:
    latest = (pl.col("started_at") if seen is None else seen).max().alias("seen_at")
    return (
        names.group_by("agent_id", "agent_name")
        .agg(latest)
        .collect(engine="streaming")
        .sort("agent_id", "seen_at", "agent_name")
    )


def _recoded(state: PartialState, members: Mapping[str, Sequence[str]]) -> dict[str, pl.DataFrame]:
    maps: dict[str, pl.Series] = {}
    for name, merged in members.items():
        position = {member: index for index, member in enumerate(merged)}
        maps[name] = pl.Series([*(position[m] for m in state.members[name]), len(merged)], dtype=pl.UInt32)
    return {
        kind: frame.with_columns(
            maps[name].gather(frame.get_column(name)).alias(name) for name in maps if name in frame.columns
        )
        for kind, frame in state.cells.items()
    }


def _summed(name: str, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    keys = CELL_KEYS.get(name.rpartition("/")[2], HISTOGRAM_KEYS)
    values = [column for column in frames[0].columns if column not in ("day", *keys)]
    added = [pl.col(column).max() if column == LONGEST_WAIT else pl.col(column).sum() for column in values]
    return in_day_runs(frames, lambda cells: cells.group_by("day", *keys).agg(added).sort("day", *keys))


def _buckets(milliseconds: pl.Series) -> pl.Series:
    filled = milliseconds.fill_null(0).to_numpy()
    found = pl.Series(bucket_of(np.asarray(filled, dtype=np.int64)), dtype=pl.UInt16)
    if milliseconds.null_count() == 0:
        return found
    return found.to_frame("bucket").select(pl.when(milliseconds.is_not_null()).then(pl.col("bucket"))).to_series()


def _to_ipc(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()
