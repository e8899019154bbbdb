"""What an ingest would make of files, without touching any dataset."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.clean import FILTERED, ROW
from supportapi.calls.judge import REASON
from supportapi.calls.record import COLUMNS
from supportapi.dataset.duplicates import INDEX
from supportapi.dataset.ingest import calls_files, silent, staged
from supportapi.dataset.judged import Judged, judged
from supportapi.dataset.mapping import load_mapping
from supportapi.dataset.placement import Placement
from supportapi.dataset.write import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from supportapi.calls.mapping import Mapping
    from supportapi.dataset.located import Part
    from supportapi.dataset.report import IngestReport

    Progress = Callable[[str, int, int], None]

SHOWN_ROWS: Final = 3


class Preview:
    """The first rows as they stand in the first file and as they were understood, and the report there would be."""

    def __init__(self, rows: Judged, mapping: Mapping | None, writer: Writer, tell: Progress) -> None:
        self._rows, self._mapping, self._writer, self._tell = rows, mapping, writer, tell
        first = rows.parts[0]
        before = first.raw.rows.head(SHOWN_ROWS).collect(engine="streaming")
        self.name = first.raw.name
        self.before = before.select(first.cleaned.named)
        understood = _rows(first) if mapping is None or mapping.fold is None else _folded(rows)
        self.after = understood.select(column for column in understood if column.null_count() < column.len())

    def report(self) -> IngestReport:
        """What would become of every row. Raises `IngestRejected` as the ingest would."""
        return staged(self._rows, self._mapping, self._writer, Placement(), self._tell)

    def calls(self) -> pl.LazyFrame:
        """The calls that would be written."""
        return self._rows.kept.select(COLUMNS)


def _rows(part: Part) -> pl.DataFrame:
    """The first rows of a file as calls, those too that become none, and why they do not."""
    reason = pl.coalesce(REASON, pl.when(pl.col(FILTERED).is_not_null()).then(pl.lit("filtered"))).alias("rejected")
    return pl.read_parquet(part.path, n_rows=SHOWN_ROWS).sort(ROW).select(*COLUMNS, reason)


def _folded(rows: Judged) -> pl.DataFrame:
    """The calls that the first rows became part of."""
    return rows.kept.sort(INDEX).select(COLUMNS).head(SHOWN_ROWS).collect(engine="streaming")


@contextmanager
def preview(
    files: Sequence[Path], mapping: Mapping | Path | None, *, limit: int | None = None, progress: Progress | None = None
) -> Generator[Preview]:
    """The preview of an ingest of `files` (of each its first `limit` rows); what it needs on disk is gone afterwards.

    Raises as `ingest` does.
    """
    rules = load_mapping(mapping) if isinstance(mapping, Path) else mapping
    files = calls_files(files, rules)
    tell = progress or silent
    with TemporaryDirectory(prefix="supportapi-") as folder, Writer(Path(folder)) as writer:
        yield Preview(judged(files, rules, writer, tell, limit=limit), rules, writer, tell)
