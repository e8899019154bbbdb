"""Calls become the live dataset: Parquet first, then the manifest that names it."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, Self

import msgspec

from supportapi.calls.manifest import Manifest, ManifestFile, dataset_hash, read_manifest
from supportapi.calls.record import COLUMNS
from supportapi.dataset.files import flush, locked, put, sweep, temporary, writing
from supportapi.dataset.parquet import CALLS_NAME, holds, month_in, month_name, write_calls
from supportapi.dataset.spans import by_month, days_of, in_order, joined
from supportapi.errors import ManifestInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    Staging = Callable[[int, int], None]

Partition = Literal["month", "none"]
"""The form of a dataset: a file for each month, or one file for all."""

MANIFEST_NAME: Final = "manifest.json"
DATASET: Final = "cleaned_calls"
LOCK_WAIT_SECONDS: Final = 30.0
_STAGED_MANIFEST: Final = ".manifest.json.next"


class Writer:
    """One writer's hold on the folder `out`: a context; leftovers of killed writers are cleaned on entering.

    `stage` writes calls under hidden names, `publish` makes them live. Leaving without `publish` leaves the live
    dataset as it was. Everything raises `DatasetNotWritable` when the disk refuses, or when another writer holds `out`.
    """

    def __init__(self, out: Path, *, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self.out = out
        self._lock_wait_seconds = lock_wait_seconds
        self._stack = ExitStack()
        self._staged: dict[str, Path] = {}
        self.before: Manifest | None = None
        """The manifest that was live on entering, if there was one that can be read."""

    def __enter__(self) -> Self:
        self._stack.enter_context(locked(self.out, self._lock_wait_seconds))
        with writing(self.out):
            _finish(self.out)
            sweep(self.out)
            with suppress(ManifestInvalid):
                self.before = self.live()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            sweep(self.out)
        finally:
            self._stack.close()

    def scratch(self, name: str) -> Path:
        """A hidden file's name in `out` for work in between; gone when the writer leaves."""
        return temporary(self.out / name)

    def live(self) -> Manifest | None:
        """The manifest that is live; None when there is none. Raises `ManifestInvalid`."""
        path = self.out / MANIFEST_NAME
        return read_manifest(path.read_bytes()) if path.exists() else None

    def stage(
        self,
        calls: pl.LazyFrame,
        *,
        partition: Partition = "none",
        untouched: Sequence[ManifestFile] = (),
        progress: Staging | None = None,
    ) -> Manifest:
        """Write `calls` (columns of `SCHEMA`) in order, as one file or as one for each month (of `started_at`, in UTC).

        Equal calls give equal bytes. The manifest that comes back fits the bytes, and names the live files `untouched`
        besides. `progress(written, all)` counts calls. Raises `SchemaInvalid` when a call has no start.
        """
        calls = calls.select(COLUMNS)
        with writing(self.out):
            days = days_of(calls)
            frames = _counted(in_order(calls, joined(days)), sum(day.calls for day in days), progress)
            if partition == "none" or not (days or untouched):
                return self._manifest([self._write(CALLS_NAME, frames)])
            files = list(untouched)
            for month, pieces in groupby(by_month(frames), lambda piece: piece[0]):
                files.append(self._write(month, (frame for _, frame in pieces)))
            return self._manifest(sorted(files, key=lambda file: file.path))

    def stage_ordered(self, frames: Iterable[pl.DataFrame]) -> Manifest:
        """Write `frames` (columns of `SCHEMA`, sorted by `SORT_KEY` throughout) as one file."""
        with writing(self.out):
            return self._manifest([self._write(CALLS_NAME, frames)])

    def paths(self, files: Iterable[ManifestFile]) -> list[Path]:
        """Where each of `files` lies until `publish`: staged, or live."""
        return [self._staged.get(file.path) or self.out / file.path for file in files]

    def publish(self, manifest: Manifest, *, beside: Mapping[str, Path | None] | None = None) -> None:
        """Make what was staged live: the files, then their manifest.

        Before them the scratch files `beside` get their names; a name without a file is one that is not to be there.

        Should we be ended between the two, the next writer puts the manifest that waits beside them. Files of the
        manifest before this one stay, for a build that is copying them; those of months that neither names are removed.
        """
        with writing(self.out):
            staged_manifest = self.out / _STAGED_MANIFEST
            staged_manifest.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
            flush(staged_manifest)
            for name, scratch in (beside or {}).items():
                if scratch is None:
                    (self.out / name).unlink(missing_ok=True)
                    continue
                flush(scratch)
                scratch.replace(self.out / name)
            months = {name: staged for name, staged in self._staged.items() if name != CALLS_NAME}
            for name, staged in months.items():
                staged.replace(self.out / name)
            flush(self.out)
            if CALLS_NAME in self._staged:  # a name that stands for other bytes now: nothing comes between the two
                self._staged[CALLS_NAME].replace(self.out / CALLS_NAME)
            put(staged_manifest, self.out / MANIFEST_NAME)
            _retire(self.out, [each for each in (self.before, manifest) if each is not None])

    def _write(self, name: str, frames: Iterable[pl.DataFrame]) -> ManifestFile:
        """Stage a file: `CALLS_NAME`, or that of a month. A live one with the same bytes is left as it is."""
        staged = self.scratch(f"{name}.calls")
        file = write_calls(frames, staged)
        final = CALLS_NAME if name == CALLS_NAME else month_name(name, file.hash)
        file = msgspec.structs.replace(file, path=final)
        if holds(self.out / final, file):
            staged.unlink()
        else:
            self._staged[final] = staged
        return file

    def _manifest(self, files: Sequence[ManifestFile]) -> Manifest:
        """The manifest of `files`, staged or live."""
        known = {column for file in files for column in file.columns or ()}
        changed = [path.stat().st_mtime for path in self.paths(files)]
        starts = [file.min_started_at for file in files if file.min_started_at is not None]
        ends = [file.max_started_at for file in files if file.max_started_at is not None]
        return Manifest(
            dataset=DATASET,
            path=files[0].path,
            hash=dataset_hash(files),
            size_bytes=sum(file.size_bytes or 0 for file in files),
            row_count=sum(file.row_count or 0 for file in files),
            updated_at=datetime.fromtimestamp(max(changed), UTC).replace(microsecond=0),
            columns=tuple(column for column in COLUMNS if column in known),
            min_started_at=min(starts, default=None),
            max_started_at=max(ends, default=None),
            files=tuple(files),
        )


def write_dataset(
    calls: pl.LazyFrame,
    out: Path,
    *,
    partition: Partition = "none",
    source: str | None = None,
    notes: str | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> Manifest:
    """Replace the dataset in `out` by `calls` (columns of `SCHEMA`, all possible, unique ids): Parquet, then manifest.

    Raises `DatasetNotWritable` and `SchemaInvalid`; the dataset in `out` is then the old one, whole.
    """
    with Writer(out, lock_wait_seconds=lock_wait_seconds) as writer:
        manifest = msgspec.structs.replace(writer.stage(calls, partition=partition), source=source, notes=notes)
        writer.publish(manifest)
    return manifest


def _counted(frames: Iterable[pl.DataFrame], total: int, progress: Staging | None) -> Iterator[pl.DataFrame]:
    tell, done = progress or _silence, 0
    tell(done, total)
    for frame in frames:
        yield frame
        done += frame.height
        tell(done, total)


def _silence(_done: int, _total: int) -> None:
    return


def _finish(out: Path) -> None:
    """Put the manifest of files that became live just before their writer was killed; drop one whose files did not."""
    staged = out / _STAGED_MANIFEST
    if not staged.exists():
        return
    try:
        manifest = read_manifest(staged.read_bytes())
    except ManifestInvalid:
        staged.unlink()
        return
    if all(holds(out / file.path, file) for file in manifest.files):
        put(staged, out / MANIFEST_NAME)
    else:
        staged.unlink()


def _retire(out: Path, manifests: Sequence[Manifest]) -> None:
    """Remove the months' files that none of `manifests` names. Any other file may be somebody else's, and stays."""
    named = {file.path for manifest in manifests for file in manifest.files}
    for path in out.iterdir():
        if month_in(path.name) and path.name not in named:
            path.unlink(missing_ok=True)
