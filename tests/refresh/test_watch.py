"""The watcher on real folders and a real Redis: whatever happens to the folder, the right build is asked for."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportapi.dataset.source import LocalSource
from supportapi.errors import DataCorrupt, DataMissing
from supportapi.processes.redis_server import embedded_redis
from supportapi.refresh import watch
from supportapi.refresh.queue import BuildQueue, end_with
from supportapi.refresh.records import JobRecord, Reason, Records
from supportapi.refresh.watch import Watcher
from supportapi.snapshots import keys
from supportapi.snapshots.client import connect
from supportapi.snapshots.freshness import TURN
from supportapi.snapshots.pointer import Rollback
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from supportapi.calls.manifest import Manifest
    from tests.refresh.conftest import Until

Make = Callable[..., Watcher]


def _hash(number: int) -> str:
    return f"{number:064x}"


def _version(number: int) -> str:
    return keys.version_of(_hash(number), {})


def _wanted(manifest: Manifest) -> str:
    return keys.version_of(manifest.hash, {})


def _write(folder: Path, number: int, **more: object) -> None:
    """Replace the manifest by one of dataset `number`, as ingest does."""
    fresh = folder / ".manifest.next"
    fresh.write_text(json.dumps({"path": "calls.parquet", "hash": _hash(number), **more}))
    fresh.replace(folder / "manifest.json")


def _publish(shelf: Shelf, number: int) -> None:
    sequence = shelf.next_sequence()
    shelf.stage(_version(number), sequence, {"prepared": b"x"})
    shelf.publish(_version(number), sequence, _hash(number))


def _make(url: str, manifest: Path, interval_seconds: float = 60, *, watched: bool = True) -> Watcher:
    redis = connect(url)
    records, shelf = Records(redis, lambda: datetime.now(UTC)), Shelf(redis)
    return Watcher(
        source=LocalSource(manifest), manifest_path=manifest if watched else None, shelf=shelf, records=records,
        wanted=_wanted,
        queue=BuildQueue(redis, records, shelf, 60), interval_seconds=interval_seconds, name="here",
    )  # fmt: skip


@contextmanager
def _running(watcher: Watcher) -> Generator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def _busy(log: Path) -> Generator[None]:
    """Somebody writes to `log` the whole time."""
    ended = threading.Event()

    def write() -> None:
        with log.open("ab") as file:
            while not ended.wait(0.05):
                file.write(b"said something\n")
                file.flush()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)


def _asked(records: Records, number: int) -> JobRecord | None:
    return records.latest(_version(number))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


# -- one comparison ----------------------------------------------------------------------------------------------


def test_a_manifest_that_is_not_published_is_asked_for_once(redis_url: str, data: Path, records: Records) -> None:
    _write(data, 1)
    watcher = _make(redis_url, data / "manifest.json")

    watcher.reconcile()
    watcher.reconcile()

    assert [record.version for record in records.list()] == [_version(1)]
    assert records.list()[0].requested_by == "watcher"


def test_a_manifest_that_is_published_is_left_alone(redis_url: str, data: Path, records: Records, shelf: Shelf) -> None:
    _write(data, 1)
    _publish(shelf, 1)

    _make(redis_url, data / "manifest.json").reconcile()

    assert records.list() == []


def test_a_rollback_holds_until_the_manifest_asks_for_another_version(
    redis_url: str, data: Path, records: Records, shelf: Shelf
) -> None:
    _write(data, 2)
    _publish(shelf, 1)
    _publish(shelf, 2)
    rollback = Rollback(by="ada", at=datetime.now(UTC), over=_version(2))
    shelf.activate(_version(1), shelf.next_sequence(), _hash(1), rollback=rollback)
    watcher = _make(redis_url, data / "manifest.json")

    watcher.reconcile()
    asked_while_held = records.list()
    _write(data, 3)
    watcher.tick(look=True)

    assert asked_while_held == []
    assert [record.version for record in records.list()] == [_version(3)]


def test_what_was_seen_is_told_to_everybody(redis_url: str, data: Path, shelf: Shelf) -> None:
    _write(data, 1, row_count=7, size_bytes=99, updated_at="2026-01-02T03:04:05Z")

    _make(redis_url, data / "manifest.json").reconcile()

    seen = shelf.manifest()
    assert seen is not None
    assert (seen.dataset_hash, seen.version, seen.error_code) == (_hash(1), _version(1), None)
    assert (seen.row_count, seen.size_bytes) == (7, 99)
    assert seen.updated_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert datetime.now(UTC) - seen.seen_at < timedelta(seconds=5)


def test_a_dataset_is_stale_from_its_manifest_until_its_publish(
    redis_url: str, data: Path, redis: Redis, shelf: Shelf
) -> None:
    _write(data, 1)
    watcher = _make(redis_url, data / "manifest.json")

    watcher.reconcile()
    _publish(shelf, 1)
    watcher.reconcile()

    entries: Any = redis.xrange(keys.FRESHNESS)
    told = [json.loads(fields[TURN]) for _, fields in entries]
    assert [(turn["cause"], turn["version"]) for turn in told] == [("manifest_changed", _version(1)), (None, None)]


@pytest.mark.parametrize(
    ("document", "code"),
    [(None, "MANIFEST_MISSING"), ('{"path": "x.pa', "MANIFEST_INVALID"), ('{"path": "../x"}', "MANIFEST_INVALID")],
)
def test_a_manifest_that_cannot_be_read_is_told_and_nothing_is_asked_for(
    redis_url: str, data: Path, shelf: Shelf, records: Records, document: str | None, code: str
) -> None:
    if document is not None:
        (data / "manifest.json").write_text(document)

    _make(redis_url, data / "manifest.json").reconcile()

    seen = shelf.manifest()
    assert seen is not None
    assert (seen.error_code, seen.version) == (code, None)
    assert records.list() == []


def test_bad_data_is_not_asked_for_again_and_its_reason_is_told(
    redis_url: str, data: Path, shelf: Shelf, records: Records
) -> None:
    _write(data, 1)
    watcher = _make(redis_url, data / "manifest.json")
    watcher.reconcile()
    end_with(records, records.list()[0], DataCorrupt("no Parquet"))

    watcher.reconcile()

    seen = shelf.manifest()
    assert seen is not None
    assert (seen.error_code, seen.error_message, seen.error_job) == ("DATA_CORRUPT", "no Parquet", records.list()[0].id)
    assert (len(records.list()), records.list()[0].attempts) == (1, 1)


def test_a_passing_failure_is_asked_for_again_when_its_time_has_come(
    redis_url: str, data: Path, records: Records
) -> None:
    _write(data, 1)
    watcher = _make(redis_url, data / "manifest.json")
    watcher.reconcile()
    end_with(records, records.list()[0], DataMissing("gone"))

    watcher.reconcile()
    early = records.list()[0]
    time.sleep(1.1)
    watcher.reconcile()

    assert (early.state, early.attempts) == ("failed", 1)
    assert (records.list()[0].state, records.list()[0].attempts) == ("queued", 2)


def test_a_pause_that_a_clock_set_back_made_endless_is_not_waited_for(
    redis_url: str, data: Path, redis: Redis, records: Records
) -> None:
    _write(data, 1)
    watcher = _make(redis_url, data / "manifest.json")
    watcher.reconcile()
    tomorrow = Records(redis, lambda: datetime.now(UTC) + timedelta(days=1))
    end_with(tomorrow, records.list()[0], DataMissing("gone"))

    watcher.reconcile()

    assert records.list()[0].attempts == 2


@pytest.mark.parametrize(("written_after_seconds", "attempts"), [(-60, 1), (60, 2)])
def test_what_was_given_up_is_asked_for_again_once_somebody_has_written_to_its_file(
    redis_url: str, data: Path, redis: Redis, records: Records, written_after_seconds: int, attempts: int
) -> None:
    _write(data, 1)
    watcher = _make(redis_url, data / "manifest.json")
    watcher.reconcile()
    ended_at = datetime.now(UTC) - timedelta(seconds=written_after_seconds)
    asked = records.list()[0]
    then = Records(redis, lambda: ended_at)
    then.change(asked.id, 1, state="failed", ended_at=ended_at, reason=Reason(code="DATA_MISMATCH", message="half"))
    (data / "calls.parquet").write_bytes(b"the other half")

    watcher.reconcile()

    assert len(records.list()) == attempts


def test_a_manifest_that_is_replaced_all_the_time_does_not_fill_the_queue(
    redis_url: str, data: Path, queue: BuildQueue
) -> None:
    watcher = _make(redis_url, data / "manifest.json")

    def replace(number: int) -> int:
        _write(data, number)
        watcher.tick(look=True)
        return queue.length()

    waiting = [replace(number) for number in range(20)]

    assert waiting == [1, 2, 3] + [4] * 17


def test_an_emptied_redis_is_filled_again(redis_url: str, data: Path, shelf: Shelf, records: Records) -> None:
    _write(data, 1)
    _publish(shelf, 1)
    watcher = _make(redis_url, data / "manifest.json")
    watcher.reconcile()

    connect(redis_url).flushall()
    watcher.reconcile()

    assert [record.version for record in records.list()] == [_version(1)]


def test_the_way_back_to_an_older_manifest_is_asked_for(
    redis_url: str, data: Path, shelf: Shelf, records: Records
) -> None:
    _publish(shelf, 1)
    _publish(shelf, 2)
    _write(data, 1)

    _make(redis_url, data / "manifest.json").reconcile()

    assert [record.version for record in records.list()] == [_version(1)]


def test_an_older_release_leaves_what_a_newer_one_published(
    redis_url: str, data: Path, shelf: Shelf, records: Records, redis: Redis
) -> None:
    _publish(shelf, 2)
    redis.hset(keys.CURRENT, "format", keys.FORMAT + 1)
    _write(data, 1)

    _make(redis_url, data / "manifest.json").reconcile()

    seen = shelf.manifest()
    assert records.list() == []
    assert seen is not None
    assert seen.error_code == watch.NEWER_RELEASE


def test_two_watchers_ask_for_one_build(redis_url: str, data: Path, records: Records) -> None:
    _write(data, 1)
    watchers = [_make(redis_url, data / "manifest.json") for _ in range(4)]
    gate = threading.Barrier(4)

    def turn(watcher: Watcher) -> None:
        gate.wait()
        watcher.reconcile()

    threads = [threading.Thread(target=turn, args=(watcher,)) for watcher in watchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(records.list()) == 1


# -- folders and events ------------------------------------------------------------------------------------------


def test_a_replaced_manifest_is_asked_for_long_before_the_timer(
    redis_url: str, data: Path, records: Records, until: Until
) -> None:
    _write(data, 1)
    with _running(_make(redis_url, data / "manifest.json", interval_seconds=600)):
        until(lambda: _asked(records, 1))
        time.sleep(0.3)

        _write(data, 2)

        until(lambda: _asked(records, 2))


def test_of_a_burst_of_ten_the_last_is_asked_for(redis_url: str, data: Path, records: Records, until: Until) -> None:
    _write(data, 0)
    with _running(_make(redis_url, data / "manifest.json")):
        until(lambda: _asked(records, 0))
        for number in range(1, 11):
            _write(data, number)
            time.sleep(0.01)
        until(lambda: _asked(records, 10))

    asked = [record.version for record in records.list()]
    assert len(asked) == len(set(asked))


def test_a_folder_that_appears_later_is_found(redis_url: str, tmp_path: Path, records: Records, until: Until) -> None:
    folder = tmp_path / "a" / "b" / "data"
    with _running(_make(redis_url, folder / "manifest.json")):
        time.sleep(0.3)
        folder.mkdir(parents=True)
        time.sleep(0.1)
        _write(folder, 1)
        until(lambda: _asked(records, 1))
        time.sleep(1.2)
        _write(folder, 2)
        until(lambda: _asked(records, 2))


def test_a_folder_that_was_removed_and_made_again_is_followed(
    redis_url: str, data: Path, records: Records, until: Until
) -> None:
    _write(data, 1)
    with _running(_make(redis_url, data / "manifest.json")):
        until(lambda: _asked(records, 1))
        shutil.rmtree(data)
        time.sleep(0.3)
        data.mkdir()
        _write(data, 2)
        until(lambda: _asked(records, 2))
        time.sleep(1.2)
        _write(data, 3)
        until(lambda: _asked(records, 3))


def test_a_folder_swapped_for_another_by_rename_is_followed(
    redis_url: str, data: Path, records: Records, until: Until
) -> None:
    _write(data, 1)
    fresh = data.parent / "fresh"
    fresh.mkdir()
    _write(fresh, 2)
    with _running(_make(redis_url, data / "manifest.json")):
        until(lambda: _asked(records, 1))
        time.sleep(0.3)
        data.rename(data.parent / "old")
        fresh.rename(data)
        until(lambda: _asked(records, 2))


def test_a_link_to_the_folder_that_is_pointed_elsewhere_is_followed(
    redis_url: str, tmp_path: Path, records: Records, until: Until
) -> None:
    for number in (1, 2):
        (tmp_path / f"v{number}").mkdir()
        _write(tmp_path / f"v{number}", number)
    link = tmp_path / "data"
    link.symlink_to("v1")
    with _running(_make(redis_url, link / "manifest.json")):
        until(lambda: _asked(records, 1))
        time.sleep(0.3)
        (tmp_path / "next").symlink_to("v2")
        (tmp_path / "next").rename(link)
        until(lambda: _asked(records, 2))
        time.sleep(1.2)
        _write(tmp_path / "v2", 3)
        until(lambda: _asked(records, 3))


def test_links_as_a_cluster_mounts_them_are_followed(
    redis_url: str, data: Path, records: Records, until: Until
) -> None:
    for number in (1, 2):
        (data / f"..{number}").mkdir()
        _write(data / f"..{number}", number)
    (data / "..data").symlink_to("..1")
    (data / "manifest.json").symlink_to("..data/manifest.json")
    with _running(_make(redis_url, data / "manifest.json")):
        until(lambda: _asked(records, 1))
        time.sleep(0.3)
        (data / "..next").symlink_to("..2")
        (data / "..next").rename(data / "..data")
        until(lambda: _asked(records, 2))


def test_without_events_the_timer_finds_the_change(
    redis_url: str, data: Path, records: Records, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*_: object, stop_event: threading.Event, rust_timeout: int, **__: Any) -> Iterator[set[object]]:
        while not stop_event.wait(rust_timeout / 1000):
            yield set()

    monkeypatch.setattr(watch, "watch", deaf)
    _write(data, 1)
    with _running(_make(redis_url, data / "manifest.json", interval_seconds=0.5)):
        until(lambda: _asked(records, 1))
        _write(data, 2)
        until(lambda: _asked(records, 2))


def test_what_happens_all_the_time_beside_the_folder_does_not_stop_the_timer(
    redis_url: str, data: Path, records: Records, until: Until, redis: Redis
) -> None:
    _write(data, 1)
    with _running(_make(redis_url, data / "manifest.json")), _busy(data.parent / "some.log"):
        until(lambda: _asked(records, 1))

        redis.flushall()

        until(lambda: _asked(records, 1))


def test_when_the_system_has_no_more_watches_it_polls(
    redis_url: str, data: Path, records: Records, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WatchfilesRustInternalError(Exception):
        pass

    real = watch.watch
    refused: list[tuple[Path, ...]] = []

    def exhausted(*folders: Path, force_polling: bool | None, **options: Any) -> Iterator[Any]:
        if not force_polling:
            refused.append(folders)
            raise WatchfilesRustInternalError("OS file watch limit reached")
        return real(*folders, force_polling=force_polling, **options)

    monkeypatch.setattr(watch, "watch", exhausted)
    _write(data, 1)
    with _running(_make(redis_url, data / "manifest.json")):
        until(lambda: _asked(records, 1))
        time.sleep(0.5)
        _write(data, 2)
        until(lambda: _asked(records, 2))

    assert len(refused) == 1


def test_slow_writes_beside_the_manifest_change_nothing(
    redis_url: str, data: Path, records: Records, until: Until
) -> None:
    _write(data, 1)
    with _running(_make(redis_url, data / "manifest.json")):
        until(lambda: _asked(records, 1))
        with (data / "calls.parquet").open("wb") as file:
            for _ in range(10):
                file.write(b"x" * 1000)
                file.flush()
                time.sleep(0.05)

    assert len(records.list()) == 1


def test_redis_may_come_later_go_and_come_back_empty(tmp_path: Path, data: Path, until: Until) -> None:
    _write(data, 1)
    with embedded_redis(tmp_path / "home") as first:
        url, process = first.url, first.process
        assert process is not None
        with _running(_make(url, data / "manifest.json", interval_seconds=0.5)):
            until(lambda: _asked(_records(url), 1))
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(0.5)
            _write(data, 2)
            with embedded_redis(tmp_path / "home") as second:
                assert second.url == url
                until(lambda: _asked(_records(url), 2))


def _records(url: str) -> Records:
    return Records(connect(url), lambda: datetime.now(UTC))


def test_a_watcher_that_may_not_enter_the_folder_goes_on_asking(
    redis_url: str, data: Path, shelf: Shelf, until: Until
) -> None:
    manifest = data / "manifest.json"
    manifest.mkdir()  # whatever makes it unreadable, for root too
    with _running(_make(redis_url, manifest, interval_seconds=0.3)):
        until(lambda: (seen := shelf.manifest()) is not None and seen.error_code == "MANIFEST_MISSING")
        os.rmdir(manifest)  # noqa: PTH106
        _write(data, 1)
        until(lambda: (seen := shelf.manifest()) is not None and seen.version == _version(1))


def test_where_no_folder_is_watched_news_are_looked_at_and_silence_is_not(
    redis_url: str, tmp_path: Path, shelf: Shelf, until: Until
) -> None:
    _write(tmp_path, 1)
    watcher = _make(redis_url, tmp_path / "manifest.json", interval_seconds=3600, watched=False)
    with _running(watcher):
        until(lambda: _seen_hash(shelf) == _hash(1))
        _write(tmp_path, 2)
        time.sleep(2)  # two of its turns
        unheard = _seen_hash(shelf)
        watcher.news.set()
        until(lambda: _seen_hash(shelf) == _hash(2))

    assert unheard == _hash(1)


def _seen_hash(shelf: Shelf) -> str | None:
    seen = shelf.manifest()
    return None if seen is None else seen.dataset_hash
