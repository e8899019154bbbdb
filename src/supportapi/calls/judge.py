"""Values become a call, or a reason why not: what follows from other columns, and the rules of `SCHEMA`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.columns import SecondsColumn
from supportapi.calls.record import REQUIRED, SCHEMA, resolved_word, slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.mapping import Mapping

REASON: Final = "__reason"
ALTERED: Final = "__altered:"
TELLING: Final[dict[str, tuple[str, ...]]] = {
    "ended_at_before_started_at": ("ended_at", "started_at"),
    "wait_negative": ("wait_seconds",),
    "duration_negative": ("duration_seconds",),
    "duration_zero": ("duration_seconds",),
    "rating_outside_scale": ("rating",),
}
"""Why an impossible value is made null: the column that it stands in, and what it contradicts."""
_LEAST: Final = {"wait_seconds": 0.0, "duration_seconds": 0.001}


def judge(frame: pl.LazyFrame, mapping: Mapping | None) -> pl.LazyFrame:
    """`frame` (columns of `SCHEMA`, `REASON` where something is known to be wrong, `ALTERED` columns, any others).

    With what follows from other columns, impossible values null, an `ALTERED` column for each of `TELLING`, and a
    `REASON` for every row that is no call.
    """
    if mapping is not None:
        frame = _derive(frame, mapping)
    kinds = frame.collect_schema()
    started, ended = pl.col("started_at"), pl.col("ended_at")
    wait, duration, rating = pl.col("wait_seconds"), pl.col("duration_seconds"), pl.col("rating")
    impossible = {
        "ended_at_before_started_at": ended < started,
        "wait_negative": wait < 0,
        "duration_negative": duration < 0,
        "duration_zero": duration == 0,
        "rating_outside_scale": ~rating.is_between(1, 5),
    }
    flags = {f"{ALTERED}{reason}": test.fill_null(value=False) for reason, test in impossible.items()}
    outside = f"{ALTERED}rating_outside_scale"
    if outside in kinds:
        flags[outside] |= pl.col(outside)
    reasons = [
        pl.col(REASON),
        *(pl.when(pl.col(name).is_null()).then(pl.lit(f"{name}_missing")) for name in REQUIRED),
        *(pl.when(impossible[reason]).then(pl.lit(reason)) for reason in _refusing(mapping)),
    ]
    return frame.with_columns(
        ended_at=pl.when(ended >= started).then(ended),
        wait_seconds=pl.when(wait >= 0).then(wait),
        duration_seconds=pl.when(duration > 0).then(duration),
        rating=pl.when(rating.is_between(1, 5)).then(rating),
        **{REASON: pl.coalesce(reasons)},
        **flags,
    )


def _refusing(mapping: Mapping | None) -> list[str]:
    """The impossible values that make a row no call."""
    if mapping is None:
        return []
    return [
        f"{name.removesuffix('_seconds')}_negative"
        for name, column in mapping.columns.given().items()
        if isinstance(column, SecondsColumn) and column.outside == "reject"
    ]


def _derive(frame: pl.LazyFrame, mapping: Mapping) -> pl.LazyFrame:
    """Add what follows from other columns: an agent's id, `resolved` from the word for it, the end from its parts."""
    columns = mapping.columns
    made: dict[str, pl.Expr] = {}
    if columns.agent_id is None and columns.agent_name is not None:
        made["agent_id"] = slug(pl.col("agent_name"))
    if columns.resolved is None and columns.resolution is not None:
        made["resolved"] = resolved_word(pl.col("resolution"))
    ended = columns.ended_at
    if ended is not None and ended.derive is not None:
        lengths = [
            pl.when(pl.col(part) >= least).then(pl.col(part)) for part, least in _LEAST.items() if part in ended.derive
        ]
        made["ended_at"] = pl.col("started_at") + pl.duration(microseconds=_microseconds(lengths))
    elif ended is not None and ended.next_day_when_before_start:
        later = pl.col("ended_at") < pl.col("started_at")
        made["ended_at"] = pl.when(later).then(pl.col("ended_at") + pl.duration(days=1)).otherwise(pl.col("ended_at"))
    return frame.with_columns(**{name: value.cast(SCHEMA[name]) for name, value in made.items()}) if made else frame


def _microseconds(lengths: Sequence[pl.Expr]) -> pl.Expr:
    # Null as soon as one length is not known: when it ended is then not known either.
    total = lengths[0]
    for length in lengths[1:]:
        total = total + length
    return (total * 1_000_000).round().cast(pl.Int64)
