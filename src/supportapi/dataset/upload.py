"""A dataset is written in a folder, and from there into its bucket: files first, then the manifest that names them.

In the bucket every file is named by its bytes. So none is ever replaced, and whoever reads the manifest that was live
before finds its files still.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final, Self

import msgspec
import structlog
from botocore.exceptions import ClientError

from supportapi.calls.manifest import Manifest, read_manifest
from supportapi.dataset.aws import code_of
from supportapi.dataset.files import locked, writing
from supportapi.dataset.ingest import ALTERED_NAME, REJECTS_CSV_NAME, REJECTS_NAME
from supportapi.dataset.parquet import CALLS_NAME, holds, month_in
from supportapi.dataset.report import REPORT_NAME
from supportapi.dataset.s3 import MANIFEST_NAME, S3Source
from supportapi.dataset.write import LOCK_WAIT_SECONDS
from supportapi.errors import DatasetNotWritable, ManifestInvalid, ManifestMissing, StoreDenied, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from supportapi.calls.manifest import ManifestFile
    from supportapi.dataset.s3 import Bucket

_LOG: Final = structlog.get_logger()
_BESIDE: Final = (REJECTS_NAME, REJECTS_CSV_NAME, ALTERED_NAME, REPORT_NAME)
_HASH_DIGITS: Final = 16
_WHOLE_NAME: Final = re.compile(rf"cleaned_calls-[0-9a-f]{{{_HASH_DIGITS}}}\.parquet")


class BucketFolder:
    """A folder in which the bucket's dataset is written anew: a context, for one writer of this machine at a time.

    On entering, the folder holds the manifest that is live; with `files` also the files that it names, as an append
    needs. `publish` puts into the bucket what was published in the folder meanwhile. Leaving without it leaves the
    bucket as it was.

    Raises `ManifestInvalid`, `DataMissing` and `DataMismatch` when what is live is needed and cannot be read,
    `StoreUnavailable`, `StoreDenied` and `DatasetNotWritable`.
    """

    def __init__(self, bucket: Bucket, work: Path, *, files: bool) -> None:
        self.folder = work / "dataset"
        self._bucket = bucket
        self._work = work
        self._files = files
        self._source = S3Source(bucket)
        self._stack = ExitStack()
        self._before: Manifest | None = None
        self._entered: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        self._stack.enter_context(locked(self._work, LOCK_WAIT_SECONDS))
        with ExitStack() as undo:
            undo.callback(self._stack.close)
            self._fetch()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def publish(self) -> bool:
        """Put the dataset into the bucket, its manifest last; False when none was published in the folder.

        Raises `DatasetNotWritable` when somebody else's became live in the bucket since we entered: ours is not.
        """
        written = self.folder / MANIFEST_NAME
        if _identity(written) == self._entered:
            return False
        local = read_manifest(written.read_bytes())
        manifest = _renamed(local, _name_in_bucket)
        there = {file.path: file.hash for file in self._before.files} if self._before else {}
        for here, file in zip(local.files, manifest.files, strict=True):
            if there.get(file.path) != file.hash:
                self._bucket.upload(self.folder / here.path, file.path)
        for name in _BESIDE:
            self._upload_if_any(name)
        self._point(manifest)
        self._retire(manifest)
        return True

    def _fetch(self) -> None:
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._before = self._live()
            written = self.folder / MANIFEST_NAME
            if self._before is None:
                written.unlink(missing_ok=True)
            else:
                local = _renamed(self._before, _name_in_folder)
                if self._files:
                    for here, file in zip(local.files, self._before.files, strict=True):
                        self._download(here, file)
                written.write_bytes(msgspec.json.encode(local))
            self._entered = _identity(written)

    def _live(self) -> Manifest | None:
        try:
            return self._source.read()
        except ManifestMissing:
            return None
        except ManifestInvalid:
            if self._files:
                raise
            return None  # it is replaced whatever it says

    def _download(self, here: ManifestFile, file: ManifestFile) -> None:
        to = self.folder / here.path
        if holds(to, file):
            return
        to.parent.mkdir(parents=True, exist_ok=True)
        to.unlink(missing_ok=True)
        self._source.copy(file, to)

    def _upload_if_any(self, name: str) -> None:
        if (self.folder / name).is_file():
            self._bucket.upload(self.folder / name, name)
        else:
            self._bucket.remove(name)

    def _point(self, manifest: Manifest) -> None:
        document = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
        location, etag = self._source.location, self._source.etag
        try:
            self._bucket.put_if(MANIFEST_NAME, document, etag)
        except ClientError as cause:
            raise DatasetNotWritable(
                f"Another ingest has replaced {location} meanwhile ({code_of(cause)}); this one's calls are not in it. "
                "Run it again.",
                location=location, reason="overtaken",
            ) from cause  # fmt: skip

    def _retire(self, manifest: Manifest) -> None:
        """Remove files of ours that neither this manifest names nor the one before. What cannot be removed, stays."""
        named = {file.path for each in (self._before, manifest) if each is not None for file in each.files}
        try:
            for path in [found.path for found in self._bucket.objects()]:
                if (month_in(path) or _WHOLE_NAME.fullmatch(path)) and path not in named:
                    self._bucket.remove(path)
        except (StoreDenied, StoreUnavailable) as cause:
            _LOG.warning("bucket.not_tidied", reason=cause.message)


def _renamed(manifest: Manifest, name: Callable[[ManifestFile], str]) -> Manifest:
    """`manifest` with other names for its files."""
    files = tuple(msgspec.structs.replace(file, path=name(file)) for file in manifest.files)
    return msgspec.structs.replace(manifest, path=files[0].path, files=files)


def _name_in_bucket(file: ManifestFile) -> str:
    return f"cleaned_calls-{file.hash[:_HASH_DIGITS]}.parquet" if file.path == CALLS_NAME else file.path


def _name_in_folder(file: ManifestFile) -> str:
    return CALLS_NAME if file.path == _name_in_bucket(msgspec.structs.replace(file, path=CALLS_NAME)) else file.path


def _identity(path: Path) -> tuple[int, int] | None:
    """What another file of this name would have otherwise; None when there is none."""
    with suppress(FileNotFoundError):
        status = path.stat()
        return status.st_ino, status.st_mtime_ns
    return None
