"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from supportapi.errors import DatasetNotWritable

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

TEMPORARY_SUFFIX: Final = ".supportapi-tmp"
LOCK_NAME: Final = ".supportapi.lock"
DISK_REFUSALS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_POLL_SECONDS: Final = 0.05


def temporary(final: Path) -> Path:
    """A hidden name beside `final` that only this process uses and that `sweep` knows."""
    return final.with_name(f".{final.name}.{os.getpid()}{TEMPORARY_SUFFIX}")


def flush(path: Path) -> None:
    """Bring what was written to a file, or the names in a folder, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put(staged: Path, final: Path) -> None:
    """Give the flushed file `staged` its final name: readers see the old file or the new one, both whole."""
    os.replace(staged, final)  # noqa: PTH105 - one spelling with fsync beside it
    flush(final.parent)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def sweep(folder: Path) -> None:
    """Remove what killed runs left in `folder`; only for whoever holds its lock."""
    for left in folder.glob(f".*{TEMPORARY_SUFFIX}*"):
        left.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path, wait_seconds: float) -> Generator[None]:
    """Hold `folder` (made if absent) for one writer; the system lets go when the process ends, however it ends.

    Raises `DatasetNotWritable` when the folder cannot be made or written, or when another writer still holds it after
    `wait_seconds`.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, folder, time.monotonic() + wait_seconds)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, folder: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            if time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
                continue
            raise DatasetNotWritable(
                f"Another ingest is writing to {folder}. Wait until it has ended, or write to another folder.",
                folder=str(folder), reason="locked",
            ) from cause  # fmt: skip
        return


@contextmanager
def writing(folder: Path) -> Generator[None]:
    """Turn a refusal of the disk (full, read-only), also one that Polars met, into `DatasetNotWritable`."""
    try:
        yield
    except OSError as cause:
        raise _not_writable(folder, cause.strerror or str(cause), cause.errno) from cause
    except _errors_of_polars() as cause:
        # Polars keeps the number of a failed write only in its words.
        for number in DISK_REFUSALS:
            if f"(os error {number})" in str(cause):
                raise _not_writable(folder, os.strerror(number), number) from cause
        raise


def _errors_of_polars() -> tuple[type[Exception], ...]:
    # Asked only when something was raised. Who has not imported Polars has not met its errors, nor waited for it.
    polars = sys.modules.get("polars")
    return () if polars is None else (polars.exceptions.ComputeError,)


def _not_writable(folder: Path, reason: str, number: int | None) -> DatasetNotWritable:
    return DatasetNotWritable(
        f"{folder} cannot be written: {reason}. The dataset in it is the one it was before.",
        folder=str(folder), reason=reason, errno=number,
    )  # fmt: skip
