"""Calls that an export holds more than once, as they changed: which column says which of their rows is the newest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.suggest.finding import Value
from supportapi.calls.suggest.seen import told
from supportapi.calls.suggest.times import moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.suggest.seen import Seen
    from supportapi.calls.suggest.times import Times

_WRITTEN: Final = re.compile(
    r"(?<!\w)(last|updat\w*|modif\w*|chang\w*|revis\w*|edit\w*|sync\w*|snapshot|export\w*|extract\w*|as of)(?!\w)"
)
_MOST: Final = 0.9


class Newest(msgspec.Struct, frozen=True):
    """The table `[duplicates]`: of rows with one id the one stays that `column` says was written last."""

    column: str
    fields: dict[str, Value]
    why: str


def newest_by(key: Seen, clocks: Sequence[Times], repeated: pl.Series, *, zoned: bool) -> Newest | None:
    """What explains that ids of `key` stand in rows that differ: an instant, named like one of writing, that does too.

    `repeated` says which rows repeat an earlier one in every column; `zoned`, whether starts say their zone themselves.
    """
    for clock in clocks:
        if clock.kind == "clock" or clock.other or not _WRITTEN.search(clock.column.header):
            continue
        written = moments(clock.column.texts, clock.formats, clock.offsets)
        rows = pl.DataFrame([key.texts.alias("id"), written.alias("written"), repeated.alias("copy")])
        versions = rows.filter(~pl.col("copy") & pl.col("id").is_not_null()).group_by("id")
        several = versions.agg(rows=pl.len(), instants=pl.col("written").drop_nulls().n_unique()).filter(
            pl.col("rows") > 1
        )
        explained = several.filter(pl.col("rows") == pl.col("instants")).height
        if explained and explained > _MOST * several.height:
            return Newest(clock.column.name, {"keep": "last", "order": _order(clock, zoned=zoned)},
                          f'{several.height:,} ids of "{key.name}" stand in several rows that differ, and '
                          f'"{clock.column.name}" differs in {told(explained, several.height)} of them: the row that '
                          "was written last stays.")  # fmt: skip
    return None


def _order(clock: Times, *, zoned: bool) -> dict[str, Value]:
    order: dict[str, Value] = {"from": clock.column.name, "formats": clock.formats}
    if clock.offsets:
        order["offsets"] = dict(clock.offsets)
    if zoned and not clock.zoned:
        order["time_zone"] = "UTC"  # any clock will do to tell which of two rows is later
    return order
