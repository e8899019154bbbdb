from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest

from supportapi.calls.manifest import ManifestFile, dataset_hash, read_manifest
from supportapi.errors import ManifestInvalid

HASH = "ab" * 32


def document(**fields: object) -> bytes:
    return msgspec.json.encode({"path": "cleaned_calls.parquet", "hash": HASH} | fields)


def test_path_and_hash_are_enough_and_make_one_file() -> None:
    manifest = read_manifest(document())

    assert manifest.files == (ManifestFile(path="cleaned_calls.parquet", hash=HASH),)


def test_the_first_front_ends_spellings_are_understood() -> None:
    manifest = read_manifest(document(file_size=12, generated_at="2024-05-06T12:00:00Z"))

    assert manifest.size_bytes == 12
    assert manifest.updated_at == datetime(2024, 5, 6, 12, tzinfo=UTC)


def test_a_prefixed_upper_case_hash_is_the_same_hash() -> None:
    assert read_manifest(document(hash=f"sha256:{HASH.upper()}")).hash == HASH


def test_a_dataset_of_several_files_has_the_name_of_none_of_them() -> None:
    files = [ManifestFile(path=letter, hash=letter * 64) for letter in "ab"]

    assert dataset_hash(files[:1]) == "a" * 64
    assert dataset_hash(files) == hashlib.sha256(b"a" * 64 + b"b" * 64).hexdigest()


@pytest.mark.parametrize(
    "path", ["../secret.parquet", "/etc/passwd", "a/../../b", "C:/calls.parquet", "..\\calls.parquet", "", ".", "a\0b"]
)
def test_a_path_that_leaves_its_folder_is_refused(path: str) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        read_manifest(document(path=path))

    assert refused.value.facts["reason"] == "path_outside_folder"


@pytest.mark.parametrize(
    ("document_", "reason"),
    [
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b'{"path": "a"}', "wrong_shape"),
        (b'{"path": "a", "hash": "123"}', "hash_not_sha256"),
        (
            document(files=[{"path": "a.parquet", "hash": HASH}, {"path": "b.parquet", "hash": HASH}]),
            "file_twice",
        ),
    ],
)
def test_what_is_no_manifest_is_refused_with_a_reason(document_: bytes, reason: str) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        read_manifest(document_)

    assert refused.value.facts["reason"] == reason
