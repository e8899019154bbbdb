"""Calls become the live dataset: Parquet first, then the manifest that names it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

import msgspec
import polars as pl

from supportapi.calls.manifest import Manifest, ManifestFile, read_manifest
from supportapi.calls.record import COLUMNS, SORT_KEY
from supportapi.dataset.files import flush, locked, put, sha256_of, sweep, temporary, writing
from supportapi.errors import ManifestInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CALLS_NAME: Final = "cleaned_calls.parquet"
MANIFEST_NAME: Final = "manifest.json"
DATASET: Final = "cleaned_calls"
ROW_GROUP_CALLS: Final = 65_536
COMPRESSION_LEVEL: Final = 3
LOCK_WAIT_SECONDS: Final = 30.0
_STAGED_MANIFEST: Final = ".manifest.json.next"


class Writer:
    """One writer's hold on the folder `out`: a context; leftovers of killed writers are cleaned on entering.

    `stage` writes calls under a hidden name, `publish` makes them live. Leaving without `publish` leaves the live
    dataset as it was. Everything raises `DatasetNotWritable` when the disk refuses, or when another writer holds `out`.
    """

    def __init__(self, out: Path, *, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self.out = out
        self._lock_wait_seconds = lock_wait_seconds
        self._stack = ExitStack()
        self._calls = temporary(out / CALLS_NAME)

    def __enter__(self) -> Self:
        self._stack.enter_context(locked(self.out, self._lock_wait_seconds))
        with writing(self.out):
            _finish(self.out)
            sweep(self.out)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            sweep(self.out)
        finally:
            self._stack.close()

    def scratch(self, name: str) -> Path:
        """A hidden file's name in `out` for work in between; gone when the writer leaves."""
        return temporary(self.out / name)

    def stage(self, calls: pl.LazyFrame, *, is_sorted: bool = False) -> Manifest:
        """Write `calls` (columns of `SCHEMA`) sorted by `SORT_KEY`, and return the manifest that fits the bytes.

        Equal calls give equal bytes. `is_sorted` promises that they are in order already.
        """
        ordered = calls.select(COLUMNS)
        ordered = ordered if is_sorted else ordered.sort(SORT_KEY)
        with writing(self.out):
            ordered.sink_parquet(
                self._calls, compression="zstd", compression_level=COMPRESSION_LEVEL, row_group_size=ROW_GROUP_CALLS,
                statistics=True, maintain_order=True, engine="streaming",
            )  # fmt: skip
            flush(self._calls)
            return _describe(self._calls)

    def publish(self, manifest: Manifest, *, beside: Mapping[str, Path | None] | None = None) -> None:
        """Make the staged calls live: they, then their manifest.

        Before them the scratch files `beside` get their names; a name without a file is one that is not to be there.
        Should the machine stop between calls and manifest, the next writer puts the manifest that waits beside them.
        """
        with writing(self.out):
            for name, scratch in (beside or {}).items():
                if scratch is None:
                    (self.out / name).unlink(missing_ok=True)
                    continue
                flush(scratch)
                put(scratch, self.out / name)
            staged_manifest = self.out / _STAGED_MANIFEST
            staged_manifest.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
            flush(staged_manifest)
            put(self._calls, self.out / CALLS_NAME)
            put(staged_manifest, self.out / MANIFEST_NAME)


def write_dataset(
    calls: pl.LazyFrame,
    out: Path,
    *,
    source: str | None = None,
    notes: str | None = None,
    is_sorted: bool = False,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> Manifest:
    """Replace the dataset in `out` by `calls` (columns of `SCHEMA`, all possible, unique ids): Parquet, then manifest.

    Raises `DatasetNotWritable`; the dataset in `out` is then the old one, whole.
    """
    with Writer(out, lock_wait_seconds=lock_wait_seconds) as writer:
        manifest = msgspec.structs.replace(writer.stage(calls, is_sorted=is_sorted), source=source, notes=notes)
        writer.publish(manifest)
    return manifest


def _describe(path: Path) -> Manifest:
    counts = pl.scan_parquet(path).select(
        rows=pl.len(),
        first=pl.col("started_at").min(),
        last=pl.col("started_at").max(),
        **{f"known:{column}": pl.col(column).count() for column in COLUMNS},
    )
    found = counts.collect(engine="streaming").row(0, named=True)
    state, digest = path.stat(), sha256_of(path)
    file = ManifestFile(
        path=CALLS_NAME,
        hash=digest,
        size_bytes=state.st_size,
        row_count=found["rows"],
        min_started_at=found["first"],
        max_started_at=found["last"],
    )
    return Manifest(
        dataset=DATASET,
        path=CALLS_NAME,
        hash=digest,
        size_bytes=file.size_bytes,
        row_count=file.row_count,
        updated_at=datetime.fromtimestamp(state.st_mtime, UTC).replace(microsecond=0),
        columns=tuple(column for column in COLUMNS if found[f"known:{column}"]),
        min_started_at=file.min_started_at,
        max_started_at=file.max_started_at,
        files=(file,),
    )


def _finish(out: Path) -> None:
    """Put the manifest of calls that became live just before their writer was killed; drop one whose calls did not."""
    staged, live = out / _STAGED_MANIFEST, out / CALLS_NAME
    if not staged.exists():
        return
    try:
        manifest = read_manifest(staged.read_bytes())
    except ManifestInvalid:
        staged.unlink()
        return
    if live.exists() and live.stat().st_size == manifest.size_bytes and sha256_of(live) == manifest.hash:
        put(staged, out / MANIFEST_NAME)
    else:
        staged.unlink()
