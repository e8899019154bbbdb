"""Answers as plain tables, for who opens them in a spreadsheet: the same numbers, one row after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET

from supportapi.answers.agents import agents_answer
from supportapi.answers.breakdowns import breakdowns
from supportapi.answers.meta import Meta
from supportapi.answers.pair import Pair
from supportapi.answers.query import AgentsQuery, MetricsQuery
from supportapi.rollups.catalogue import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.answers.delta import Delta
    from supportapi.answers.meta import Truth
    from supportapi.answers.query import BoardQuery, BreakdownsQuery
    from supportapi.rollups.aggregates import Aggregates

Row = Mapping[str, Any]

_UNITS: Final = {metric.key: metric.unit for metric in METRICS}
_KINDS: Final[Mapping[str, type]] = {"rank": int, "percentile": float, "members": int, "share": float}


class Table(msgspec.Struct, frozen=True):
    """Rows, by the names and types of their columns; None where a value is not known."""

    columns: Mapping[str, type]
    rows: list[Row]
    meta: Meta


def board_table(aggregates: Aggregates, query: BoardQuery, truth: Truth) -> Table:
    """Every row of the leaderboard; `<metric>_delta` is by how much it moved. Raises as `agents_answer`."""
    asked = {name: getattr(query, name) for name in _names(query) & set(AgentsQuery.__struct_fields__)}
    every = AgentsQuery(**asked, per_page=max(len(aggregates.pairs), 1))
    answer = agents_answer(aggregates, every, truth)
    first = ("rank", "percentile", "badge", "badge_reason", "agent_id", "agent_name", "region", "calls")
    return _table(first, [_flat(row) for row in answer.data.rows], answer.meta)


def breakdowns_table(aggregates: Aggregates, query: BreakdownsQuery, truth: Truth) -> Table:
    """The rows of every breakdown, below one another; the members beyond `top` are a row without a key.

    `<metric>_delta` is by how much a metric moved. Raises as `metrics_answer`.
    """
    asked = {name: getattr(query, name) for name in _names(query) & set(MetricsQuery.__struct_fields__)}
    pair = Pair.of(aggregates, query, query.compare, complete=query.complete)
    rows: list[Row] = []
    for found in breakdowns(pair, MetricsQuery(**asked)):
        rows += [{"dimension": found.dimension, "members": 1, **_flat(row)} for row in found.rows]
        rows += [] if found.other is None else [{"dimension": found.dimension, **_flat(found.other)}]
    return _table(("dimension", "key", "label", "members", "calls", "share"), rows, pair.meta(truth))


def _names(query: msgspec.Struct) -> set[str]:
    return set(query.__struct_fields__)


def _flat(row: msgspec.Struct) -> Row:
    """The single values of `row`, each move by its size."""
    flat: dict[str, Any] = {}
    for name in row.__struct_fields__:
        value: Any = getattr(row, name)
        if name == "deltas":
            moves: Mapping[str, Delta] = {} if value in (None, UNSET) else value
            flat |= {f"{key}_delta": move.absolute for key, move in moves.items()}
        elif name == "delta":
            flat |= {} if value is None else {"calls_delta": value.absolute}
        elif value is None or isinstance(value, str | int | float):
            flat[name] = value
    return flat


def _table(first: Iterable[str], rows: list[Row], meta: Meta) -> Table:
    """Columns in the order of the catalogue, those of `first` before them."""
    seen = {name for row in rows for name in row}
    ordered = (*first, *(name for key in _UNITS for name in (key, f"{key}_delta") if name in seen))
    return Table({name: _kind(name) for name in dict.fromkeys(ordered)}, rows, meta)


def _kind(name: str) -> type:
    if name in _KINDS:
        return _KINDS[name]
    unit = _UNITS.get(name.removesuffix("_delta"))
    return str if unit is None else int if unit == "count" else float
