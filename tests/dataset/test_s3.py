from __future__ import annotations

import hashlib
import itertools
import random
from typing import TYPE_CHECKING

import msgspec
import pytest

from supportapi.calls.manifest import ManifestFile
from supportapi.dataset.aws import Aws
from supportapi.dataset.s3 import Bucket, S3Source
from supportapi.errors import (
    DataMismatch,
    DataMissing,
    ManifestInvalid,
    ManifestMissing,
    StoreDenied,
    StoreUnavailable,
    SupportApiError,
)
from tests.aws_server import KEY_ID, Fault, Way

if TYPE_CHECKING:
    from pathlib import Path

BYTES = b"the bytes of a file" * 1000
FILE = ManifestFile(path="months/cleaned_calls.parquet", hash=hashlib.sha256(BYTES).hexdigest(), size_bytes=len(BYTES))
BIG = random.Random(1).randbytes(20 << 20)  # noqa: S311 - no secret
BIG_FILE = ManifestFile(path="big.parquet", hash=hashlib.sha256(BIG).hexdigest())
MANIFEST = {"path": FILE.path, "hash": FILE.hash, "size_bytes": FILE.size_bytes}
NAMES = (f"calls-{number}" for number in itertools.count())


@pytest.fixture
def bucket(way: Way) -> Bucket:
    """A bucket that holds a dataset."""
    found = Bucket(Aws(endpoint_url=way.url), next(NAMES), "team/calls/")
    found.client.create_bucket(Bucket=found.name)
    put(found, "manifest.json", msgspec.json.encode(MANIFEST))
    put(found, FILE.path, BYTES)
    way.seen.clear()
    return found


@pytest.fixture
def source(bucket: Bucket) -> S3Source:
    return S3Source(bucket)


def put(bucket: Bucket, path: str, content: bytes) -> None:
    bucket.client.put_object(**bucket.at(path), Body=content)


def test_the_manifest_is_read_from_below_the_prefix(source: S3Source, bucket: Bucket) -> None:
    assert source.read().files == (FILE,)
    assert source.location == f"s3://{bucket.name}/team/calls/manifest.json"


def test_a_manifest_that_did_not_change_is_not_sent_again(source: S3Source, way: Way) -> None:
    first, again = source.read(), source.read()

    assert again is first
    assert [request.status for request in way.seen] == [200, 304]


def test_a_manifest_that_was_replaced_is_seen(source: S3Source, bucket: Bucket) -> None:
    source.read()

    put(bucket, "manifest.json", msgspec.json.encode(MANIFEST | {"hash": "ab" * 32}))

    assert source.read().hash == "ab" * 32


def test_a_bucket_without_a_manifest_says_where_it_should_be(bucket: Bucket) -> None:
    with pytest.raises(ManifestMissing, match=f"s3://{bucket.name}/elsewhere/manifest.json: NoSuchKey"):
        S3Source(Bucket(bucket.aws, bucket.name, "elsewhere")).read()


def test_a_bucket_that_is_not_there_is_told_from_an_empty_one(bucket: Bucket) -> None:
    with pytest.raises(ManifestMissing, match="NoSuchBucket"):
        S3Source(Bucket(bucket.aws, "no-such-bucket")).read()


def test_a_half_written_manifest_is_refused(source: S3Source, bucket: Bucket) -> None:
    put(bucket, "manifest.json", b'{"path": "cl')

    with pytest.raises(ManifestInvalid):
        source.read()


def test_the_verified_bytes_are_copied(source: S3Source, tmp_path: Path) -> None:
    source.copy(FILE, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == BYTES


def test_a_big_file_is_read_in_ranges(source: S3Source, bucket: Bucket, way: Way, tmp_path: Path) -> None:
    put(bucket, BIG_FILE.path, BIG)

    source.copy(BIG_FILE, tmp_path / "copy")

    asked = [request.headers["range"] for request in way.seen if "range" in request.headers]
    assert len(asked) == 3
    assert (tmp_path / "copy").read_bytes() == BIG


def test_a_file_that_is_not_there_is_missing(source: S3Source, tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"other\.parquet"):
        source.copy(ManifestFile(path="other.parquet", hash=FILE.hash), tmp_path / "copy")


@pytest.mark.parametrize(("live", "reason"), [(BYTES[:-1], "size"), (b"x" + BYTES[1:], "hash")])
def test_other_bytes_than_promised_are_a_mismatch(
    source: S3Source, bucket: Bucket, tmp_path: Path, live: bytes, reason: str
) -> None:
    put(bucket, FILE.path, live)

    with pytest.raises(DataMismatch) as refused:
        source.copy(FILE, tmp_path / "copy")

    assert refused.value.facts["reason"] == reason


def test_a_big_file_that_is_replaced_while_it_is_read_is_a_mismatch(
    source: S3Source, bucket: Bucket, way: Way, tmp_path: Path
) -> None:
    put(bucket, BIG_FILE.path, BIG)
    other = Bucket(Aws(endpoint_url=way.behind), bucket.name, bucket.prefix)
    way.faults["big.parquet"] = Fault(meanwhile=lambda: put(other, BIG_FILE.path, BIG[::-1]), times=1)

    with pytest.raises(DataMismatch) as refused:
        source.copy(BIG_FILE, tmp_path / "copy")

    assert refused.value.facts["reason"] == "changed"


@pytest.mark.parametrize("end", ["manifest.json", "cleaned_calls.parquet"])
@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (Fault(seconds=1.0), StoreUnavailable),
        (Fault(status=503, code="SlowDown"), StoreUnavailable),
        (Fault(cut=True), StoreUnavailable),
        (Fault(status=403, code="AccessDenied"), StoreDenied),
        (Fault(status=400, code="ExpiredToken"), StoreDenied),
    ],
    ids=["slow", "503", "cut", "denied", "expired"],
)
def test_what_goes_wrong_on_the_way_has_a_name(
    bucket: Bucket, way: Way, tmp_path: Path, end: str, fault: Fault, named: type[SupportApiError]
) -> None:
    hasty = S3Source(Bucket(Aws(endpoint_url=way.url, read_seconds=0.3), bucket.name, bucket.prefix))
    way.faults[end] = fault

    with pytest.raises(named) as met:
        fetched(hasty, end, tmp_path)

    assert met.value.transient
    assert KEY_ID not in met.value.message


@pytest.mark.parametrize("end", ["manifest.json", "cleaned_calls.parquet"])
def test_what_is_refused_for_haste_once_is_asked_for_again(
    source: S3Source, way: Way, tmp_path: Path, end: str
) -> None:
    way.faults[end] = Fault(status=503, code="SlowDown", times=1)

    assert fetched(source, end, tmp_path) in {BYTES, FILE.hash}


def test_a_file_that_breaks_off_once_is_read_again(source: S3Source, way: Way, tmp_path: Path) -> None:
    way.faults[FILE.path] = Fault(cut=True, times=1)

    assert fetched(source, FILE.path, tmp_path) == BYTES


def test_a_file_of_no_bytes_is_a_mismatch(source: S3Source, bucket: Bucket, tmp_path: Path) -> None:
    put(bucket, FILE.path, b"")

    with pytest.raises(DataMismatch):
        source.copy(FILE, tmp_path / "copy")


def test_a_server_that_is_not_there_does_not_answer(bucket: Bucket) -> None:
    away = Bucket(Aws(endpoint_url="http://127.0.0.1:1"), bucket.name)

    with pytest.raises(StoreUnavailable, match="EndpointConnectionError"):
        S3Source(away).read()


def test_without_credentials_nothing_is_asked(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(StoreDenied, match="NoCredentialsError"):
        S3Source(Bucket(bucket.aws, bucket.name)).read()


def fetched(source: S3Source, end: str, folder: Path) -> object:
    """The manifest's hash, or the bytes of the file."""
    if end == "manifest.json":
        return source.read().hash
    source.copy(FILE, folder / "copy")
    return (folder / "copy").read_bytes()
