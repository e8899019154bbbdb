"""A dataset in a bucket: the manifest and its files below one prefix, read as those of a folder are."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, TypedDict

import msgspec
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from s3transfer.exceptions import S3DownloadFailedError

from supportapi.calls.manifest import Manifest, ManifestFile, read_manifest
from supportapi.dataset.aws import code_of, reaching
from supportapi.dataset.files import sha256_of
from supportapi.dataset.source import MANIFEST_LIMIT_BYTES, refuse_other_bytes
from supportapi.errors import DataMismatch, DataMissing, ManifestInvalid, ManifestMissing

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from mypy_boto3_s3 import S3Client

    from supportapi.dataset.aws import Aws

MANIFEST_NAME: Final = "manifest.json"
_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
_UNCHANGED: Final = "304"
# A longer file is read in ranges of so many bytes, several at once; all of them of one version of the object.
_RANGES: Final = TransferConfig(multipart_chunksize=8 << 20, max_concurrency=8, num_download_attempts=3)


class At(TypedDict):
    """An object, as S3's operations are told."""

    Bucket: str
    Key: str


class Bucket:
    """The part of a bucket below a prefix, reached as `aws` says. Its client is made when it is first asked for."""

    def __init__(self, aws: Aws, name: str, prefix: str | None = None) -> None:
        self.aws = aws
        self.name = name
        self.prefix = f"{prefix.strip('/')}/" if prefix and prefix.strip("/") else ""

    @cached_property
    def client(self) -> S3Client:
        """The client of S3."""
        return self.aws.s3()

    def location(self, path: str) -> str:
        """The address of `path`, for people."""
        return f"s3://{self.name}/{self.prefix}{path}"

    def at(self, path: str) -> At:
        """The object `path`."""
        return {"Bucket": self.name, "Key": f"{self.prefix}{path}"}

    def download(self, path: str, to: BinaryIO) -> None:
        """Write the bytes of the object `path` to the seekable file `to`; big ones in ranges, several at once.

        Raises as boto3 does, `S3DownloadFailedError` when the object was replaced between two ranges.
        """
        self.client.download_fileobj(**self.at(path), Fileobj=to, Config=_RANGES)


class _Held(msgspec.Struct, frozen=True):
    """A manifest, and the ETag that says whether it is still the one."""

    etag: str
    manifest: Manifest


class S3Source:
    """A dataset in a bucket. The manifest that was read last is asked for again by its ETag: it is sent once."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._held: _Held | None = None

    @property
    def location(self) -> str:
        """The manifest's address."""
        return self._bucket.location(MANIFEST_NAME)

    def read(self) -> Manifest:
        """The manifest as it is now.

        Raises `ManifestMissing` when there is none, or no bucket, `ManifestInvalid`, `StoreUnavailable`, `StoreDenied`.
        """
        held = self._held
        try:
            fresh = self._get(held.etag if held else None)
        except ClientError as cause:
            if held is not None and code_of(cause) == _UNCHANGED:
                return held.manifest
            raise ManifestMissing(
                f"There is no manifest at {self.location}: {code_of(cause)}.",
                location=self.location, reason=code_of(cause),
            ) from cause  # fmt: skip
        self._held = fresh
        return fresh.manifest

    def copy(self, file: ManifestFile, to: Path) -> None:
        """Write the bytes of `file` to the new file `to`, checked when all are there.

        Raises `DataMissing` when the object is not there, `DataMismatch` when it was replaced meanwhile or has another
        size or SHA-256 than the manifest says, `StoreUnavailable`, `StoreDenied`, and `OSError` when `to` cannot be
        written.
        """
        location = self._bucket.location(file.path)
        try:
            with reaching(location, _ABSENT), to.open("xb") as written:
                self._bucket.download(file.path, written)
        except S3DownloadFailedError as cause:
            told = f"{location} was replaced while it was read."
            raise DataMismatch(told, path=file.path, reason="changed") from cause
        except ClientError as cause:
            raise DataMissing(
                f"The manifest names {file.path}, which is not at {location}: {code_of(cause)}.",
                path=file.path, location=self.location, reason=code_of(cause),
            ) from cause  # fmt: skip
        refuse_other_bytes(file, to.stat().st_size, sha256_of(to))

    def _get(self, etag: str | None) -> _Held:
        at, s3 = self._bucket.at(MANIFEST_NAME), self._bucket.client
        with reaching(self.location, _ABSENT | {_UNCHANGED}):
            answer = s3.get_object(**at, IfNoneMatch=etag) if etag else s3.get_object(**at)
            if answer["ContentLength"] > MANIFEST_LIMIT_BYTES:
                raise ManifestInvalid(f"{self.location} is too large to be a manifest.", reason="too_large")
            document = answer["Body"].read()
        return _Held(answer["ETag"], read_manifest(document))
