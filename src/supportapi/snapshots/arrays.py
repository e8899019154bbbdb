"""A version's arrays on this machine: files that every process maps read-only, so that workers share the memory.

    <home>/versions/<version>/<name>.npy     one array each
    <home>/versions/<version>/parts.msgpack  what else the version was published with
    <home>/versions/<version>/header.msgpack what the arrays mean, and what each file must hold; written last

A folder appears whole, by rename, and disappears whole: who has mapped it keeps its pages.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import math
import mmap
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import numpy as np

from supportapi.errors import DatasetNotWritable

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_HEADER: Final = "header.msgpack"
_PARTS: Final = "parts.msgpack"
_TRIES: Final = 5
_WRITERS: Final = 8
_VERSION: Final = re.compile(r"[0-9a-f]{16}")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class _Stored(msgspec.Struct, frozen=True):
    """The file of an array: how large it must be, and what it ends with. To ask the file takes ten times as long."""

    size: int
    dtype: str
    shape: tuple[int, ...]
    order: Literal["C", "F"]


class _Document(msgspec.Struct, frozen=True):
    header: dict[str, Any]
    arrays: dict[str, _Stored]
    parts: str | None = None
    """The SHA-256 of the file of the parts, where there is one."""


class Arrays:
    """The versions below `home`. Safe for several processes at once."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "versions"

    def save(
        self,
        version: str,
        header: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        parts: Mapping[str, bytes] | None = None,
    ) -> None:
        """Put a version here, in place of one of the same name. `header` holds msgpack values.

        `parts` are what it is published with: only who has them can publish it again, should the shelf lose it.
        Raises `DatasetNotWritable` when the folder or the disk refuses; nothing of the version is seen then.
        """
        target = self._path(version)
        with self._alone():
            for stray in self._folder.glob(".new-*"):  # whoever wrote it was killed: we hold the lock
                _remove(stray)
            fresh = self._folder / f".new-{version}"
            try:
                fresh.mkdir()
                sealed = None if parts is None else _write_parts(fresh / _PARTS, parts)
                _write_document(fresh / _HEADER, _Document(dict(header), _write_all(fresh, arrays), sealed))
                _sync(fresh)
                self._drop(target)
                fresh.rename(target)
                _sync(self._folder)
            except BaseException:
                _remove(fresh)
                raise

    def load(self, version: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
        """Header and arrays (memory-mapped, read-only), or None when they are not here whole."""
        if _VERSION.fullmatch(version) is None:
            return None
        folder = self._folder / version
        try:
            for _ in range(_TRIES):
                before = folder.stat().st_ino
                document = msgspec.msgpack.decode((folder / _HEADER).read_bytes(), type=_Document)
                arrays = {name: _map(folder / _file(name), stored) for name, stored in document.arrays.items()}
                if folder.stat().st_ino == before:  # else it was replaced while we read: old header, new arrays
                    return document.header, arrays
        except (OSError, ValueError, msgspec.MsgspecError):
            return None
        return None

    def has(self, version: str) -> bool:
        """Whether the version is here whole. Maps nothing."""
        folder = self._path(version)
        try:
            document = msgspec.msgpack.decode((folder / _HEADER).read_bytes(), type=_Document)
            return all((folder / _file(name)).stat().st_size == each.size for name, each in document.arrays.items())
        except (OSError, msgspec.MsgspecError):
            return False

    def parts(self, version: str) -> dict[str, bytes] | None:
        """What the version was published with, or None when it is not here with all of that, whole."""
        folder = self._path(version)
        try:
            document = msgspec.msgpack.decode((folder / _HEADER).read_bytes(), type=_Document)
            encoded = (folder / _PARTS).read_bytes()
        except (OSError, msgspec.MsgspecError):
            return None
        if hashlib.sha256(encoded).hexdigest() != document.parts or not self.has(version):
            return None
        return msgspec.msgpack.decode(encoded, type=dict[str, bytes])

    def versions(self) -> set[str]:
        """The versions that have a folder here."""
        with contextlib.suppress(FileNotFoundError):
            return {path.name for path in self._folder.iterdir() if _VERSION.fullmatch(path.name)}
        return set()

    def prune(self, keep: Collection[str]) -> None:
        """Remove the versions that are not in `keep`. A process that has mapped one goes on reading it."""
        with self._alone():
            for version in self.versions() - set(keep):
                self._drop(self._folder / version)

    def _path(self, version: str) -> Path:
        if _VERSION.fullmatch(version) is None:
            raise ValueError(f"'{version}' is not the name of a version")
        return self._folder / version

    def _drop(self, folder: Path) -> None:
        # Renamed first: a reader finds a folder whole or not at all.
        doomed = self._folder / f".old-{folder.name}"
        _remove(doomed)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(doomed)
        _remove(doomed)

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as cause:
            reason = cause.strerror or str(cause)  # NumPy says how much it could write, and not why no more
            raise DatasetNotWritable(
                f"The folder '{self._folder}' refuses a write: {reason}.", path=str(self._folder), reason=reason
            ) from cause


def _file(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"'{name}' cannot be the name of an array")
    return f"{name}.npy"


def _write_all(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, _Stored]:
    # Side by side, so that the file system commits them together: one after the other it commits for each of them.
    with ThreadPoolExecutor(_WRITERS) as writers:
        paths = [folder / _file(name) for name in arrays]
        return dict(zip(arrays, writers.map(_write, paths, arrays.values()), strict=True))


def _write(path: Path, array: NDArray[Any]) -> _Stored:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
        return _Stored(file.tell(), array.dtype.str, array.shape, "F" if array.flags.fnc else "C")


def _write_parts(path: Path, parts: Mapping[str, bytes]) -> str:
    return hashlib.sha256(_write_document(path, dict(parts))).hexdigest()


def _write_document(path: Path, document: _Document | dict[str, bytes]) -> bytes:
    encoded = msgspec.msgpack.encode(document)
    with path.open("wb") as file:
        file.write(encoded)
        file.flush()
        os.fsync(file.fileno())
    return encoded


def _map(path: Path, stored: _Stored) -> NDArray[Any]:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size != stored.size:
            raise ValueError(f"'{path.name}' is not whole")
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    dtype = np.dtype(stored.dtype)
    start = stored.size - dtype.itemsize * math.prod(stored.shape)
    return np.ndarray(stored.shape, dtype, pages, start, order=stored.order)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
