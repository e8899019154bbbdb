"""How many rows have been read so far, told while they pass."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import polars as pl

from supportapi.calls.clean import ROW

if TYPE_CHECKING:
    from collections.abc import Callable


class Passing:
    """Counts the rows of files that are read one after the other."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._rows = self._before = self._about = 0

    def counted(self, rows: pl.LazyFrame, about: int) -> pl.LazyFrame:
        """`rows`, which are counted on their way; `about` says how many are expected, 0 that nobody knows."""
        self._before = self._rows
        self._about = self._before + about if about else 0
        self._tell(self._rows, self._about)
        number = pl.col(ROW)
        return rows.with_columns(number.map_batches(self._count, return_dtype=pl.get_index_type(), is_elementwise=True))

    def done(self) -> None:
        """There is no further file: what was read is all."""
        self._tell(self._rows, self._rows)

    def _count(self, numbers: pl.Series) -> pl.Series:
        # Polars calls from several threads at once.
        with self._lock:
            self._rows += len(numbers)
            self._tell(self._rows, self._about)
        return numbers
