"""What an ingest did with every row and every value, and the check that nothing is missing from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.calls.columns import ZoneColumn
from supportapi.calls.manifest import Manifest
from supportapi.dataset.append import Appended
from supportapi.dataset.write import Partition
from supportapi.errors import IngestRejected

if TYPE_CHECKING:
    from supportapi.calls.mapping import Mapping

REPORT_NAME: Final = "ingest-report.json"


class FileRows(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of one file; a call folded from rows of several files is written in that of its first."""

    name: str
    read: int
    written: int
    rejected: int
    duplicates: int
    filtered: int
    folded: int


class IngestReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every row: `read == written + rejected + duplicates + filtered + folded`.

    After an append, `written == appended.added + appended.replaced + appended.unchanged`; `manifest` tells of the whole
    dataset, whose form is `partition` and was `partition_before`. Rows without any value are not rows. `folded` rows
    are in the call of another row. `altered_by_reason` counts values of written calls that were made null, of which
    `altered_listed` stand in `altered.parquet`. `assumed` says what was told from each file rather than declared.
    """

    files: tuple[FileRows, ...]
    read: int
    written: int
    rejected: int
    duplicates: int
    filtered: int
    folded: int
    rejected_by_reason: dict[str, int]
    filtered_by_filter: dict[str, int]
    altered_by_reason: dict[str, int]
    altered_listed: dict[str, int]
    assumed: tuple[str, ...]
    appended: Appended | None
    partition: Partition
    partition_before: Partition | None
    dataset_hash: str
    seconds: float
    manifest: Manifest


def account(report: IngestReport) -> None:
    """Every row is somewhere: a mistake of ours here must not become a dataset. Raises `IngestRejected`."""
    parts = ("written", "rejected", "duplicates", "filtered", "folded")
    counted: list[IngestReport | FileRows] = [report, *report.files]
    wrong = [rows for rows in counted if rows.read != sum(getattr(rows, part) for part in parts)]
    wrong += [rows for rows in report.files if rows.folded < 0]
    adds_up = all(getattr(report, part) == sum(getattr(file, part) for file in report.files) for part in parts)
    if wrong or not adds_up:
        told = ", ".join(f"{getattr(report, part)} {part}" for part in parts)
        raise IngestRejected(
            f"The rows do not add up: {report.read} read, {told}. Nothing was replaced.", reason="not_accounted_for"
        )


def clocks(mapping: Mapping | None) -> tuple[str, ...]:
    """What the files did not say about their times and the mapping did, or nobody."""
    if mapping is None:
        return ("Times without an offset are UTC.",)
    zone = mapping.time_zone
    if zone is None:
        return ()
    clock = f"the clock of '{zone.source}'" if isinstance(zone, ZoneColumn) else f"the clock of {zone}"
    twice = "a row is rejected" if mapping.ambiguous == "reject" else f"the {mapping.ambiguous} instant counts"
    never = "a row is rejected" if mapping.nonexistent == "reject" else "it is shifted"
    return (
        f"Times without an offset are of {clock}.",
        f"Where that shows a time twice, {twice}; where it never does, {never}.",
    )
