"""What the last ingest into a folder did with every row, and the first of those that became no call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import Meta as Doc

from supportapi.errors import DataCorrupt

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

LONGEST_TEXT: Final = 500
_Rows = Annotated[int, Doc(ge=0)] | None
_Counts = Annotated[dict[str, int], Doc(examples=[{"started_at_unreadable": 12, "started_at_missing": 3}])]


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a raw file that became no call."""

    file: Annotated[str, Doc(description="The raw file's name.", examples=["calls.csv"])]
    line: Annotated[int | None, Doc(description="Where it begins there, from 1.", examples=[8_211])]
    reason: Annotated[str, Doc(description="Why it is no call.", examples=["started_at_missing"])]
    original: Annotated[
        dict[str, Any],
        Doc(
            description=f"What stood there, by the file's own columns; texts are cut after {LONGEST_TEXT} characters.",
            examples=[{"id": "4711", "start": ""}],
        ),
    ]


class LastIngest(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every row: `read` is `written`, `rejected`, `duplicates`, `filtered` and `folded` together.

    Of an ingest that was refused only the rejected rows are known.
    """

    outcome: Annotated[
        Literal["written", "refused"],
        Doc(
            description="`refused`: too many rows were rejected (`--max-rejects`), or all; the dataset is the old one."
        ),
    ]
    ended_at: Annotated[datetime, Doc(description="When its files were written.")]
    dataset_hash: Annotated[str | None, Doc(description="SHA-256 of the dataset that it wrote; null: none.")]
    seconds: Annotated[float | None, Doc(description="How long it took.")]
    files: Annotated[tuple[str, ...] | None, Doc(description="The raw files.", examples=[["calls.csv"]])]
    read: Annotated[_Rows, Doc(description="Rows of the raw files.", examples=[5_000])]
    written: Annotated[_Rows, Doc(description="Rows that became calls.", examples=[4_985])]
    rejected: Annotated[int, Doc(ge=0, description="Rows that became no call.", examples=[15])]
    duplicates: Annotated[_Rows, Doc(description="Rows that repeat a call.", examples=[0])]
    filtered: Annotated[_Rows, Doc(description="Rows that the mapping leaves out.", examples=[0])]
    folded: Annotated[_Rows, Doc(description="Rows that are in the call of another row.", examples=[0])]
    rejected_by_reason: Annotated[_Counts, Doc(description="How many rows for each reason, the most first.")]
    altered_by_reason: Annotated[
        dict[str, int] | None,
        Doc(
            description="Values of written calls that were made null, by reason.",
            examples=[{"rating_outside_scale": 2}],
        ),
    ]
    rows: Annotated[tuple[RejectedRow, ...], Doc(description="The first rejected ones, in the order of the files.")]


class _File(msgspec.Struct, frozen=True):
    name: str


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of `ingest-report.json`, which may be one of an earlier release."""

    files: tuple[_File, ...]
    read: int
    written: int
    rejected: int
    duplicates: int
    filtered: int
    folded: int = 0
    rejected_by_reason: dict[str, int]
    altered_by_reason: dict[str, int] = {}
    dataset_hash: str
    seconds: float


def last_ingest(folder: Path | None, reason: str | None, limit: int) -> LastIngest | None:
    """The last ingest into `folder`, with at most `limit` of its rejected rows, of `reason` alone if one is given.

    None when nothing says that there was one: the dataset was written by somebody else, or is in no folder. Raises
    `DataCorrupt` for files that are not those of an ingest.
    """
    if folder is None:
        return None
    from supportapi.dataset.ingest import (  # noqa: PLC0415 - Polars, which the start of the API does without
        FAILED_REJECTS_NAME,
        REJECTS_NAME,
    )
    from supportapi.dataset.report import REPORT_NAME  # noqa: PLC0415 - as above

    # An ingest that succeeds removes what a failed one left.
    if (folder / FAILED_REJECTS_NAME).is_file():
        return _refused(folder / FAILED_REJECTS_NAME, reason, limit)
    report = folder / REPORT_NAME
    if not report.is_file():
        return None
    return _written(report, folder / REJECTS_NAME, reason, limit)


def _written(path: Path, rejects: Path, reason: str | None, limit: int) -> LastIngest:
    try:
        report = msgspec.json.decode(path.read_bytes(), type=_Report)
    except msgspec.MsgspecError as cause:
        raise _foreign(path) from cause
    told: dict[str, Any] = {name: getattr(report, name) for name in _Report.__struct_fields__ if name != "files"}
    return LastIngest(
        outcome="written",
        ended_at=_written_at(path),
        files=tuple(file.name for file in report.files),
        rows=_rows(rejects, reason, limit) if report.rejected else (),
        **told,
    )


def _refused(rejects: Path, reason: str | None, limit: int) -> LastIngest:
    import polars as pl  # noqa: PLC0415 - which the start of the API does without

    counts = _collected(rejects, pl.scan_parquet(rejects).group_by("reason").len())
    by_reason = dict(sorted(counts.iter_rows(), key=lambda count: (-count[1], count[0])))
    return LastIngest(
        outcome="refused",
        ended_at=_written_at(rejects),
        dataset_hash=None,
        seconds=None,
        files=None,
        read=None,
        written=None,
        rejected=sum(by_reason.values()),
        duplicates=None,
        filtered=None,
        folded=None,
        rejected_by_reason=by_reason,
        altered_by_reason=None,
        rows=_rows(rejects, reason, limit),
    )


def _rows(rejects: Path, reason: str | None, limit: int) -> tuple[RejectedRow, ...]:
    import polars as pl  # noqa: PLC0415 - which the start of the API does without

    found = pl.scan_parquet(rejects)
    if reason is not None:
        found = found.filter(pl.col("reason") == reason)
    rows = _collected(rejects, found.head(limit)).iter_rows(named=True)
    return tuple(
        RejectedRow(file=row["file"], line=row["line"], reason=row["reason"], original=_cut(row["original"]))
        for row in rows
    )


def _collected(path: Path, rows: pl.LazyFrame) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - which the start of the API does without

    try:
        return rows.collect(engine="streaming")
    except (OSError, pl.exceptions.PolarsError) as cause:
        raise _foreign(path) from cause


def _cut(original: str) -> dict[str, Any]:
    values = cast("dict[str, Any]", msgspec.json.decode(original))
    return {
        name: f"{value[:LONGEST_TEXT]}…" if isinstance(value, str) and len(value) > LONGEST_TEXT else value
        for name, value in values.items()
    }


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _foreign(path: Path) -> DataCorrupt:
    return DataCorrupt(f"{path.name} is not what an ingest writes. Run the ingest again.", path=str(path))
