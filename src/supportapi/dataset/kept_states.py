"""Partial states beside the files that they are of: whoever lost Redis adds them up again, and reads no call.

    <the manifest's folder>/_states/<name>     a seal of 32 bytes, and the state

What a name is, and what a state is, is not known here. One that was damaged, or that stands under a name that is not
its own, breaks its seal: it is as if it were not there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Protocol

from supportapi.dataset.files import temporary, writing
from supportapi.errors import DataMismatch, DataMissing

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_FOLDER: Final = "_states"
_SEAL_BYTES: Final = 32


class StateStore(Protocol):
    """Documents by name, in the place that holds the dataset. A name has one slash."""

    def read(self, name: str) -> bytes | None:
        """The document of this name, or None. Raises `DataMissing` when the place does not let us read."""
        ...

    def write(self, name: str, document: bytes) -> None:
        """Put a document there, whole or not at all. Raises `DatasetNotWritable`."""
        ...

    def names(self) -> list[str]:
        """The names of all documents, that of the one written last first. Raises `DataMissing` as `read`."""
        ...

    def remove(self, name: str) -> None:
        """Remove a document, if it is there. Raises `DatasetNotWritable`."""
        ...


class LocalStates:
    """The store in a folder of this machine, made when something is written. Safe for several processes at once."""

    def __init__(self, dataset: Path) -> None:
        self._folder = dataset / _FOLDER

    def read(self, name: str) -> bytes | None:
        """The document of this name, or None. Raises `DataMissing` when it is there and may not be read."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise self._illegible(cause) from cause

    def write(self, name: str, document: bytes) -> None:
        """Put a document there. Raises `DatasetNotWritable`.

        It is not forced onto the disk: what a power cut leaves of it breaks its seal.
        """
        final = self._folder / name
        staged = temporary(final)
        with writing(self._folder):
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                staged.write_bytes(document)
                staged.replace(final)
            finally:
                staged.unlink(missing_ok=True)

    def names(self) -> list[str]:
        """The names of all documents, that of the one written last first, leftovers of killed writers among them.

        Raises `DataMissing`.
        """
        try:
            found = [(path.stat().st_mtime_ns, path) for path in self._folder.glob("*/*")]
        except OSError as cause:
            raise self._illegible(cause) from cause
        return [f"{path.parent.name}/{path.name}" for _, path in sorted(found, reverse=True)]

    def remove(self, name: str) -> None:
        """Remove a document, and its folder when nothing is left in it. Raises `DatasetNotWritable`."""
        path = self._folder / name
        with writing(self._folder):
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()

    def _illegible(self, cause: OSError) -> DataMissing:
        return DataMissing(
            f"The partial states in {self._folder} cannot be read: {cause.strerror}.",
            location=str(self._folder), reason=cause.strerror,
        )  # fmt: skip


def keep(store: StateStore, name: str, state: bytes) -> None:
    """Put a state into the store, sealed. Raises as `StateStore.write`."""
    store.write(name, _seal(name, state) + state)


def kept(store: StateStore, name: str) -> bytes | None:
    """The state of this name, or None. Raises `DataMismatch` when its seal is broken, and as `StateStore.read`."""
    document = store.read(name)
    if document is None:
        return None
    seal, state = document[:_SEAL_BYTES], document[_SEAL_BYTES:]
    if seal != _seal(name, state):
        raise DataMismatch(f"The partial state {name} is damaged, or that of another file.", reason="seal", path=name)
    return state


def forget(store: StateStore, needed: Collection[str]) -> None:
    """Remove states that are not `needed`, until no more of them are left than of those that are.

    Those stay that were written last: another service may serve the same files by other zones, or by an older release.
    Raises as `StateStore.names` and `StateStore.remove`.
    """
    others = [name for name in store.names() if name not in needed]
    for name in others[len(needed) :]:
        store.remove(name)


def _seal(name: str, state: bytes) -> bytes:
    return hashlib.sha256(b"%b\n%b" % (name.encode(), state)).digest()
