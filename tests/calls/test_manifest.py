from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportapi.calls.manifest import Manifest, ManifestFile, dataset_hash, read_manifest
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
PATHS = st.text() | st.lists(st.sampled_from(["..", ".", "", "a", "C:", "~", "b.parquet"])).map("/".join)
HASHES = st.sampled_from([HASH, HASH.upper(), f"sha256:{HASH}", "b" * 64]) | st.text()
ANY_MANIFEST = st.fixed_dictionaries(
    {"path": PATHS, "hash": HASHES},
    optional={
        "files": st.lists(st.fixed_dictionaries({"path": PATHS, "hash": HASHES}), max_size=3),
        "size_bytes": JSON,
        "updated_at": JSON,
        "columns": JSON,
        "file_size": JSON,
    },
)


def read_or_none(written: bytes) -> Manifest | None:
    try:
        return read_manifest(written)
    except ManifestInvalid:
        return None


@given(st.binary() | JSON.map(json.dumps).map(str.encode))
def test_whatever_stands_there_is_a_manifest_or_refused_by_name(written: bytes) -> None:
    read_or_none(written)


@pytest.mark.parametrize("written", [b"[" * 100_000, b'{"notes":' * 100_000, b'{"notes": "\\ud800"}', b"\xff\xfe"])
def test_what_would_upset_a_decoder_is_refused_by_name(written: bytes) -> None:
    assert read_or_none(written) is None


@given(ANY_MANIFEST.map(json.dumps).map(str.encode))
def test_no_manifest_names_a_file_outside_of_its_folder(written: bytes) -> None:
    manifest = read_or_none(written)

    folder = Path("/srv/data")
    named = [] if manifest is None else [manifest.path, *(file.path for file in manifest.files)]
    assert [path for path in named if not Path(os.path.normpath(folder / path)).is_relative_to(folder)] == []
