"""What Polars says when a file of a dataset cannot be read, in our names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.errors import DataCorrupt, DataMissing, SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

_SCHEMA: Final = (
    pl.exceptions.ColumnNotFoundError,
    pl.exceptions.SchemaError,
    pl.exceptions.SchemaFieldNotFoundError,
    pl.exceptions.DuplicateError,
    pl.exceptions.InvalidOperationError,
)


@contextmanager
def legible(names: Sequence[str]) -> Generator[None]:
    """Polars reads the files with these `names` inside.

    Raises `SchemaInvalid` for columns or values that are not those of a call, `DataCorrupt` for bytes that are no
    Parquet, `DataMissing` when a file was removed meanwhile.
    """
    told = ", ".join(names)[:500]
    try:
        yield
    except _SCHEMA as cause:
        raise SchemaInvalid(f"The columns are not those of a call: {_line(cause)}.", problems=[], files=told) from cause
    except FileNotFoundError as cause:
        raise DataMissing("A file was removed while it was read.", reason=_line(cause), files=told) from cause
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as cause:
        raise DataCorrupt(f"A file is not readable Parquet: {_line(cause)}.", files=told) from cause


def _line(cause: BaseException) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0][:300].rstrip(".")
