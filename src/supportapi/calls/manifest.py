"""The dataset's identity card: which files, which bytes, since when."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import msgspec

from supportapi.errors import ManifestInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHA256: Final = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
_ALIASES: Final = {"file_size": "size_bytes", "file_mtime": "updated_at", "generated_at": "updated_at"}


class ManifestFile(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable Parquet file. `path` is relative to the manifest's folder; `hash` is the SHA-256 of its bytes.

    `columns` are those that are known in at least one of its calls.
    """

    path: str
    hash: str
    size_bytes: int | None = None
    row_count: int | None = None
    min_started_at: datetime | None = None
    max_started_at: datetime | None = None
    columns: tuple[str, ...] | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset is. Only `path` and `hash` are required on reading; `files` holds at least one file after it.

    `hash` names the dataset: the SHA-256 of its only file or, of several, of their hashes (see `dataset_hash`). `path`
    is the dataset's only file or, of several, the first: who reads no `files` finds that `hash` is not its hash, and
    cannot take one file for the whole. `rejected_rows` are those of the last ingest that became no call.
    """

    path: str
    hash: str
    dataset: str | None = None
    size_bytes: int | None = None
    row_count: int | None = None
    updated_at: datetime | None = None
    columns: tuple[str, ...] | None = None
    min_started_at: datetime | None = None
    max_started_at: datetime | None = None
    source: str | None = None
    notes: str | None = None
    rejected_rows: int | None = None
    files: tuple[ManifestFile, ...] = ()


def dataset_hash(files: Sequence[ManifestFile]) -> str:
    """What names a dataset: its file's hash; of several, the SHA-256 of their hashes in order, as one text."""
    if len(files) == 1:
        return files[0].hash
    return hashlib.sha256("".join(file.hash for file in files).encode()).hexdigest()


def read_manifest(document: bytes) -> Manifest:
    """The manifest in `document` (JSON), with the first front end's spellings understood.

    Raises `ManifestInvalid` when it is not JSON, lacks `path` or `hash`, has a hash that is no SHA-256, names a path
    that is absolute or leaves its folder, or names the same bytes twice.
    """
    try:
        raw: Any = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError) as cause:
        raise ManifestInvalid(f"The manifest is not JSON: {cause}.", reason="not_json") from cause
    if not isinstance(raw, dict):
        raise ManifestInvalid("The manifest must be a JSON object.", reason="not_an_object")
    for alias, name in _ALIASES.items():
        if alias in raw and name not in raw:
            raw[name] = raw[alias]
    try:
        manifest = msgspec.convert(raw, Manifest)
    except msgspec.ValidationError as cause:
        raise ManifestInvalid(f"The manifest does not fit: {cause}.", reason="wrong_shape") from cause
    files = manifest.files or (
        ManifestFile(
            path=manifest.path,
            hash=manifest.hash,
            size_bytes=manifest.size_bytes,
            row_count=manifest.row_count,
            min_started_at=manifest.min_started_at,
            max_started_at=manifest.max_started_at,
        ),
    )
    checked = tuple(msgspec.structs.replace(file, path=_safe(file.path), hash=_sha256(file.hash)) for file in files)
    if len({file.hash for file in checked}) < len(checked):
        raise ManifestInvalid(
            "The manifest names files with the same bytes: their calls would count twice.", reason="file_twice"
        )
    return msgspec.structs.replace(manifest, path=_safe(manifest.path), hash=_sha256(manifest.hash), files=checked)


def _sha256(text: str) -> str:
    match = _SHA256.fullmatch(text)
    if match is None:
        raise ManifestInvalid(
            f"'{text[:80]}' is not a SHA-256 (64 hexadecimal digits). Write the SHA-256 of the Parquet file's bytes.",
            reason="hash_not_sha256",
        )
    return match.group(1).lower()


def _safe(text: str) -> str:
    # A manifest written on Windows may hold backslashes; here they are refused rather than read as part of a name.
    path = PurePosixPath(text)
    if (
        not path.parts
        or path.is_absolute()
        or ".." in path.parts
        or "\\" in text
        or "\0" in text
        or ":" in path.parts[0]
    ):
        raise ManifestInvalid(
            f"'{text[:200]}' is not a path below the manifest's folder.", reason="path_outside_folder", path=text[:200]
        )
    return str(path)
