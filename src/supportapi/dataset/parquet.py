"""One Parquet file of a dataset: written from calls in order, and what the manifest says of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

import polars as pl
from polars.io.plugins import register_io_source

from supportapi.calls.manifest import ManifestFile
from supportapi.calls.record import COLUMNS, SCHEMA
from supportapi.dataset.files import flush, sha256_of
from supportapi.dataset.sink import sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

CALLS_NAME: Final = "cleaned_calls.parquet"
ROW_GROUP_CALLS: Final = 65_536
COMPRESSION_LEVEL: Final = 3
_HASH_DIGITS: Final = 16
_MONTH_NAME: Final = re.compile(r"calls-(\d{4}-\d{2})-[0-9a-f]{16}\.parquet")


def month_name(month: str, file_hash: str) -> str:
    """The name of the file of a month (as in `2024-05`): other bytes, other name."""
    return f"calls-{month}-{file_hash[:_HASH_DIGITS]}.parquet"


def month_in(name: str) -> str | None:
    """The month whose calls the file `name` holds; None when it is not named by `month_name`."""
    match = _MONTH_NAME.fullmatch(name)
    return match[1] if match else None


def write_calls(frames: Iterable[pl.DataFrame], path: Path) -> ManifestFile:
    """Write `frames` (columns of `SCHEMA`, in order) to `path` and onto the disk, and describe the file.

    Equal calls give equal bytes, wherever one frame ends and the next begins.
    """
    seen = _Seen()

    def source(*_asked: object) -> Iterator[pl.DataFrame]:
        return seen.passing(frames)

    with sink(path) as file:
        register_io_source(source, schema=pl.Schema(SCHEMA), is_pure=True).sink_parquet(
            file, compression="zstd", compression_level=COMPRESSION_LEVEL, row_group_size=ROW_GROUP_CALLS,
            statistics=True, maintain_order=True, engine="streaming",
        )  # fmt: skip
    flush(path)
    return ManifestFile(
        path=path.name,
        hash=sha256_of(path),
        size_bytes=path.stat().st_size,
        row_count=seen.rows,
        min_started_at=seen.first,
        max_started_at=seen.last,
        columns=tuple(column for column in COLUMNS if column in seen.known),
    )


def holds(path: Path, file: ManifestFile) -> bool:
    """Whether the bytes at `path` are those of `file`; their number is compared first."""
    if not path.is_file() or file.size_bytes not in {None, path.stat().st_size}:
        return False
    return sha256_of(path) == file.hash


class _Seen:
    """What passes by on the way to the disk: nothing is read again to describe it."""

    def __init__(self) -> None:
        self.rows = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.known: set[str] = set()

    def passing(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for frame in frames:
            if frame.height:
                self._note(frame)
                yield frame

    def _note(self, frame: pl.DataFrame) -> None:
        started = frame["started_at"]
        self.first = self.first or cast("datetime", started[0])
        self.last = cast("datetime", started[-1])
        self.rows += frame.height
        self.known |= {column.name for column in frame if column.null_count() < frame.height}
