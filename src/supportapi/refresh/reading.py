"""The calls in the copies of a dataset's files, of which a damaged one is fetched again."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import polars as pl

from supportapi.calls.record import SCHEMA, canonical
from supportapi.dataset.legible import legible
from supportapi.errors import DataCorrupt, DataMismatch

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path


def calls_of(paths: Sequence[Path]) -> pl.LazyFrame:
    """The calls of a dataset's files, columns of `SCHEMA`; lazy. None for no files."""
    return pl.concat([canonical(pl.scan_parquet(path)) for path in paths]) if paths else pl.LazyFrame(schema=SCHEMA)


@contextlib.contextmanager
def reading(*paths: Path) -> Generator[None]:
    """Polars works on these pinned files (named by their SHA-256) inside.

    Raises as `legible` does. A copy that was damaged here, after it had been verified, is thrown away (`DataMismatch`),
    so that the next attempt fetches it again.
    """
    try:
        with legible([path.name for path in paths]):
            yield
    except DataCorrupt:
        _discard_damaged(paths)
        raise


def _discard_damaged(paths: tuple[Path, ...]) -> None:
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != path.stem:
                path.unlink(missing_ok=True)
                raise DataMismatch(
                    f"Our copy {path.name} was damaged; it will be fetched again.", reason="copy", path=path.name
                )
