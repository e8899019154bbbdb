"""A dataset in a bucket: the manifest and its files below one prefix, read as those of a folder are."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypedDict

import msgspec
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.exceptions import ClientError
from s3transfer.exceptions import S3DownloadFailedError
from s3transfer.subscribers import BaseSubscriber

from supportapi.calls.manifest import Manifest, ManifestFile, read_manifest
from supportapi.dataset.aws import code_of, reaching
from supportapi.dataset.files import sha256_of
from supportapi.dataset.source import MANIFEST_LIMIT_BYTES, refuse_other_bytes
from supportapi.errors import DataMismatch, DataMissing, ManifestInvalid, ManifestMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from mypy_boto3_s3 import S3Client
    from s3transfer.futures import TransferFuture

    from supportapi.dataset.aws import Aws

MANIFEST_NAME: Final = "manifest.json"
OVERTAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
_UNCHANGED: Final = "304"
# A longer file is read in ranges of so many bytes, several at once; all of them of one version of the object.
_RANGES: Final = TransferConfig(multipart_chunksize=8 << 20, max_concurrency=8, num_download_attempts=3)


class At(TypedDict):
    """An object, as S3's operations are told."""

    Bucket: str
    Key: str


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """What S3 says of an object; its age is by S3's own clock, and nothing where that is not told."""

    path: str
    etag: str
    size_bytes: int
    age_seconds: float


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

    def download(self, path: str, to: BinaryIO, etag: str | None = None) -> None:
        """Write the bytes of the object `path` to the seekable file `to`; big ones in ranges, several at once.

        Raises as boto3 does, `S3DownloadFailedError` when the object was replaced between two ranges, or is not the one
        of `etag`.
        """
        pinned = [] if etag is None else [_Pin(etag)]
        with create_transfer_manager(self.client, _RANGES) as transfers:
            transfers.download(self.name, self.at(path)["Key"], to, subscribers=pinned).result()

    def upload(self, content: Path, path: str) -> None:
        """Make the file `content` the object `path`; a big one in parts. This and what follows raise as `reaching`."""
        with reaching(self.location(path)), content.open("rb") as opened:
            self.client.upload_fileobj(opened, **self.at(path))

    def put_if(self, path: str, content: bytes, etag: str | None) -> None:
        """Make `content` the object `path` if that is still the one of `etag`; without one, if there is none.

        Raises `ClientError` with a code of `OVERTAKEN` when it is not.
        """
        with reaching(self.location(path), OVERTAKEN):
            if etag is None:
                self.client.put_object(**self.at(path), Body=content, IfNoneMatch="*")
            else:
                self.client.put_object(**self.at(path), Body=content, IfMatch=etag)

    def remove(self, path: str) -> None:
        """Remove the object `path`, if there is one."""
        with reaching(self.location(path)):
            self.client.delete_object(**self.at(path))

    def objects(self) -> Iterator[Object]:
        """The objects below the prefix."""
        with reaching(self.location("")):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix):
                told = page["ResponseMetadata"]["HTTPHeaders"].get("date")
                now = None if told is None else parsedate_to_datetime(told)
                for found in page.get("Contents", []):
                    changed = found.get("LastModified")
                    yield Object(
                        path=found.get("Key", "").removeprefix(self.prefix),
                        etag=found.get("ETag", ""),
                        size_bytes=found.get("Size", 0),
                        age_seconds=0.0 if now is None or changed is None else (now - changed).total_seconds(),
                    )


class _Pin(BaseSubscriber):
    """Says which version of an object a transfer is about."""

    def __init__(self, etag: str) -> None:
        super().__init__()
        self._etag = etag

    def on_queued(self, future: TransferFuture, **_: object) -> None:
        future.meta.provide_object_etag(self._etag)


class _Held(msgspec.Struct, frozen=True):
    """A manifest, and the ETag that says whether it is still the one."""

    etag: str
    manifest: Manifest


class S3Source:
    """A dataset in a bucket. The manifest that was read last is asked for again by its ETag: it is sent once."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._held: _Held | None = None
        self.etag: str | None = None
        """That of the manifest that was read last, whether or not it could be understood; None when there was none."""

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
            self.etag = None
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
        self.etag = answer["ETag"]
        return _Held(answer["ETag"], read_manifest(document))
