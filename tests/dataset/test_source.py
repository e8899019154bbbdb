from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
import pytest

from supportapi.calls.manifest import ManifestFile
from supportapi.dataset.source import LocalSource
from supportapi.errors import DataMismatch, DataMissing, ManifestInvalid, ManifestMissing

if TYPE_CHECKING:
    from pathlib import Path

BYTES = b"the bytes of a file" * 1000
HASH = hashlib.sha256(BYTES).hexdigest()
FILE = ManifestFile(path="cleaned_calls.parquet", hash=HASH, size_bytes=len(BYTES))


@pytest.fixture
def source(tmp_path: Path) -> LocalSource:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / FILE.path).write_bytes(BYTES)
    (folder / "manifest.json").write_bytes(
        msgspec.json.encode({"path": FILE.path, "hash": HASH, "size_bytes": len(BYTES)})
    )
    return LocalSource(folder / "manifest.json")


def test_the_manifest_is_read_from_its_folder(source: LocalSource) -> None:
    assert source.read().files == (FILE,)
    assert source.folder.name == "data"
    assert source.location.endswith("data/manifest.json")


def test_an_absent_manifest_says_where_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(ManifestMissing, match=r"nowhere/manifest\.json"):
        LocalSource(tmp_path / "nowhere" / "manifest.json").read()


def test_a_half_written_manifest_is_refused(source: LocalSource) -> None:
    (source.folder / "manifest.json").write_text('{"path": "cl')

    with pytest.raises(ManifestInvalid):
        source.read()


def test_the_verified_bytes_are_copied(source: LocalSource, tmp_path: Path) -> None:
    source.copy(FILE, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == BYTES


def test_a_manifest_without_a_size_is_verified_by_hash(source: LocalSource, tmp_path: Path) -> None:
    source.copy(ManifestFile(path=FILE.path, hash=HASH), tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == BYTES


def test_a_file_that_is_not_there_is_missing(source: LocalSource, tmp_path: Path) -> None:
    with pytest.raises(DataMissing):
        source.copy(ManifestFile(path="other.parquet", hash=HASH), tmp_path / "copy")


@pytest.mark.parametrize(("live", "reason"), [(BYTES[:-1], "size"), (b"x" + BYTES[1:], "hash")])
def test_other_bytes_than_promised_are_a_mismatch(
    source: LocalSource, tmp_path: Path, live: bytes, reason: str
) -> None:
    (source.folder / FILE.path).write_bytes(live)

    with pytest.raises(DataMismatch) as refused:
        source.copy(FILE, tmp_path / "copy")

    assert refused.value.facts["reason"] == reason
