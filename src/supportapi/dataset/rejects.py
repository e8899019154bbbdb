"""The rows that became no call: file, line, reason and what stood there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import FILTERED, ROW
from supportapi.calls.judge import REASON
from supportapi.dataset.duplicates import INDEX
from supportapi.dataset.located import FILE, LINE
from supportapi.dataset.sink import sink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from supportapi.dataset.located import Part
    from supportapi.dataset.write import Writer

SCHEMA: Final = pl.Schema({"file": pl.String, "line": pl.Int64, "reason": pl.String, "original": pl.String})
REPEATED: Final = "call_id_repeated"
_OF_ITS_CALL: Final = "__reason_of_call"
_FORMULA: Final = r"^[=+\-@\t\r]"
"""How text begins that a spreadsheet would take for a formula."""


class Refused(msgspec.Struct, frozen=True):
    """`rows`: `INDEX`, `FILE`, `ROW` and `REASON` of every row that is no call."""

    rows: pl.DataFrame
    by_reason: dict[str, int]


def refused_rows(
    rows: pl.LazyFrame, calls: pl.LazyFrame, key: Sequence[str], lost: pl.Series, repeated: pl.Series
) -> Refused:
    """The rows whose calls have a reason, or have the id of another call (`INDEX` in `repeated`).

    A call is known by its `key`, `INDEX` where every row is a call of its own. `lost` are rows that repeat a call.
    """
    reason = pl.coalesce(REASON, pl.when(pl.col(INDEX).is_in(repeated.implode())).then(pl.lit(REPEATED)))
    of_calls = calls.select(*key, reason.alias(_OF_ITS_CALL)).filter(pl.col(_OF_ITS_CALL).is_not_null())
    looked_at = rows.filter(pl.col(FILTERED).is_null() & ~pl.col(INDEX).is_in(lost.implode()))
    found = (
        looked_at.select(INDEX, FILE, ROW, REASON, *(name for name in key if name != INDEX))
        .join(of_calls.collect(engine="streaming").lazy(), on=list(key), how="left")
        .select(INDEX, FILE, ROW, pl.coalesce(REASON, _OF_ITS_CALL).alias(REASON))
        .filter(pl.col(REASON).is_not_null())
        .collect(engine="streaming")
        .sort(INDEX)
    )
    counts = found.group_by(REASON).len().sort(pl.col("len"), REASON, descending=[True, False])
    return Refused(found, {name: int(count) for name, count in counts.iter_rows()})


def write_rejects(refused: Refused, parts: Sequence[Part], writer: Writer) -> Path:
    """A scratch file of columns `SCHEMA`, a row for each refused one, by file and line; `original` is a JSON object."""
    path = writer.scratch("rejects.parquet")
    frames = [pl.LazyFrame(schema=SCHEMA)]
    for number, part in enumerate(parts):
        mine = refused.rows.filter(pl.col(FILE) == number).select(ROW, REASON)
        if mine.height:
            frames.append(
                part.located(mine).select(
                    pl.lit(part.raw.name).alias("file"),
                    pl.col(LINE).alias("line"),
                    pl.col(REASON).alias("reason"),
                    part.original(part.cleaned.named).alias("original"),
                )
            )
    with sink(path) as file:
        pl.concat(frames).sink_parquet(file, compression="zstd", maintain_order=True, engine="streaming")
    return path


def as_csv(rejects: Path, writer: Writer) -> Path:
    """The same rows as a scratch file for spreadsheets: what would be a formula there gets a leading apostrophe."""
    path = writer.scratch("rejects.csv")
    text = pl.col(pl.String)
    defused = pl.when(text.str.contains(_FORMULA)).then(pl.lit("'") + text).otherwise(text)
    with sink(path) as file:
        pl.scan_parquet(rejects).with_columns(defused.name.keep()).sink_csv(file, engine="streaming")
    return path
