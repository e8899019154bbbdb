from __future__ import annotations

import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from supportapi.calls.manifest import ManifestFile
from supportapi.dataset.pinned import Pinned
from supportapi.dataset.source import LocalSource
from supportapi.errors import DataMismatch, DatasetNotWritable

if TYPE_CHECKING:
    from pathlib import Path

BYTES = b"rows" * 100_000
FILE = ManifestFile(path="cleaned_calls.parquet", hash=hashlib.sha256(BYTES).hexdigest())


@pytest.fixture
def live(tmp_path: Path) -> Path:
    path = tmp_path / "data" / FILE.path
    path.parent.mkdir()
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def pinned(tmp_path: Path, live: Path) -> Pinned:
    return Pinned(tmp_path / "home", LocalSource(live.parent / "manifest.json"))


def test_a_version_stays_readable_when_the_live_file_is_replaced(pinned: Pinned, live: Path) -> None:
    path = pinned.path(FILE)
    live.write_bytes(b"something else")

    assert pinned.path(FILE) == path
    assert path.read_bytes() == BYTES
    assert pinned.find(FILE.hash) == path


def test_a_file_that_does_not_keep_the_manifests_promise_is_not_kept(pinned: Pinned, live: Path) -> None:
    live.write_bytes(BYTES + b"!")

    with pytest.raises(DataMismatch):
        pinned.path(FILE)

    assert pinned.find(FILE.hash) is None
    assert list((live.parent.parent / "home" / "datasets").iterdir()) == []


def test_many_at_once_get_the_same_whole_file(pinned: Pinned) -> None:
    contents: list[bytes] = []
    threads = [threading.Thread(target=lambda: contents.append(pinned.path(FILE).read_bytes())) for _ in range(8)]

    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert contents == [BYTES] * 8


def test_pruning_keeps_what_is_asked_for_and_copies_in_the_making(pinned: Pinned) -> None:
    path = pinned.path(FILE)
    fresh, abandoned = path.with_name(".a.1.supportapi-tmp"), path.with_name(".b.1.supportapi-tmp")
    fresh.touch()
    abandoned.touch()
    os.utime(abandoned, (time.time() - 86_400, time.time() - 86_400))

    pinned.prune({FILE.hash})
    kept = sorted(left.name for left in path.parent.iterdir())
    pinned.prune(())

    assert kept == [".a.1.supportapi-tmp", path.name]
    assert pinned.find(FILE.hash) is None


@pytest.fixture
def three(live: Path) -> list[ManifestFile]:
    """Files of the dataset, of a thousand bytes each."""
    contents = {f"{number}.parquet": bytes([number]) * 1_000 for number in range(3)}
    [(live.parent / name).write_bytes(content) for name, content in contents.items()]
    return [ManifestFile(path=name, hash=hashlib.sha256(content).hexdigest()) for name, content in contents.items()]


def test_beyond_the_bound_the_copy_that_was_not_used_for_longest_goes(
    tmp_path: Path, live: Path, three: list[ManifestFile]
) -> None:
    bounded = Pinned(tmp_path / "home", LocalSource(live.parent / "manifest.json"), bound_bytes=2_000)
    [os.utime(bounded.path(file), (0, number)) for number, file in enumerate(three)]
    bounded.path(three[0])

    bounded.prune([file.hash for file in three])

    assert [bounded.find(file.hash) is not None for file in three] == [True, False, True]


def test_the_files_of_the_live_dataset_stay_whatever_the_bound(
    tmp_path: Path, live: Path, three: list[ManifestFile]
) -> None:
    bounded = Pinned(tmp_path / "home", LocalSource(live.parent / "manifest.json"), bound_bytes=1)
    [bounded.path(file) for file in three]

    bounded.prune([file.hash for file in three], live=[file.hash for file in three[:2]])

    assert [bounded.find(file.hash) is not None for file in three] == [True, True, False]


def test_without_a_bound_everything_that_is_asked_for_stays(pinned: Pinned, three: list[ManifestFile]) -> None:
    [pinned.path(file) for file in three]

    pinned.prune([file.hash for file in three])

    assert [pinned.find(file.hash) is not None for file in three] == [True, True, True]


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path, live: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")

    with pytest.raises(DatasetNotWritable):
        Pinned(tmp_path / "home", LocalSource(live.parent / "manifest.json")).path(FILE)
