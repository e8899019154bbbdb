"""Files of datasets, kept by content: a version's rows stay readable although the live file was replaced."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from supportapi.dataset.files import TEMPORARY_SUFFIX, flush, put, writing

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from supportapi.calls.manifest import ManifestFile
    from supportapi.dataset.source import Source

_ABANDONED_SECONDS: Final = 6 * 3600


class Pinned:
    """The store `home/datasets/<sha256>.parquet`, filled from `source`; safe for several processes at once.

    With a `bound_bytes`, `prune` keeps to it where it can: the source is expected to give a file again.
    """

    def __init__(self, home: Path, source: Source, bound_bytes: int | None = None) -> None:
        self._folder = home / "datasets"
        self._source = source
        self._bound_bytes = bound_bytes

    def path(self, file: ManifestFile) -> Path:
        """Where the bytes of `file` are on this machine; copied and verified first when they are not yet.

        Raises `DataMissing` and `DataMismatch` as the source does, `DatasetNotWritable` when the store cannot hold
        them. Bytes are verified when they come in; damage to them later is found by reading them.
        """
        kept = self.find(file.hash)
        if kept is not None:
            self._note_use(kept)
            return kept
        final = self._folder / f"{file.hash}.parquet"
        staged = self._folder / f".{file.hash}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                self._source.copy(file, staged)
                flush(staged)
                put(staged, final)
            finally:
                staged.unlink(missing_ok=True)
        return final

    def find(self, file_hash: str) -> Path | None:
        """Where the file with this SHA-256 is, if it is here."""
        final = self._folder / f"{file_hash}.parquet"
        return final if final.is_file() else None

    def prune(self, keep: Collection[str], live: Collection[str] = ()) -> None:
        """Remove every file whose SHA-256 is not in `keep`, and copies that nobody has been writing for hours.

        Beyond the bound also those that were not used for longest, but none of `live`. Whoever has a file open or
        mapped keeps its rows until closing it.
        """
        for kept in self._folder.glob("*.parquet"):
            if kept.stem not in keep:
                kept.unlink(missing_ok=True)
        if self._bound_bytes is not None:
            self._shrink(self._bound_bytes, live)
        for staged in self._folder.glob(f".*{TEMPORARY_SUFFIX}"):
            with suppress(FileNotFoundError):
                if time.time() - staged.stat().st_mtime > _ABANDONED_SECONDS:
                    staged.unlink()

    def _shrink(self, bound_bytes: int, live: Collection[str]) -> None:
        kept: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*.parquet"):
            with suppress(FileNotFoundError):
                status = path.stat()
                kept.append((status.st_mtime, status.st_size, path))
        excess = sum(size for _, size, _ in kept) - bound_bytes
        for _, size, path in sorted(kept):
            if excess > 0 and path.stem not in live:
                path.unlink(missing_ok=True)
                excess -= size

    def _note_use(self, kept: Path) -> None:
        # The time of the last change says nothing else here: what is kept never changes.
        if self._bound_bytes is not None:
            with suppress(OSError):
                os.utime(kept)
