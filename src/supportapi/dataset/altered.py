"""The values of written calls that were made null: how many by reason, and the first of them with what stood there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import ROW
from supportapi.calls.judge import ALTERED, REASON
from supportapi.calls.record import COLUMNS
from supportapi.dataset.duplicates import INDEX
from supportapi.dataset.located import FILE, LINE

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary
    from collections.abc import Sequence
    from pathlib import Path

    from supportapi.dataset.located import Part
    from supportapi.dataset.write import Writer

LISTED_A_REASON: Final = 1_000
_CALL: Final = "__call_id"
SCHEMA: Final = pl.Schema(
    {
        "file": pl.String, "line": pl.Int64, "call_id": pl.String, "column": pl.String, "reason": pl.String,
        "original": pl.String,
    }
)  # fmt: skip


class Alterations(msgspec.Struct, frozen=True):
    """`listed`: `FILE`, `ROW`, the call's id and `REASON` of the first `LISTED_A_REASON` values of each reason."""

    by_reason: dict[str, int]
    listed: pl.DataFrame

    def listed_by_reason(self) -> dict[str, int]:
        """How many of each reason are listed."""
        return {reason: min(count, LISTED_A_REASON) for reason, count in self.by_reason.items()}


def alterations(*kept: tuple[pl.LazyFrame, Sequence[str]]) -> Alterations:
    """The alterations of frames of kept rows and calls, each with the reasons that it tells of."""
    by_reason: dict[str, int] = {}
    listed = [pl.DataFrame(schema={FILE: pl.UInt32, ROW: pl.get_index_type(), _CALL: pl.String, REASON: pl.String})]
    for rows, reasons in kept:
        counted = rows.select(pl.col(f"{ALTERED}{reason}").sum().alias(reason) for reason in reasons)
        counts = counted.collect(engine="streaming").row(0, named=True) if reasons else {}
        for reason in (reason for reason in reasons if counts[reason]):
            by_reason[reason] = by_reason.get(reason, 0) + int(counts[reason])
            found = rows.filter(pl.col(f"{ALTERED}{reason}")).select(INDEX, FILE, ROW, pl.col("call_id").alias(_CALL))
            first = found.sort(INDEX).head(LISTED_A_REASON).collect(engine="streaming")
            listed.append(first.select(FILE, ROW, _CALL, pl.lit(reason).alias(REASON)))
    return Alterations(by_reason, pl.concat(listed))


def write_altered(
    made: Alterations, columns: Dictionary[str, tuple[str, ...]], parts: Sequence[Part], writer: Writer
) -> Path:
    """A scratch file of columns `SCHEMA`, by file and line. `columns` are those of a call that a reason concerns."""
    path = writer.scratch("altered.parquet")
    frames = [pl.DataFrame(schema=SCHEMA)]
    for number, part in enumerate(parts):
        mine = made.listed.filter(pl.col(FILE) == number).drop(FILE)
        if not mine.height:
            continue
        found = part.located(mine).collect(engine="streaming")
        told: list[pl.DataFrame] = []
        for (reason,), values in found.group_by(REASON, maintain_order=True):
            sources = [name for column in columns[str(reason)] for name in part.cleaned.sources.get(column, ())]
            told.append(
                values.select(
                    pl.lit(part.raw.name).alias("file"),
                    pl.col(LINE).alias("line"),
                    pl.col(_CALL).alias("call_id"),
                    pl.lit(_column(columns[str(reason)][0]), dtype=pl.String).alias("column"),
                    pl.col(REASON).alias("reason"),
                    part.original(list(dict.fromkeys(sources))).alias("original"),
                )
            )
        frames.append(pl.concat(told).sort("line", maintain_order=True))
    pl.concat(frames).write_parquet(path, compression="zstd")
    return path


def _column(name: str) -> str | None:
    """`name`, if it is a column of a call; null where a whole row is told of."""
    return name if name in COLUMNS else None
