"""Rows that are parts of one call (events, legs, transfers) become that call. Pure: frames in, frames out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.clean import ORDER
from supportapi.calls.columns import SecondsColumn, between_slots
from supportapi.calls.judge import REASON, judge
from supportapi.calls.record import COLUMNS
from supportapi.calls.values import between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.columns import Take
    from supportapi.calls.mapping import Fold, Mapping

PARTS: Final = "__parts"
"""How many rows a call was folded from."""
_BEGIN, _END = zip(*(between_slots(name) for name in ("wait_seconds", "duration_seconds")), strict=True)
_USUAL: Final[dict[str, Take]] = {
    "started_at": "min",
    "ended_at": "max",
    "duration_seconds": "sum",
    "answered": "any",
    "resolution": "last",
    "resolved": "last",
    "rating": "last",
    **dict.fromkeys(_BEGIN, "min"),
    _END[0]: "min",  # the wait ends with the first answer
    _END[1]: "max",  # and the conversation with the last word
}
"""What a call takes of its rows when the mapping does not say; of everything else the first that is known."""


def fold(rows: pl.LazyFrame, rule: Fold, mapping: Mapping, place: Sequence[str]) -> pl.LazyFrame:
    """The calls that `rows` (of `clean`, not judged yet) are parts of, judged; in the order of their first rows.

    A row's place in a call follows its `ORDER` (else its start), then `place`, the columns that say where the row
    stands; each call has those of its first row, and `PARTS`. A call one of whose rows is refused is refused.
    """
    later = ORDER if rule.order is not None else "started_at"
    slots = [name for name in mapping.columns.instants() if name not in COLUMNS]
    taken = [_take(name, _rule(name, mapping)) for name in (*COLUMNS, *slots) if name not in rule.key]
    grouped = rows.sort(later, *place, nulls_last=True).group_by(rule.key, maintain_order=True)
    calls = grouped.agg(pl.col(place).first(), pl.len().alias(PARTS), pl.col(REASON).first(ignore_nulls=True), *taken)
    # What one row says by itself counts; else a length lies between instants that stood in different rows.
    lengths = [
        pl.coalesce(name, between(name, column.between)).alias(name)
        for name, column in mapping.columns.given().items()
        if isinstance(column, SecondsColumn) and column.between is not None
    ]
    return judge(calls.with_columns(lengths).drop(slots), mapping)


def _rule(name: str, mapping: Mapping) -> Take:
    column = mapping.columns.given().get(name) or mapping.columns.instants().get(name)
    return (column.take if column is not None else None) or _USUAL.get(name, "first")


def _take(name: str, rule: Take) -> pl.Expr:
    value = pl.col(name)
    match rule:
        case "first":
            return value.first(ignore_nulls=True)
        case "last":
            return value.last(ignore_nulls=True)
        case "min" | "all":
            return value.min()
        case "max" | "any":
            return value.max()
        case "sum":
            return pl.when(value.count() > 0).then(value.sum().round(3))
