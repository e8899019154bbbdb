"""Where the calls of an ingest go: in place of the live dataset or into it, as one file or as one for each month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supportapi.calls.manifest import Manifest
from supportapi.dataset.append import Appended, append, partition_of
from supportapi.dataset.write import Partition

if TYPE_CHECKING:
    import polars as pl

    from supportapi.dataset.write import Staging, Writer


class Placement(msgspec.Struct, frozen=True):
    """What is wanted. Where `partition` is not said, an append keeps the dataset's form, and a new one is one file."""

    partition: Partition | None = None
    append: bool = False


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The staged dataset, and how many of the calls that were given are in it: all of them.

    `before` is the form of the dataset that is live until it is replaced, where there is one.
    """

    manifest: Manifest
    written: int
    appended: Appended | None
    partition: Partition
    before: Partition | None


def place(calls: pl.LazyFrame, writer: Writer, wanted: Placement, progress: Staging | None = None) -> Placed:
    """Stage `calls` (columns of `SCHEMA` among others, unique ids) as `wanted`.

    Raises what `Writer.stage` and `append` do, and `ManifestInvalid` when there is no telling what to append to.
    """
    live = writer.live() if wanted.append else writer.before
    before = None if live is None else partition_of(live)
    partition = wanted.partition or (before if wanted.append else None) or "none"
    if wanted.append and live is not None:
        manifest, appended = append(writer, calls, live, partition, progress)
        written = appended.added + appended.replaced + appended.unchanged
    else:
        manifest, appended = writer.stage(calls, partition=partition, progress=progress), None
        written = manifest.row_count or 0
    return Placed(manifest=manifest, written=written, appended=appended, partition=partition, before=before)
