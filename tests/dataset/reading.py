"""A file of the test's own making, read as ingest reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportapi.calls.clean import ROW
from supportapi.calls.mapping import Reading
from supportapi.dataset.readers import read_raw

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from supportapi.dataset.raw import Raw


def raws(path: Path, reading: Reading | None = None) -> list[Raw]:
    return read_raw(path, reading or Reading(), path.with_name(".scratch"))


def rows(path: Path, reading: Reading | None = None) -> pl.DataFrame:
    """The rows of the only file in `path`, without their numbers."""
    (raw,) = raws(path, reading)
    return raw.rows.collect().drop(ROW)


def notes(path: Path, reading: Reading | None = None) -> tuple[str, ...]:
    (raw,) = raws(path, reading)
    return raw.notes


def lines(path: Path, reading: Reading | None = None) -> list[int]:
    """On which lines the rows begin."""
    (raw,) = raws(path, reading)
    return raw.lines(raw.rows.collect()[ROW]).to_list()
