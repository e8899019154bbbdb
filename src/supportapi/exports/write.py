"""Rows, a few at a time, become a file of any format: written as they come, and never held as a whole."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, Final, cast

import polars as pl
from polars.io.plugins import register_io_source

from supportapi.errors import ExportFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

    from supportapi.exports.formats import FormatName

    Writer = Callable[[Iterable[pl.DataFrame], pl.Schema, IO[bytes], Event], None]

INSTANT_FORMAT: Final = "%Y-%m-%dT%H:%M:%S%.fZ"
_SHEET: Final = "supportapi.exports.sheet"
_LOOK_SECONDS: Final = 0.1
_FORMULA: Final = r"^[=+\-@\t\r\n]"
"""How a text begins that a spreadsheet takes for a formula (OWASP, CSV injection)."""


def write(frames: Iterable[pl.DataFrame], schema: pl.Schema, name: FormatName, out: IO[bytes], stopped: Event) -> None:
    """Write `frames`, each of `schema`, to `out`, which need not be able to seek, until the end or until `stopped`.

    In CSV a text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay numbers. Raises
    what `frames` raises and what `out` raises, and `ExportFailed`: then the file is not complete, and cannot be read as
    if it were where its format has an end (Parquet, Arrow, xlsx).
    """
    _WRITERS[name](_until(stopped, frames), schema, out, stopped)


def _until(stopped: Event, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    for frame in frames:
        if stopped.is_set():
            raise ExportFailed("Nobody waits for it any longer.")
        yield frame


def _csv(frames: Iterable[pl.DataFrame], schema: pl.Schema, out: IO[bytes], _: Event) -> None:
    pl.DataFrame(schema=schema).write_csv(out)
    texts = [_defused(name) for name, kind in schema.items() if kind == pl.String]
    for frame in frames:
        frame.with_columns(texts).write_csv(out, include_header=False, datetime_format=INSTANT_FORMAT)


def _defused(name: str) -> pl.Expr:
    text = pl.col(name)
    return pl.when(text.str.contains(_FORMULA)).then("'" + text).otherwise(text).alias(name)


def _ndjson(frames: Iterable[pl.DataFrame], schema: pl.Schema, out: IO[bytes], _: Event) -> None:
    instants = [pl.col(name).dt.strftime(INSTANT_FORMAT) for name, kind in schema.items() if kind == pl.Datetime]
    for frame in frames:
        frame.with_columns(instants).write_ndjson(out)


def _parquet(frames: Iterable[pl.DataFrame], schema: pl.Schema, out: IO[bytes], _: Event) -> None:
    until = _UntilFailure(frames, out)
    _lazy(until.frames(), schema).sink_parquet(cast("IO[bytes]", until))


def _arrow(frames: Iterable[pl.DataFrame], schema: pl.Schema, out: IO[bytes], _: Event) -> None:
    until = _UntilFailure(frames, out)
    _lazy(until.frames(), schema).sink_ipc(cast("IO[bytes]", until))


class _UntilFailure(io.RawIOBase):
    """What a sink writes to: nothing more once `frames` have failed, for a sink ends its file nicely even then."""

    def __init__(self, frames: Iterable[pl.DataFrame], out: IO[bytes]) -> None:
        self._frames = frames
        self._out = out
        self._failed = False

    def frames(self) -> Iterator[pl.DataFrame]:
        """The frames, until they fail."""
        try:
            yield from self._frames
        except BaseException:
            self._failed = True
            raise

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        if self._failed:
            raise ExportFailed("It could not be made to its end.")
        return self._out.write(data)


def _workbook(frames: Iterable[pl.DataFrame], schema: pl.Schema, out: IO[bytes], stopped: Event) -> None:
    # A workbook is a zip file of texts that Python makes: another process does (see `sheet.py`).
    with TemporaryDirectory(prefix="supportapi-export-") as folder:
        rows, book = Path(folder, "rows.parquet"), Path(folder, "export.xlsx")
        _lazy(frames, schema).sink_parquet(rows)
        child = subprocess.Popen([sys.executable, "-m", _SHEET, rows, book], stderr=subprocess.PIPE)  # noqa: S603 - ours
        try:
            while child.poll() is None:
                if stopped.wait(_LOOK_SECONDS):
                    raise ExportFailed("Nobody waits for it any longer.")
        finally:
            child.kill()
            _, said = child.communicate()
        if child.returncode:
            raise ExportFailed(f"The workbook could not be written: {said.decode(errors='replace')[-300:].strip()}")
        with book.open("rb") as made:
            shutil.copyfileobj(made, out)


def _lazy(frames: Iterable[pl.DataFrame], schema: pl.Schema) -> pl.LazyFrame:
    """`frames` as what a sink takes, which asks for one after the other."""

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        # A bare sink asks for everything: nothing is chosen, filtered or cut.
        del columns, predicate, most, batch_size
        yield from frames

    return register_io_source(source, schema=schema)


_WRITERS: Final[dict[FormatName, Writer]] = {
    "csv": _csv,
    "ndjson": _ndjson,
    "parquet": _parquet,
    "arrow": _arrow,
    "xlsx": _workbook,
}
