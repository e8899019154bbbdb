"""A raw file becomes the live dataset, every row accounted for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import ALTERED, REASON, clean, clean_ready
from supportapi.calls.manifest import Manifest
from supportapi.calls.mapping import ZONE_REMEDY, Duplicates, Mapping, Reading
from supportapi.dataset.append import Appended
from supportapi.dataset.duplicates import INDEX, repeats
from supportapi.dataset.files import writing
from supportapi.dataset.inputs import in_folder, names_of
from supportapi.dataset.lookups import load_lookups, with_lookups
from supportapi.dataset.mapping import load_mapping
from supportapi.dataset.passing import Passing
from supportapi.dataset.placement import Placement, place
from supportapi.dataset.raw import Raw
from supportapi.dataset.readers import read_raw, readable
from supportapi.dataset.rejects import FILE, Refused, refused_rows, write_rejects
from supportapi.dataset.write import LOCK_WAIT_SECONDS, Partition, Writer
from supportapi.errors import IngestRejected, MappingInvalid, RawFileUnreadable, SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Progress = Callable[[str, int, int], None]

MAPPING_NAME: Final = "mapping.toml"


class IngestReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every row: `read == written + rejected + duplicates`.

    After an append, `written == appended.added + appended.replaced + appended.unchanged`; `manifest` tells of the whole
    dataset, whose form is `partition` and was `partition_before`. Rows without any value are not rows.
    `altered_by_reason` counts values of written calls that were made null. `assumed` says what was told from each file
    rather than declared, and what was mended in it.
    """

    files: tuple[str, ...]
    assumed: tuple[str, ...]
    read: int
    written: int
    rejected: int
    duplicates: int
    rejected_by_reason: dict[str, int]
    altered_by_reason: dict[str, int]
    appended: Appended | None
    partition: Partition
    partition_before: Partition | None
    dataset_hash: str
    seconds: float
    manifest: Manifest


class _Parts(msgspec.Struct, frozen=True):
    """The cleaned rows of all files, in order: scratch files with `FILE`, `ROW`, the calls, `REASON` and `ALTERED`."""

    raws: tuple[Raw, ...]
    paths: tuple[Path, ...]
    altered: tuple[str, ...]

    def rows(self) -> pl.LazyFrame:
        """All rows, numbered by `INDEX`."""
        return pl.scan_parquet(list(self.paths), glob=False).with_row_index(INDEX)


def ingest(
    files: Sequence[Path],
    mapping: Mapping | Path | None,
    out: Path,
    *,
    placement: Placement | None = None,
    source: str | None = None,
    notes: str | None = None,
    progress: Progress | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> IngestReport:
    """Read `files` by `mapping` and replace the dataset in `out`: calls, manifest, and `rejects.parquet` beside them.

    Files that the mapping names as lookups hold no calls, and are not read as such.

    Without a mapping the files are a ready dataset (`calls.record.canonical` says which columns). Equal rows give
    equal bytes. `placement` says whether they join the live dataset instead, and whether each month is a file; its
    default is that of the mapping. `source` defaults to the mapping's name. `progress(stage, done, total)` is told of
    rows to `read` (0 where nobody knows how many) and calls to `write`.

    Raises `RawFileUnreadable`, `MappingInvalid`, `SchemaInvalid`, `IngestRejected` (no row became a call),
    `DatasetNotWritable` (also when another ingest holds `out`), for an append `ManifestInvalid`, `DataMissing` and
    `DataMismatch`; the dataset in `out` is then the old one, whole.
    """
    began = time.monotonic()
    rules = load_mapping(mapping) if isinstance(mapping, Path) else mapping
    lookups = {Path(lookup.file).resolve() for lookup in rules.lookups.values()} if rules else set[Path]()
    files = [file for file in files if file.resolve() not in lookups]
    if not files:
        raise RawFileUnreadable("There is no file to ingest.", reason="no_files")
    with Writer(out, lock_wait_seconds=lock_wait_seconds) as writer:
        wanted = _wanted(placement or Placement(), rules)
        report, rejects = _staged(files, rules, writer, wanted, progress or _ignore)
        manifest = msgspec.structs.replace(
            report.manifest,
            source=source or (rules.name if rules else None) or files[0].name,
            notes=notes or (rules.notes if rules else None),
        )
        writer.publish(manifest, beside={"rejects.parquet": rejects})
    return msgspec.structs.replace(report, manifest=manifest, seconds=round(time.monotonic() - began, 3))


def _staged(
    files: Sequence[Path], mapping: Mapping | None, writer: Writer, wanted: Placement, tell: Progress
) -> tuple[IngestReport, Path]:
    """Everything but publishing: what became of the rows, and the scratch file of rejects."""
    parts = _clean_files(files, mapping, writer, tell)
    lost, repeated = _duplicates(parts, mapping.duplicates if mapping else Duplicates())
    refused = refused_rows(parts.rows(), repeated)
    _refuse_unless_usable(parts, refused, files)
    with writing(writer.out):
        rejects = write_rejects(refused, parts.raws, writer)
    gone = pl.concat([lost, repeated]).implode()
    kept = parts.rows().filter(pl.col(REASON).is_null() & ~pl.col(INDEX).is_in(gone))
    read = _height(parts.rows())
    placed = place(kept, writer, wanted, lambda done, total: tell("write", done, total))
    report = IngestReport(
        files=tuple(raw.name for raw in parts.raws),
        assumed=tuple(f"{raw.name}: {note}" for raw in parts.raws for note in raw.notes),
        read=read,
        written=placed.written,
        rejected=_height(pl.scan_parquet(rejects)),
        duplicates=len(lost),
        rejected_by_reason=refused.by_reason,
        altered_by_reason=_altered(kept, parts.altered),
        appended=placed.appended,
        partition=placed.partition,
        partition_before=placed.before,
        dataset_hash=placed.manifest.hash,
        seconds=0.0,
        manifest=placed.manifest,
    )
    _account(report)
    return report, rejects


def _wanted(placement: Placement, mapping: Mapping | None) -> Placement:
    declared = mapping.write.partition if mapping else None
    return msgspec.structs.replace(placement, partition=placement.partition or declared)


def ingest_raw_folder(
    raw: Path, out: Path, *, placement: Placement | None = None, progress: Progress | None = None
) -> IngestReport:
    """Ingest every file of `raw` (but hidden ones, `.toml` and `.md`) by `raw/mapping.toml`; else as a ready dataset.

    Raises as `ingest` does, and `RawFileUnreadable` when the folder holds no file.
    """
    try:
        files = in_folder(raw)
    except RawFileUnreadable as nothing:
        told = f"{nothing.message} Put the export there, and a {MAPPING_NAME} that says how it becomes calls."
        raise RawFileUnreadable(told, **nothing.facts) from nothing
    mapping = raw / MAPPING_NAME
    return ingest(files, mapping if mapping.is_file() else None, out, placement=placement, progress=progress)


def _clean_files(files: Sequence[Path], mapping: Mapping | None, writer: Writer, tell: Progress) -> _Parts:
    lookups = load_lookups(mapping, writer.scratch("lookup")) if mapping else ()
    raws: list[Raw] = []
    paths: list[Path] = []
    altered: tuple[str, ...] = ()
    reading = mapping.read if mapping else Reading()
    passing = Passing(lambda done, total: tell("read", done, total))
    for number, (file, name) in enumerate(zip(files, names_of(files), strict=True)):
        with writing(writer.out), readable(file):
            found = read_raw(file, reading, writer.scratch(f"raw-{number}"), name=name)
        for raw in found:
            with readable(file), writing(writer.out):
                cleaned = clean(with_lookups(raw.rows, lookups), mapping) if mapping else clean_ready(raw.rows)
                paths.append(writer.scratch(f"part-{len(raws)}.parquet"))
                calls = passing.counted(cleaned.calls, raw.about)
                _sink(calls.with_columns(pl.lit(len(raws), dtype=pl.UInt32).alias(FILE)), paths[-1], file)
            raws.append(raw)
            altered = cleaned.altered
    passing.done()
    return _Parts(tuple(raws), tuple(paths), altered)


def _sink(calls: pl.LazyFrame, path: Path, file: Path) -> None:
    try:
        calls.sink_parquet(path, compression="lz4", maintain_order=True, engine="streaming")
    except pl.exceptions.InvalidOperationError as cause:
        reason = str(cause).splitlines()[0]
        raise SchemaInvalid(f"A value in {file} is not of its column's kind: {reason}.", path=str(file)) from cause


def _duplicates(parts: _Parts, rule: Duplicates) -> tuple[pl.Series, pl.Series]:
    """The `INDEX` of rows that repeat a call; and of calls that are another one and have its id all the same."""
    calls = parts.rows().filter(pl.col(REASON).is_null())
    lost = repeats(calls, rule.key, rule.keep)
    if rule.key == ("call_id",):
        return lost, lost.clear()
    return lost, repeats(calls.filter(~pl.col(INDEX).is_in(lost.implode())), ("call_id",), rule.keep)


def _refuse_unless_usable(parts: _Parts, refused: Refused, files: Sequence[Path]) -> None:
    names = ", ".join(file.name for file in files)
    total = _height(parts.rows())
    if total == 0:
        raise RawFileUnreadable(f"{names} has no rows below its header.", reason="no_rows")
    zoneless = [reason for reason in refused.by_reason if reason.endswith("_without_time_zone")]
    if zoneless:
        column = zoneless[0].removesuffix("_without_time_zone")
        told = f"{refused.by_reason[zoneless[0]]} times in {names} ({column}) do not say their zone. {ZONE_REMEDY}"
        raise MappingInvalid(told, problems=[told])
    if refused.rows.height == total:
        counted = ", ".join(f"{count} x {reason}" for reason, count in refused.by_reason.items())
        raise IngestRejected(
            f"None of the {total} rows of {names} can become a call: {counted}. Compare the mapping with the file.",
            read=total, rejected_by_reason=refused.by_reason,
        )  # fmt: skip


def _altered(kept: pl.LazyFrame, names: Sequence[str]) -> dict[str, int]:
    counts = kept.select(pl.col(f"{ALTERED}{name}").sum().alias(name) for name in names).collect(engine="streaming")
    return {name: int(count) for name, count in counts.row(0, named=True).items() if count}


def _height(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())


def _account(report: IngestReport) -> None:
    """Every row is somewhere: a mistake of ours here must not become a dataset."""
    if report.read != report.written + report.rejected + report.duplicates:
        told = (
            f"{report.read} read, {report.written} written, {report.rejected} rejected, {report.duplicates} duplicates"
        )
        raise IngestRejected(f"The rows do not add up: {told}. Nothing was replaced.", reason="not_accounted_for")


def _ignore(_stage: str, _done: int, _total: int) -> None:
    return
