"""What Polars says when a file cannot be read, in our names."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import polars as pl

from supportapi.errors import DataCorrupt, DataMismatch, DataMissing, SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_SCHEMA = (
    pl.exceptions.ColumnNotFoundError,
    pl.exceptions.SchemaError,
    pl.exceptions.SchemaFieldNotFoundError,
    pl.exceptions.DuplicateError,
    pl.exceptions.InvalidOperationError,
)


@contextlib.contextmanager
def reading(*paths: Path) -> Generator[None]:
    """Polars works on these pinned files (named by their SHA-256) inside.

    Raises `SchemaInvalid` for columns or values that are not those of a call, `DataCorrupt` for bytes that are no
    Parquet, `DataMissing` when a copy was removed meanwhile. A copy that was damaged here, after it had been verified,
    is thrown away (`DataMismatch`), so that the next attempt fetches it again.
    """
    try:
        yield
    except _SCHEMA as cause:
        raise SchemaInvalid(f"The columns are not those of a call: {_line(cause)}", problems=[]) from cause
    except FileNotFoundError as cause:
        raise DataMissing("The copy of a file was removed during the build.", reason=_line(cause)) from cause
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as cause:
        _discard_damaged(paths)
        names = ", ".join(path.name for path in paths)
        raise DataCorrupt(f"A file is not readable Parquet: {_line(cause)}", files=names[:500]) from cause


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


def _line(cause: BaseException) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0][:300]
