"""What readers hand over: a file's rows, and how to name the line of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

import msgspec
import polars as pl

from supportapi.calls.clean import ROW

_LISTED: Final = 5
"""So many entries of a list can be named."""


class Raw(msgspec.Struct, frozen=True):
    """`rows`: the file's columns as they are, `ROW`, and perhaps `FAULT`; rows without any value are left out.

    `lines` gives, for row numbers, the lines on which those rows begin (or their place in a file without lines).
    `notes` say what was assumed or mended, for people. `name` is that of the file, with its archive's before it.
    `about` is how many rows there are, roughly, for who shows progress; 0 when that is not known.
    """

    rows: pl.LazyFrame
    lines: Callable[[pl.Series], pl.Series]
    notes: tuple[str, ...] = ()
    name: str = ""
    about: int = 0


def numbered(rows: pl.LazyFrame, first_line: int) -> Raw:
    """`rows` with `ROW`, the first of them on line `first_line`."""
    return Raw(rows.with_row_index(ROW), lambda numbers: numbers.cast(pl.Int64) + first_line)


def flat(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Fields of nested records as columns with dotted names; of lists the first entries (`tags.0`), plain ones joined.

    The columns of lists are read once, to learn how long they are.
    """
    while nested := {name: kind for name, kind in rows.collect_schema().items() if kind.is_nested()}:
        records = [name for name, kind in nested.items() if isinstance(kind, pl.Struct) and kind.fields]
        lists = [name for name, kind in nested.items() if isinstance(kind, pl.List | pl.Array)]
        rows = _listed(rows, lists) if lists else rows
        rows = rows.with_columns(pl.col(name).name.prefix_fields(f"{name}.") for name in records).unnest(records)
        rows = rows.drop(set(nested) - set(records) - set(lists))
    return rows


def _listed(rows: pl.LazyFrame, names: list[str]) -> pl.LazyFrame:
    kinds = rows.collect_schema()
    lists = [pl.col(name).arr.to_list() if isinstance(kinds[name], pl.Array) else pl.col(name) for name in names]
    rows = rows.with_columns(lists)
    kinds = rows.collect_schema()
    longest = rows.select(pl.col(name).list.len().max().fill_null(0) for name in names).collect(engine="streaming")
    entries = {
        f"{name}.{place}": pl.col(name).list.get(place, null_on_oob=True)
        for name in names
        for place in range(min(int(longest[name].item()), _LISTED))
    }
    plain = [name for name in names if not cast("pl.List", kinds[name]).inner.is_nested()]
    joined = [pl.col(name).cast(pl.List(pl.String)).list.join(", ", ignore_nulls=True) for name in plain]
    return rows.with_columns(*joined, **entries).drop(set(names) - set(plain))
