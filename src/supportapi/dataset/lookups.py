"""Files that say more about what a column names: who the agent with a number is, where a line rings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import FAULT, MISSED, ROW
from supportapi.calls.headers import headers_of
from supportapi.calls.text import text_of
from supportapi.dataset.readers import read_raw, readable
from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.mapping import Lookup, Mapping

_KEY: Final = "__key"
_KNOWN: Final = "__known"


class Found(msgspec.Struct, frozen=True):
    """A lookup's rows, its columns named as sources."""

    name: str
    here: str
    table: pl.DataFrame
    """With `_KEY` (each once), and `_KNOWN` to tell a row that was found from one that says nothing."""


def load_lookups(mapping: Mapping, scratch: Path) -> tuple[Found, ...]:
    """All lookups of `mapping`. Raises `RawFileUnreadable` (also for a key that stands twice), `MappingInvalid`."""
    return tuple(_load(name, lookup, scratch) for name, lookup in mapping.lookups.items())


def with_lookups(rows: pl.LazyFrame, lookups: Sequence[Found]) -> pl.LazyFrame:
    """`rows` in their order, each with what the lookups know about it, and `MISSED` where they lack what it names."""
    for lookup in lookups:
        kinds = rows.collect_schema()
        place = f"lookups.{lookup.name}.here"
        names = [name for name in kinds.names() if name not in {ROW, FAULT}]
        here = headers_of(names, [(place, lookup.here)])[lookup.here]
        rows = rows.with_columns(_key(here, kinds[here]).alias(_KEY)).join(
            lookup.table.lazy(), on=_KEY, how="left", maintain_order="left"
        )
        missed = pl.col(_KEY).is_not_null() & pl.col(_KNOWN).is_null()
        rows = rows.with_columns(missed.alias(f"{MISSED}{lookup.name}")).drop(_KEY, _KNOWN)
    return rows


def _load(name: str, lookup: Lookup, scratch: Path) -> Found:
    path = Path(lookup.file)
    with readable(path):
        raws = read_raw(path, lookup.read, scratch.with_name(f"{scratch.name}-{name}"))
        if len(raws) != 1:
            raise RawFileUnreadable(
                f"{path} holds {len(raws)} files; a lookup is one.", path=str(path), reason="not_one_file"
            )
        frame = raws[0].rows.drop(ROW, FAULT, strict=False).collect()
    there = headers_of(frame.columns, [(f"lookups.{name}.there", lookup.there)], path.name)[lookup.there]
    table = frame.select(
        _key(there, frame.schema[there]).alias(_KEY),
        pl.lit(True).alias(_KNOWN),  # noqa: FBT003 - a value
        pl.all().name.prefix(f"{name}."),
    ).filter(pl.col(_KEY).is_not_null())
    if lookup.keep is not None:
        return Found(name, lookup.here, table.unique(_KEY, keep=lookup.keep, maintain_order=True))
    twice = table.filter(pl.col(_KEY).is_duplicated())[_KEY].unique(maintain_order=True)
    if len(twice):
        raise RawFileUnreadable(
            f"{path}: '{twice[0]}' stands more than once in '{there}'"
            f'{f", and so do {len(twice) - 1} others" if len(twice) > 1 else ""}.'
            f' Say which row is meant with lookups.{name}.keep = "first" or "last".',
            path=str(path), reason="key_twice",
        )  # fmt: skip
    return Found(name, lookup.here, table)


def _key(column: str, kind: pl.DataType) -> pl.Expr:
    """Keys as text: without blanks around them, whole numbers without a fraction."""
    return text_of(column, kind, ()).str.replace(r"^(-?\d+)\.0+$", "$1")
