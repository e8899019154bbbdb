"""The rows that became no call: file, line, reason and what stood there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import FAULT, REASON, ROW
from supportapi.dataset.duplicates import INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from supportapi.dataset.raw import Raw
    from supportapi.dataset.write import Writer

FILE: Final = "__file"
SCHEMA: Final = pl.Schema({"file": pl.String, "line": pl.Int64, "reason": pl.String, "original": pl.String})
REPEATED: Final = "call_id_repeated"


class Refused(msgspec.Struct, frozen=True):
    """`rows`: `__file` (its number), `ROW` and `REASON` of every row that is no call."""

    rows: pl.DataFrame
    by_reason: dict[str, int]


def refused_rows(rows: pl.LazyFrame, repeated: pl.Series) -> Refused:
    """The rows with a reason, and those at the `INDEX` of `repeated`, which have the id of another call."""
    reason = pl.when(pl.col(INDEX).is_in(repeated.implode())).then(pl.lit(REPEATED)).otherwise(pl.col(REASON))
    found = (
        rows.select(FILE, ROW, reason.alias(REASON)).filter(pl.col(REASON).is_not_null()).collect(engine="streaming")
    )
    counts = found.group_by(REASON).len().sort(pl.col("len"), REASON, descending=[True, False])
    return Refused(found, {name: int(count) for name, count in counts.iter_rows()})


def write_rejects(refused: Refused, raws: Sequence[Raw], writer: Writer) -> Path:
    """A scratch file of columns `SCHEMA`, a row for each refused one, by file and line; `original` is a JSON object."""
    path = writer.scratch("rejects.parquet")
    frames = [pl.LazyFrame(schema=SCHEMA)]
    for number, raw in enumerate(raws):
        mine = refused.rows.filter(pl.col(FILE) == number)
        if mine.height:
            frames.append(_originals(raw, mine.with_columns(raw.lines(mine[ROW]).alias("__line"))))
    pl.concat(frames).sink_parquet(path, compression="zstd", maintain_order=True, engine="streaming")
    return path


def _originals(raw: Raw, mine: pl.DataFrame) -> pl.LazyFrame:
    found = raw.rows.collect_schema()
    values = [
        pl.col(column).cast(pl.String) if kind.is_temporal() else pl.col(column)
        for column, kind in found.items()
        if column not in {ROW, FAULT}
    ]
    rows = raw.rows.join(mine.lazy().select(ROW, REASON, "__line"), on=ROW, how="inner", maintain_order="left")
    return rows.select(
        pl.lit(raw.name).alias("file"),
        pl.col("__line").alias("line"),
        pl.col(REASON).alias("reason"),
        pl.struct(values).struct.json_encode().alias("original"),
    )
