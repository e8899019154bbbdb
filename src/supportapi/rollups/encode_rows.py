"""The rest of each row, which no aggregate needs, becomes arrays: ids, words, instants, and the orders to page in."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from supportapi.rollups.call_rows import ORDERED, WORDS, CallRows, RowParts, Words
from supportapi.rollups.ordered import in_order
from supportapi.rollups.texts import LINE_FEED, Texts, texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from supportapi.rollups.codes import RowCodes

_JOINED_AT_ONCE: Final = 1_000_000
_UNITS_US: Final = (1_000_000, 1_000, 1)
_NONE: Final = np.array([], np.uint32)


def call_rows(calls: pl.LazyFrame, codes: RowCodes, members: Mapping[str, Sequence[str]]) -> CallRows:
    """The rows of canonical `calls`, which stand in the order of `codes`; `members` are the keys of each dimension."""
    ids = _column(calls, "call_id")
    by_id, id_rank = _id_order(ids)
    plain, lowered = _texts(ids)
    words = {name: _words(_column(calls, name)) for name in WORDS}
    unit, beyond = _beyond(calls, codes.taken_us(slice(None)))
    parts = RowParts(
        ids=plain,
        lowered=lowered,
        by_id=by_id,
        id_rank=id_rank,
        ordered={},
        known={},
        microsecond=_microsecond(calls, codes),
        beyond=beyond,
        beyond_unit=np.array([unit], np.int64),
        name_pairs=_pairs(codes.columns["agent_id"], words["agent_name"].codes),
    )
    rows = CallRows(codes, members, words, parts)
    everyone = np.arange(len(rows), dtype=np.uint32)
    for column in ORDERED:
        parts.ordered[column], parts.known[column] = in_order(rows, column, everyone)
        for each in codes.postings:
            if np.array_equal(each.rows, parts.ordered[column]):
                parts.ordered[column] = each.rows
    return rows


def _column(calls: pl.LazyFrame, name: str) -> pl.Series:
    # One at a time: all of them as text at once would be the most memory that a build ever needs.
    return calls.select(name).collect(engine="streaming").to_series()


def _id_order(ids: pl.Series) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    if ids.is_sorted():
        return _NONE, _NONE
    by_id = ids.arg_sort().to_numpy().astype(np.uint32)
    rank = np.empty(len(by_id), np.uint32)
    rank[by_id] = np.arange(len(by_id), dtype=np.uint32)
    return by_id, rank


def _texts(listed: pl.Series) -> tuple[Texts, Texts]:
    """The texts, and the same in lower case, which are often the very same."""
    plain, lowered = _laid_out(listed), listed.str.to_lowercase()
    return plain, plain if (lowered == listed).all() else _laid_out(lowered)


def _laid_out(listed: pl.Series) -> Texts:
    prefix = _common(str(listed.min() or ""), str(listed.max() or ""))
    rest = listed.str.slice(len(prefix))
    parts = [
        str(rest.slice(at, _JOINED_AT_ONCE).str.join("\n").item()).encode() + LINE_FEED
        for at in range(0, len(rest), _JOINED_AT_ONCE)
    ]
    return texts(prefix.encode(), parts, rest.str.len_bytes().to_numpy())


def _common(lowest: str, highest: str) -> str:
    """What both begin with, and so all that stands between them."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(lowest, highest, strict=False))
    return "".join(one for one, _ in same)


def _words(column: pl.Series) -> Words:
    known = column.drop_nulls().unique().sort()
    codes = column.cast(pl.Enum(known)).to_physical().cast(pl.UInt32).fill_null(len(known)).to_numpy()
    plain, lowered = _texts(known)
    return Words(plain, lowered, codes.astype(_smallest(len(known))))


def _smallest(most: int) -> type[np.unsignedinteger[Any]]:
    return np.uint8 if most < 2**8 else np.uint16 if most < 2**16 else np.uint32


def _microsecond(calls: pl.LazyFrame, codes: RowCodes) -> NDArray[np.int32]:
    started = _column(calls.select(pl.col("started_at").dt.epoch("us")), "started_at").to_numpy()
    whole = (codes.columns["second"].astype(np.int64) + codes.base_second) * _UNITS_US[0]
    beyond = (started - whole).astype(np.int32)
    return beyond if beyond.any() else beyond[:0]


def _beyond(calls: pl.LazyFrame, taken_us: NDArray[np.int64]) -> tuple[int, NDArray[Any]]:
    """What the time from start to end has beyond `taken_us`, in the largest unit that divides all of it."""
    lasted = (pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds()
    micros = _column(calls.select(lasted.alias("lasted")), "lasted") - pl.Series(taken_us)
    if not micros.null_count() and not (micros != 0).any():
        return 1, np.array([], np.int32)
    unit = next(unit for unit in _UNITS_US if unit == 1 or not (micros % unit != 0).any())
    steps = micros // unit
    kind = np.int32 if np.max(np.abs(steps.fill_null(0).to_numpy()), initial=0) < 2**31 else np.int64
    return unit, steps.fill_null(np.iinfo(kind).min).to_numpy().astype(kind)


def _pairs(agents: NDArray[Any], names: NDArray[Any]) -> NDArray[np.uint32]:
    frame = pl.DataFrame({"agent": agents, "name": names}).unique().sort("agent", "name")
    return frame.to_numpy().astype(np.uint32)
