"""Where a dataset is read from: its manifest, and the bytes of its files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from supportapi.calls.manifest import Manifest, ManifestFile, read_manifest
from supportapi.errors import DataMismatch, DataMissing, ManifestInvalid, ManifestMissing

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK_BYTES: Final = 1 << 20
MANIFEST_LIMIT_BYTES: Final = 64 << 20


class Source(Protocol):
    """A place that holds a manifest and the files that it names."""

    @property
    def location(self) -> str:
        """Where the manifest is, for people."""
        ...

    def read(self) -> Manifest:
        """The manifest as it is now. Raises `ManifestMissing`, `ManifestInvalid`."""
        ...

    def copy(self, file: ManifestFile, to: Path) -> None:
        """Write the bytes of `file` to the new file `to`, checked on the way. Raises `DataMissing`, `DataMismatch`."""
        ...


class LocalSource:
    """A dataset in a folder of this machine."""

    def __init__(self, manifest_path: Path) -> None:
        self._manifest_path = manifest_path

    @property
    def location(self) -> str:
        """The manifest's path."""
        return str(self._manifest_path)

    @property
    def folder(self) -> Path:
        """The folder to watch: the manifest in it is replaced, so a watch on the file itself goes deaf."""
        return self._manifest_path.parent

    def read(self) -> Manifest:
        """The manifest as it is now.

        Raises `ManifestMissing` when there is none, or none that we may read, and `ManifestInvalid`.
        """
        try:
            with self._manifest_path.open("rb") as opened:
                document = opened.read(MANIFEST_LIMIT_BYTES + 1)
        except OSError as cause:
            raise ManifestMissing(
                f"There is no manifest at {self.location}: {cause.strerror}.",
                location=self.location,
                reason=cause.strerror,
            ) from cause
        if len(document) > MANIFEST_LIMIT_BYTES:
            raise ManifestInvalid(f"{self.location} is too large to be a manifest.", reason="too_large")
        return read_manifest(document)

    def copy(self, file: ManifestFile, to: Path) -> None:
        """Write the bytes of `file` to the new file `to` and onto the disk, reading them once.

        What was verified is what was copied. Raises `DataMissing` when the file is not there, `DataMismatch` when it
        has another size or SHA-256 than the manifest says (`to` may then hold a part of it), and `OSError` when `to`
        cannot be written.
        """
        path = self.folder / file.path
        try:
            opened = path.open("rb")
        except OSError as cause:
            raise DataMissing(
                f"The manifest names {file.path}, which cannot be read: {cause.strerror}.",
                path=file.path,
                location=self.location,
                reason=cause.strerror,
            ) from cause
        with opened, to.open("xb") as written:
            copied, digest = copy_hashed(opened, written)
        refuse_other_bytes(file, copied, digest)


def refuse_other_bytes(file: ManifestFile, size_bytes: int, digest: str) -> None:
    """Raises `DataMismatch` when a copy of `file` has another size or SHA-256 than the manifest says."""
    if file.size_bytes is not None and size_bytes != file.size_bytes:
        raise DataMismatch(
            f"{file.path} has {size_bytes} bytes, the manifest says {file.size_bytes}: half-written or replaced.",
            path=file.path, reason="size", expected=file.size_bytes, found=size_bytes,
        )  # fmt: skip
    if digest != file.hash:
        raise DataMismatch(
            f"{file.path} has the SHA-256 {digest}, the manifest says {file.hash}: half-written or replaced.",
            path=file.path, reason="hash", expected=file.hash, found=digest,
        )  # fmt: skip


def copy_hashed(read: BinaryIO, written: BinaryIO) -> tuple[int, str]:
    """Copy all of `read` to `written`; how many bytes, and their SHA-256 in hexadecimal."""
    digest, copied = hashlib.sha256(), 0
    while chunk := read.read(_CHUNK_BYTES):
        digest.update(chunk)
        written.write(chunk)
        copied += len(chunk)
    return copied, digest.hexdigest()
