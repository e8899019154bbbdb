"""A file for Polars to write to, whose disk may refuse."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import IO

    from _typeshed import ReadableBuffer


@contextmanager
def sink(path: Path) -> Generator[IO[bytes]]:
    """A new file at `path`. What the disk refuses is raised on leaving, as the `OSError` that it was.

    Raised inside a sink of Polars it may come out as another error, of rows that do not fit together, or not at all:
    the streaming engine then waits for ever.
    """
    with path.open("wb", buffering=0) as file:
        kept = _Sink(file)
        yield cast("IO[bytes]", kept)
        if kept.refusal is not None:
            raise kept.refusal


class _Sink(io.RawIOBase):
    """Takes everything; after the first refusal it keeps nothing."""

    def __init__(self, file: io.FileIO) -> None:
        super().__init__()
        self._file = file
        self.refusal: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        left = memoryview(data)
        size = len(left)
        try:
            while left and self.refusal is None:
                left = left[self._file.write(left) :]
        except OSError as refusal:
            self.refusal = refusal
        return size
