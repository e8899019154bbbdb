"""A raw file becomes the live dataset, every row accounted for."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.mapping_problems import ZONE_REMEDY
from supportapi.dataset.files import flush, put, writing
from supportapi.dataset.inputs import in_folder
from supportapi.dataset.judged import Judged, judged
from supportapi.dataset.mapping import load_mapping
from supportapi.dataset.placement import Placement, place
from supportapi.dataset.rejects import as_csv
from supportapi.dataset.report import REPORT_NAME, IngestReport, account, clocks
from supportapi.dataset.write import LOCK_WAIT_SECONDS, Writer
from supportapi.errors import IngestRejected, MappingInvalid, RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supportapi.calls.mapping import Mapping

    Progress = Callable[[str, int, int], None]

MAPPING_NAME: Final = "mapping.toml"
REJECTS_NAME, REJECTS_CSV_NAME, ALTERED_NAME = "rejects.parquet", "rejects.csv", "altered.parquet"
FAILED_REJECTS_NAME: Final = "rejects.failed.parquet"
_LIMIT: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<percent>%?)")


def ingest(
    files: Sequence[Path],
    mapping: Mapping | Path | None,
    out: Path,
    *,
    placement: Placement | None = None,
    max_rejects: str | None = None,
    rejects_csv: bool = False,
    progress: Progress | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> IngestReport:
    """Read `files` by `mapping` and replace the dataset in `out`: calls, manifest, and what says how they came to be.

    That is `ingest-report.json`, `rejects.parquet` (also as CSV on demand) and `altered.parquet`. Without a mapping the
    files are a ready dataset (`calls.record.canonical` says which columns). Equal rows give equal bytes.
    `placement` says whether the calls join the live dataset instead, and whether each month is a file; its default is
    that of the mapping. `progress(stage, done, total)` is told of rows to `read` (0 where nobody knows how many) and
    calls to `write`.

    Files that the mapping names as lookups hold no calls, and are not read as such.

    Raises `RawFileUnreadable`, `NotCalls`, `MappingInvalid`, `SchemaInvalid`, `IngestRejected` (no row became a call,
    or more than `max_rejects`, a number or a percentage, became none; these are then in `rejects.failed.parquet`),
    `DatasetNotWritable` (also when another ingest holds `out`), for an append `ManifestInvalid`, `DataMissing` and
    `DataMismatch`; the dataset in `out` is then the old one, whole.
    """
    began = time.monotonic()
    rules = load_mapping(mapping) if isinstance(mapping, Path) else mapping
    files = calls_files(files, rules)
    allowed = None if max_rejects is None else Allowed.read(max_rejects)
    with Writer(out, lock_wait_seconds=lock_wait_seconds) as writer:
        rows = judged(files, rules, writer, progress or silent)
        try:
            report = staged(rows, rules, writer, placement, progress or silent, allowed=allowed)
        except IngestRejected as cause:
            raise _with_rejects(cause, rows, out) from cause
        manifest = msgspec.structs.replace(
            report.manifest,
            source=(rules.name if rules else None) or files[0].name,
            notes=rules.notes if rules else None,
            rejected_rows=report.rejected,
        )
        report = msgspec.structs.replace(report, manifest=manifest, seconds=round(time.monotonic() - began, 3))
        with writing(out):
            document = writer.scratch(REPORT_NAME)
            document.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
            beside = {
                REJECTS_NAME: rows.rejects,
                REJECTS_CSV_NAME: as_csv(rows.rejects, writer) if rejects_csv else None,
                ALTERED_NAME: rows.altered,
                FAILED_REJECTS_NAME: None,
                REPORT_NAME: document,
            }
        writer.publish(manifest, beside=beside)
    return msgspec.structs.replace(report, seconds=round(time.monotonic() - began, 3))


def raw_folder(raw: Path) -> tuple[list[Path], Path | None]:
    """What to ingest of the folder `raw`: its files but hidden ones, `.toml` and `.md`; and its `mapping.toml`, if any.

    Raises `RawFileUnreadable` when the folder holds no file.
    """
    try:
        files = in_folder(raw)
    except RawFileUnreadable as nothing:
        told = f"{nothing.message} Put the export there, and a {MAPPING_NAME} that says how it becomes calls."
        raise RawFileUnreadable(told, **nothing.facts) from nothing
    mapping = raw / MAPPING_NAME
    return files, mapping if mapping.is_file() else None


def calls_files(files: Sequence[Path], mapping: Mapping | None) -> list[Path]:
    """Those of `files` that hold calls: not the lookups of `mapping`. Raises `RawFileUnreadable` when none is left."""
    lookups = {Path(lookup.file).resolve() for lookup in mapping.lookups.values()} if mapping else set[Path]()
    left = [file for file in files if file.resolve() not in lookups]
    if not left:
        raise RawFileUnreadable("There is no file to ingest.", reason="no_files")
    return left


class Allowed(msgspec.Struct, frozen=True):
    """How many rows may be rejected, as a number or as a share of those read."""

    told: str
    rows: int | None
    share: float | None

    @classmethod
    def read(cls, told: str) -> Allowed:
        """As in `100` or `1%`. Raises `MappingInvalid`."""
        found = _LIMIT.fullmatch(told.strip())
        if found is None or (not found["percent"] and "." in found["number"]):
            problem = f"'{told}' is no limit for rejected rows; write a number or a share, as in 100 or 1%."
            raise MappingInvalid(problem, problems=[problem])
        number = float(found["number"])
        return cls(told, None, number / 100) if found["percent"] else cls(told, int(number), None)

    def exceeded(self, rejected: int, read: int) -> bool:
        """Whether `rejected` of `read` rows are more."""
        return rejected > (self.rows if self.rows is not None else (self.share or 0.0) * read)


def staged(
    rows: Judged,
    mapping: Mapping | None,
    writer: Writer,
    placement: Placement | None,
    tell: Progress,
    *,
    allowed: Allowed | None = None,
) -> IngestReport:
    """The calls of `rows` written under hidden names, and what became of every row."""
    _refuse_unless_usable(rows, allowed)
    placed = place(rows.kept, writer, _wanted(placement, mapping), lambda done, total: tell("write", done, total))
    altered = rows.alterations
    report = IngestReport(
        files=rows.by_file(),
        read=rows.read,
        written=placed.written,
        rejected=int(pl.scan_parquet(rows.rejects).select(pl.len()).collect().item()),
        duplicates=len(rows.lost),
        filtered=sum(rows.filtered_by_filter.values()),
        folded=rows.folded,
        rejected_by_reason=rows.refused.by_reason,
        filtered_by_filter=rows.filtered_by_filter,
        altered_by_reason=altered.by_reason,
        altered_listed=altered.listed_by_reason(),
        assumed=(*clocks(mapping), *(f"{part.raw.name}: {note}" for part in rows.parts for note in part.raw.notes)),
        appended=placed.appended,
        partition=placed.partition,
        partition_before=placed.before,
        dataset_hash=placed.manifest.hash,
        seconds=0.0,
        manifest=placed.manifest,
    )
    account(report)
    return report


def _wanted(placement: Placement | None, mapping: Mapping | None) -> Placement:
    wanted = placement or Placement()
    declared = mapping.write.partition if mapping else None
    return msgspec.structs.replace(wanted, partition=wanted.partition or declared)


def _refuse_unless_usable(rows: Judged, allowed: Allowed | None) -> None:
    names = ", ".join(part.raw.name for part in rows.parts)
    by_reason, rejected = rows.refused.by_reason, rows.refused.rows.height
    if rows.read == 0:
        raise RawFileUnreadable(f"{names} has no rows below its header.", reason="no_rows")
    zoneless = [reason for reason in by_reason if reason.endswith("_without_time_zone")]
    if zoneless:
        column = zoneless[0].removesuffix("_without_time_zone")
        told = f"{by_reason[zoneless[0]]} times in {names} ({column}) do not say their zone. {ZONE_REMEDY}"
        raise MappingInvalid(told, problems=[told])
    counted = ", ".join(f"{count} x {reason}" for reason, count in by_reason.items())
    filtered = sum(rows.filtered_by_filter.values())
    if rejected + filtered == rows.read:
        left_out = f"; {filtered} are filtered" if filtered else ""
        told = f"None of the {rows.read} rows of {names} can become a call: {counted or 'none is rejected'}{left_out}."
    elif allowed is not None and allowed.exceeded(rejected, rows.read):
        told = f"{rejected} of {rows.read} rows of {names} cannot become calls, and {allowed.told} may: {counted}."
    else:
        return
    raise IngestRejected(f"{told} Compare the mapping with the file.", read=rows.read, rejected_by_reason=by_reason)


def _with_rejects(cause: IngestRejected, rows: Judged, out: Path) -> IngestRejected:
    """The same failure, once the rows that it is about lie where somebody can look at them."""
    failed = out / FAILED_REJECTS_NAME
    with writing(out):
        flush(rows.rejects)
        put(rows.rejects, failed)
    told = f"{cause.message} The rejected rows are in {failed}; the dataset there is the one it was before."
    return IngestRejected(told, **cause.facts, rejects=str(failed))


def silent(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody follows."""
    return
