"""The day digests of each file of a dataset; those of unchanged files are read from the version before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import polars as pl

from supportapi.calls.day_digests import Digests, changed_days, day_digests
from supportapi.calls.window import Window
from supportapi.errors import SnapshotIncomplete
from supportapi.refresh.reading import calls_of, reading
from supportapi.snapshots.keys import FORMAT
from supportapi.snapshots.pointer import DAYS, FILE_DAYS, DaySpan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from supportapi.snapshots.shelf import Shelf


class FileDigests(msgspec.Struct, frozen=True):
    """The digests of files by their SHA-256, for days of `zone`, as this release of Polars (`by`) makes them."""

    zone: str
    by: str
    files: dict[str, Digests]


class Before(msgspec.Struct, frozen=True):
    """What is known of the version that is published while another one is built."""

    days: Digests
    files: FileDigests


def before(shelf: Shelf, zone: str) -> Before | None:
    """The digests of the current version; None where they are not there, or not to be compared with ours."""
    pointer = shelf.current()
    if pointer is None or pointer.format != FORMAT:
        return None
    try:
        parts = shelf.read(pointer.version, DAYS, FILE_DAYS)
    except SnapshotIncomplete:  # an older release did not keep them
        return None
    files = msgspec.json.decode(parts[FILE_DAYS], type=FileDigests)
    if (files.zone, files.by) != (zone, pl.__version__):
        return None
    return Before(msgspec.json.decode(parts[DAYS], type=Digests), files)


def file_digests(paths: Mapping[str, Path], zone: str, known: Before | None) -> FileDigests:
    """The digests of files, given by their SHA-256 and their copies here; only those of new files are computed."""
    found: dict[str, Digests] = {} if known is None else known.files.files
    made = {file_hash: found.get(file_hash) or _digests(path, zone) for file_hash, path in paths.items()}
    return FileDigests(zone, pl.__version__, made)


def changed_since(known: Before | None, days: Digests) -> Window | None:
    """From the first to the last day that has other calls now. None where that is not known, or where none has."""
    changed = [] if known is None else changed_days(known.days, days)
    if not changed:
        return None
    span = DaySpan.between(changed[0], changed[-1])
    return Window(span.from_, span.to)


def _digests(path: Path, zone: str) -> Digests:
    with reading(path):
        return day_digests(calls_of([path]), zone)
