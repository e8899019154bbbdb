"""What an ingest would make of files, without touching any dataset."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.clean import FILTERED, ROW
from supportapi.calls.judge import REASON
from supportapi.calls.manifest import read_manifest
from supportapi.calls.record import COLUMNS, canonical
from supportapi.dataset.duplicates import INDEX
from supportapi.dataset.ingest import Allowed, calls_files, silent, staged
from supportapi.dataset.judged import Judged, judged
from supportapi.dataset.mapping import load_mapping
from supportapi.dataset.write import MANIFEST_NAME, Writer
from supportapi.errors import ManifestInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from supportapi.calls.manifest import Manifest
    from supportapi.calls.mapping import Mapping
    from supportapi.dataset.located import Part
    from supportapi.dataset.placement import Placement
    from supportapi.dataset.report import IngestReport

    Progress = Callable[[str, int, int], None]

SHOWN_ROWS: Final = 3


class Preview:
    """The first rows as they stand in the first file and as they were understood, and the report there would be."""

    def __init__(
        self, rows: Judged, mapping: Mapping | None, writer: Writer, would_be: Callable[[], IngestReport]
    ) -> None:
        self._writer = writer
        first = rows.parts[0]
        before = first.raw.rows.head(SHOWN_ROWS).collect(engine="streaming")
        self.name = first.raw.name
        self.before = before.select(first.cleaned.named)
        understood = _rows(first) if mapping is None or mapping.fold is None else _folded(rows)
        self.after = understood.select(column for column in understood if column.null_count() < column.len())
        self.report = would_be
        """What would become of every row, and of the dataset. Raises `IngestRejected` as the ingest would."""

    def kept_files(self) -> set[str]:
        """The names of the live files, which months that do not change keep."""
        return {file.path for file in self._writer.before.files} if self._writer.before else set()

    def calls(self, manifest: Manifest) -> pl.LazyFrame:
        """The calls of the dataset that there would be, whose manifest the report holds."""
        return pl.concat([canonical(pl.scan_parquet(path, glob=False)) for path in self._writer.paths(manifest.files)])


def _rows(part: Part) -> pl.DataFrame:
    """The first rows of a file as calls, those too that become none, and why they do not."""
    reason = pl.coalesce(REASON, pl.when(pl.col(FILTERED).is_not_null()).then(pl.lit("filtered"))).alias("rejected")
    return pl.read_parquet(part.path, n_rows=SHOWN_ROWS).sort(ROW).select(*COLUMNS, reason)


def _folded(rows: Judged) -> pl.DataFrame:
    """The calls that the first rows became part of."""
    return rows.kept.sort(INDEX).select(COLUMNS).head(SHOWN_ROWS).collect(engine="streaming")


@contextmanager
def preview(
    files: Sequence[Path],
    mapping: Mapping | Path | None,
    live: Path,
    *,
    placement: Placement | None = None,
    max_rejects: str | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Generator[Preview]:
    """The preview of an ingest of `files` (of each its first `limit` rows) into the folder `live`.

    What it needs on disk is gone afterwards; in `live` it only reads. Raises as `ingest` does.
    """
    rules = load_mapping(mapping) if isinstance(mapping, Path) else mapping
    files = calls_files(files, rules)
    allowed = None if max_rejects is None else Allowed.read(max_rejects)
    tell = progress or silent
    with TemporaryDirectory(prefix="supportapi-") as name:
        folder = Path(name)
        _stand_in(folder, live)
        with Writer(folder) as writer:
            rows = judged(files, rules, writer, tell, limit=limit)
            would_be = partial(staged, rows, rules, writer, placement, tell, allowed=allowed)
            yield Preview(rows, rules, writer, would_be)


def _stand_in(folder: Path, live: Path) -> None:
    """Make `folder` look like `live` to a writer: the same manifest, and links in place of the files that it names."""
    manifest = live / MANIFEST_NAME
    if not manifest.is_file():
        return
    document = manifest.read_bytes()
    (folder / MANIFEST_NAME).write_bytes(document)
    with suppress(ManifestInvalid):
        for file in read_manifest(document).files:
            link = folder / file.path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to((live / file.path).absolute())
