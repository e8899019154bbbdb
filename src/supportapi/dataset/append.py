"""Calls join the live dataset: new ones are added, one with a known `call_id` takes the place of the stored one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.record import COLUMNS, canonical
from supportapi.dataset.legible import legible
from supportapi.dataset.parquet import holds, month_in
from supportapi.dataset.spans import months_of
from supportapi.errors import DataCorrupt, DataMismatch, DataMissing, IngestRejected, SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from supportapi.calls.manifest import Manifest, ManifestFile
    from supportapi.dataset.write import Partition, Staging, Writer

_REMEDY: Final = "Ingest without --append to write the dataset anew."


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the calls of an append: each was new, or took a stored one's place, or was there already."""

    added: int
    replaced: int
    unchanged: int


def append(
    writer: Writer, kept: pl.LazyFrame, live: Manifest, partition: Partition, progress: Staging | None = None
) -> tuple[Manifest, Appended]:
    """Stage the dataset `live` with the calls `kept` (columns of `SCHEMA`, unique ids) in it.

    In a dataset of months, only months are read and written to which one of `kept` belongs, or the call that one
    replaces; of the other months only the ids are read. Holds the ids of `kept` in memory.

    Raises `DataMissing` and `DataMismatch` when a live file is not what the manifest promises, `DataCorrupt` and
    `SchemaInvalid` when it holds no calls.
    """
    for file in live.files:
        _refuse_absent(writer.out, file)
    try:
        with legible([file.path for file in live.files]):
            return _joined(writer, kept, live, partition, progress)
    except (DataCorrupt, SchemaInvalid) as cause:
        told = f"{cause.message} Nothing can be added to {', '.join(file.path for file in live.files[:3])}. {_REMEDY}"
        raise type(cause)(told, **cause.facts) from cause


def _joined(
    writer: Writer, kept: pl.LazyFrame, live: Manifest, partition: Partition, progress: Staging | None
) -> tuple[Manifest, Appended]:
    known = _known(_stored(writer.out, live.files), kept)
    touched = live.files
    if partition == partition_of(live) == "month":
        months = months_of(kept) | months_of(known.lazy())
        touched = tuple(file for file in live.files if month_in(file.path) in months)
    for file in touched:
        _refuse_changed(writer.out, file)
    stored = _stored(writer.out, touched)
    unchanged = _equal(stored, kept, known)
    successors = known.lazy().select("call_id")
    calls = pl.concat([stored.join(successors, on="call_id", how="anti"), kept.select(COLUMNS)])
    untouched = [file for file in live.files if file not in touched]
    manifest = writer.stage(calls, partition=partition, untouched=untouched, progress=progress)
    incoming = _height(kept)
    _account(manifest, _height(_stored(writer.out, live.files)) - known.height + incoming)
    met = known["call_id"].n_unique()
    return manifest, Appended(added=incoming - met, replaced=met - unchanged, unchanged=unchanged)


def partition_of(manifest: Manifest) -> Partition:
    """The form of a dataset: a file for each month, or anything else."""
    return "month" if all(month_in(file.path) for file in manifest.files) else "none"


def _stored(out: Path, files: Sequence[ManifestFile]) -> pl.LazyFrame:
    frames = [canonical(pl.scan_parquet(out / file.path, glob=False)) for file in files]
    return pl.concat([canonical(pl.LazyFrame(schema={"call_id": pl.String, "started_at": pl.String})), *frames])


def _known(stored: pl.LazyFrame, kept: pl.LazyFrame) -> pl.DataFrame:
    """`call_id` and `started_at` of the stored calls that have the id of one of `kept`."""
    ids = stored.select("call_id", "started_at")
    return ids.join(kept.select("call_id"), on="call_id", how="semi").collect(engine="streaming")


def _equal(stored: pl.LazyFrame, kept: pl.LazyFrame, known: pl.DataFrame) -> int:
    """How many of `kept` are stored as they are. Hashes of whole calls are compared: it only counts."""
    if known.is_empty():
        return 0
    ids, whole = known.lazy().select("call_id"), pl.struct(COLUMNS).hash().alias("whole")
    # Hashed before they are joined: joins of whole calls take three times the memory.
    old, new = (
        calls.select("call_id", whole).join(ids, on="call_id", how="semi") for calls in (stored, kept.select(COLUMNS))
    )
    return _height(new.join(old, on=["call_id", "whole"], how="semi"))


def _height(calls: pl.LazyFrame) -> int:
    return int(calls.select(pl.len()).collect(engine="streaming").item())


def _refuse_absent(out: Path, file: ManifestFile) -> None:
    if not (out / file.path).is_file():
        raise DataMissing(
            f"The live manifest names {file.path}, which is not there; nothing can be added to it. {_REMEDY}",
            path=file.path, location=str(out),
        )  # fmt: skip


def _refuse_changed(out: Path, file: ManifestFile) -> None:
    if not holds(out / file.path, file):
        raise DataMismatch(
            f"{file.path} is not the file that the live manifest promises; nothing can be added to it. {_REMEDY}",
            path=file.path, reason="hash", expected=file.hash,
        )  # fmt: skip


def _account(manifest: Manifest, expected: int) -> None:
    """No stored call is lost and none is there twice: a mistake of ours here must not become a dataset."""
    if manifest.row_count != expected:
        raise IngestRejected(
            f"The calls do not add up: {expected} expected, {manifest.row_count} written. Nothing was replaced.",
            reason="not_accounted_for",
        )
