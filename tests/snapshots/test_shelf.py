"""Staging, publishing, going back and retiring, on a real server."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from supportapi.errors import PublishRefused, ShelfUnavailable, SnapshotIncomplete
from supportapi.snapshots import keys
from supportapi.snapshots.client import connect, memory_problem
from supportapi.snapshots.pointer import CoveredFile, Rollback, VersionCard
from supportapi.snapshots.shelf import Shelf
from supportapi.snapshots.sightings import WorkerBeat

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from supportapi.processes.redis_server import RunningRedis

_A, _B, _C, _D = "a" * 16, "b" * 16, "c" * 16, "d" * 16


def _card(version: str) -> bytes:
    file = CoveredFile(path="x.parquet", hash="0" * 64, rows=1)
    card = VersionCard(
        version=version, dataset_hash="0" * 64, format=1, built_at=datetime(2026, 1, 1, tzinfo=UTC),
        build_seconds=1.0, rows=1, columns=("call_id",), min_started_at=None, max_started_at=None, as_of=None,
        files=(file,), zones=("UTC",), audit_queries=0, host="here",
    )  # fmt: skip
    return msgspec.json.encode(card)


def _put(shelf: Shelf, version: str, shared: dict[str, str] | None = None) -> int:
    """Stage and publish a version; its sequence."""
    sequence = shelf.next_sequence()
    shelf.stage(version, sequence, {"card": _card(version), "prepared": version.encode()}, shared)
    shelf.publish(version, sequence, version * 4)
    return sequence


def _lives(redis: Redis) -> list[int]:
    """How long each key of a snapshot still lives, in seconds; -1 is for ever."""
    names = cast("list[bytes]", redis.keys("{sapi}:snap:*"))
    return [redis.ttl(name) for name in names]


@pytest.fixture
def shelf(redis: Redis) -> Shelf:
    return Shelf(redis, kept=2)


def test_nothing_is_current_before_the_first_publish(shelf: Shelf) -> None:
    assert shelf.current() is None
    assert shelf.history() == []


def test_what_was_published_is_current_and_readable(shelf: Shelf) -> None:
    sequence = _put(shelf, _A)

    current = shelf.current()

    assert current is not None
    assert (current.version, current.dataset_hash, current.sequence) == (_A, _A * 4, sequence)
    assert (current.parts, current.format) == (2, keys.FORMAT)
    assert abs((datetime.now(UTC) - current.published_at).total_seconds()) < 5
    assert shelf.read(_A, "prepared") == {"prepared": _A.encode()}


def test_staged_parts_are_seen_by_nobody_and_end_by_themselves(shelf: Shelf, redis: Redis) -> None:
    shelf.stage(_A, shelf.next_sequence(), {"card": _card(_A)})

    assert shelf.current() is None
    assert not shelf.complete(_A)
    assert [life for life in _lives(redis) if life <= 0] == []


def test_published_parts_do_not_end(shelf: Shelf, redis: Redis) -> None:
    _put(shelf, _A)

    assert set(_lives(redis)) == {-1}


def test_an_undeclared_part_cannot_be_staged(shelf: Shelf) -> None:
    with pytest.raises(KeyError):
        shelf.stage(_A, 1, {"secret": b"x"})


def test_a_build_that_began_earlier_never_replaces_a_later_one(shelf: Shelf) -> None:
    early = shelf.next_sequence()
    shelf.stage(_A, early, {"card": _card(_A)})
    late = _put(shelf, _B)

    with pytest.raises(PublishRefused) as refused:
        shelf.publish(_A, early, _A * 4)

    assert refused.value.facts["published"] == late
    current = shelf.current()
    assert current is not None
    assert current.version == _B


def test_a_missing_part_blocks_the_publish_and_is_named(shelf: Shelf, redis: Redis) -> None:
    _put(shelf, _A)
    sequence = shelf.next_sequence()
    shelf.stage(_B, sequence, {"card": _card(_B), "prepared": b"p"})
    redis.delete(keys.part_key(_B, sequence, "prepared"))

    with pytest.raises(SnapshotIncomplete) as incomplete:
        shelf.publish(_B, sequence, _B * 4)

    assert incomplete.value.facts["part"] == "prepared"
    current = shelf.current()
    assert current is not None
    assert current.version == _A


def test_publishing_what_was_never_staged_is_refused(shelf: Shelf) -> None:
    with pytest.raises(SnapshotIncomplete):
        shelf.publish(_A, shelf.next_sequence(), _A * 4)


def test_publishing_the_current_version_again_changes_nothing_and_says_nothing(shelf: Shelf, redis: Redis) -> None:
    _put(shelf, _A)
    before, events = shelf.parts(_A), redis.xlen(keys.EVENTS)
    sequence = shelf.next_sequence()
    shelf.stage(_A, sequence, {"card": _card(_A), "prepared": b"again"})

    outcome = shelf.publish(_A, sequence, _A * 4)

    assert outcome == "unchanged"
    assert shelf.parts(_A) == before
    assert redis.xlen(keys.EVENTS) == events


def test_after_an_unchanged_publish_builds_that_began_before_it_are_still_late(shelf: Shelf) -> None:
    _put(shelf, _A)
    between = shelf.next_sequence()
    shelf.stage(_B, between, {"card": _card(_B)})
    _put(shelf, _A)

    with pytest.raises(PublishRefused):
        shelf.publish(_B, between, _B * 4)


def test_a_current_version_that_lost_a_part_is_mended_by_publishing_it_again(shelf: Shelf, redis: Redis) -> None:
    sequence = _put(shelf, _A)
    redis.delete(keys.part_key(_A, sequence, "prepared"))

    _put(shelf, _A)

    assert shelf.complete(_A)
    assert shelf.read(_A, "prepared") == {"prepared": _A.encode()}


def test_the_way_back_to_a_version_that_is_still_there_needs_no_parts(shelf: Shelf) -> None:
    _put(shelf, _A)
    _put(shelf, _B)

    outcome = shelf.activate(_A, shelf.next_sequence(), _A * 4)

    current = shelf.current()
    assert outcome == "published"
    assert current is not None
    assert current.version == _A
    assert [kept.card.version for kept in shelf.history()] == [_A, _B]


def test_a_rollback_is_in_the_pointer_until_the_next_publish(shelf: Shelf) -> None:
    rollback = Rollback(by="ada", at=datetime(2026, 1, 1, tzinfo=UTC), over=_B)
    _put(shelf, _A)
    _put(shelf, _B)

    shelf.activate(_A, shelf.next_sequence(), _A * 4, rollback=rollback)
    held = shelf.current()
    _put(shelf, _C)
    after = shelf.current()

    assert held is not None
    assert after is not None
    assert (held.rollback, held.holds_off(_B), held.holds_off(_C)) == (rollback, True, False)
    assert (after.rollback, after.holds_off(_B)) == (None, False)


def test_to_stay_at_the_current_version_is_a_rollback_too(shelf: Shelf) -> None:
    rollback = Rollback(by="ada", at=datetime(2026, 1, 1, tzinfo=UTC), over=_B)
    _put(shelf, _A)

    outcome = shelf.activate(_A, shelf.next_sequence(), _A * 4, rollback=rollback)
    held = shelf.current()
    shelf.end_rollback()
    ended = shelf.current()

    assert held is not None
    assert ended is not None
    assert (outcome, held.rollback) == ("unchanged", rollback)
    assert (ended.version, ended.rollback) == (_A, None)


def test_a_build_that_began_before_a_rollback_is_refused(shelf: Shelf) -> None:
    rollback = Rollback(by="ada", at=datetime(2026, 1, 1, tzinfo=UTC), over=_C)
    _put(shelf, _A)
    _put(shelf, _B)
    late = shelf.next_sequence()
    shelf.stage(_C, late, {"card": _card(_C), "prepared": b"c"})
    shelf.activate(_A, shelf.next_sequence(), _A * 4, rollback=rollback)

    with pytest.raises(PublishRefused):
        shelf.publish(_C, late, _C * 4)

    current = shelf.current()
    assert current is not None
    assert (current.version, current.rollback) == (_A, rollback)


def test_a_version_that_lost_a_part_cannot_be_activated(shelf: Shelf, redis: Redis) -> None:
    sequence = _put(shelf, _A)
    _put(shelf, _B)
    redis.delete(keys.part_key(_A, sequence, "card"))

    with pytest.raises(SnapshotIncomplete):
        shelf.activate(_A, shelf.next_sequence(), _A * 4)


def test_what_falls_out_of_the_kept_ones_is_readable_for_a_grace_minute(shelf: Shelf, redis: Redis) -> None:
    for version in (_A, _B, _C):
        _put(shelf, version)

    assert [kept.card.version for kept in shelf.history()] == [_C, _B]
    assert shelf.read(_A, "prepared") == {"prepared": _A.encode()}
    assert 0 < redis.ttl(keys.index_key(_A)) <= 60
    assert all(0 < redis.ttl(key) <= 60 for key in shelf.parts(_A).values())
    assert {redis.ttl(key) for version in (_B, _C) for key in shelf.parts(version).values()} == {-1}


def test_a_retired_version_is_gone_after_its_grace(redis: Redis) -> None:
    shelf = Shelf(redis, kept=1, grace_seconds=1)
    _put(shelf, _A)
    _put(shelf, _B)

    time.sleep(1.2)

    with pytest.raises(SnapshotIncomplete):
        shelf.read(_A, "card")
    assert redis.keys(f"{{sapi}}:snap:{_A}*") == []


def test_a_version_that_comes_back_within_its_grace_stays(shelf: Shelf, redis: Redis) -> None:
    for version in (_A, _B, _C):
        _put(shelf, version)

    shelf.activate(_A, shelf.next_sequence(), _A * 4)

    assert {redis.ttl(key) for key in shelf.parts(_A).values()} == {-1}
    assert redis.ttl(keys.index_key(_A)) == -1


def test_a_shared_state_lives_as_long_as_a_kept_version_lists_it(shelf: Shelf, redis: Redis) -> None:
    january, february = keys.state_key(1, ("UTC",), "1" * 64), keys.state_key(1, ("UTC",), "2" * 64)
    shelf.keep_state(january, b"january")
    shelf.keep_state(february, b"february")
    _put(shelf, _A, {"state:1": january})
    _put(shelf, _B, {"state:1": january, "state:2": february})
    _put(shelf, _C, {"state:2": february})

    assert redis.ttl(january) == -1  # version b still lists it

    _put(shelf, _D)
    assert 0 < redis.ttl(january) <= 60
    assert redis.ttl(february) == -1


def test_a_state_that_is_kept_again_for_a_published_version_gets_no_end(shelf: Shelf, redis: Redis) -> None:
    key = keys.state_key(1, ("UTC",), "1" * 64)
    shelf.keep_state(key, b"one")
    assert redis.ttl(key) > 60
    _put(shelf, _A, {"state:1": key})

    shelf.keep_state(key, b"two")

    assert redis.ttl(key) == -1
    assert shelf.state(key) == b"two"


def test_staging_over_a_state_that_is_gone_is_refused(shelf: Shelf) -> None:
    with pytest.raises(SnapshotIncomplete) as incomplete:
        shelf.stage(_A, 1, {"card": _card(_A)}, {"state:1": keys.state_key(1, ("UTC",), "1" * 64)})

    assert incomplete.value.facts["part"] == "state:1"


def test_staging_keeps_a_state_that_was_about_to_end(shelf: Shelf, redis: Redis) -> None:
    key = keys.state_key(1, ("UTC",), "1" * 64)
    shelf.keep_state(key, b"one")
    redis.expire(key, 5)

    shelf.stage(_A, 1, {"card": _card(_A)}, {"state:1": key})

    assert redis.ttl(key) > 60


def test_sequences_go_on_above_what_is_published_when_their_counter_is_lost(shelf: Shelf, redis: Redis) -> None:
    published = [_put(shelf, _A), _put(shelf, _B)][-1]
    redis.delete(keys.SEQUENCE)

    assert shelf.next_sequence() > published
    assert shelf.next_sequence() > published + 1


def test_the_event_stream_is_bounded(shelf: Shelf, redis: Redis) -> None:
    for turn in range(700):
        sequence = shelf.next_sequence()
        version = (_A, _B)[turn % 2]
        if turn < 2:
            shelf.stage(version, sequence, {"card": _card(version)})
            shelf.publish(version, sequence, version * 4)
        else:
            shelf.activate(version, sequence, version * 4)

    assert redis.xlen(keys.EVENTS) < 500


def test_readers_never_see_two_versions_mixed_over_many_flips(redis_url: str) -> None:
    writer = Shelf(connect(redis_url), kept=2)
    names = ("card", "prepared", "audit")
    _put_whole(writer, 0)
    stop = threading.Event()
    seen: list[set[bytes]] = []

    def read() -> None:
        reader = Shelf(connect(redis_url))
        while not stop.is_set():
            current = reader.current()
            assert current is not None
            seen.append({value.split(b"|")[0] for value in reader.read(current.version, *names).values()})

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(1, 151):
        _put_whole(writer, turn)
    stop.set()
    for reader in readers:
        reader.join(10)

    assert len(seen) > 300
    assert len({next(iter(values)) for values in seen}) > 10
    assert [values for values in seen if len(values) != 1] == []


def _put_whole(shelf: Shelf, turn: int) -> None:
    version, sequence = f"{turn:016x}", shelf.next_sequence()
    value = f"{turn}|".encode() + b"x" * 50_000
    shelf.stage(version, sequence, dict.fromkeys(("card", "prepared", "audit"), value))
    shelf.publish(version, sequence, "0" * 64)


def test_a_server_that_is_not_there_is_a_failure_with_a_name(tmp_path: Path) -> None:
    shelf = Shelf(connect(f"unix://{tmp_path}/nobody.sock"))

    with pytest.raises(ShelfUnavailable):
        shelf.current()


def test_a_write_that_redis_refuses_is_a_failure_with_a_name_and_leaves_current_alone(
    shelf: Shelf, redis: Redis
) -> None:
    _put(shelf, _A)
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 200_000)

    try:
        with pytest.raises(ShelfUnavailable, match="used memory"):
            shelf.stage(_B, shelf.next_sequence(), {"card": b"x" * 500_000, "prepared": b"y" * 500_000})
    finally:
        redis.config_set("maxmemory", "2gb")

    assert shelf.complete(_A)
    current = shelf.current()
    assert current is not None
    assert current.version == _A


def test_a_server_that_may_evict_is_reported(redis: Redis) -> None:
    assert memory_problem(redis) is None
    redis.config_set("maxmemory-policy", "allkeys-lru")

    try:
        assert "allkeys-lru" in (memory_problem(redis) or "")
    finally:
        redis.config_set("maxmemory-policy", "noeviction")


def test_a_worker_works_on_what_its_beat_says_until_the_beat_ends(shelf: Shelf) -> None:
    beat = WorkerBeat(name="w", host="h", pid=1, seen_at=datetime(2026, 1, 1, tzinfo=UTC), job="job-1")
    shelf.beat(beat, seconds=1)

    assert shelf.workers() == [beat]
    assert shelf.works_on("w", "job-1")
    assert not shelf.works_on("w", "job-2")
    time.sleep(1.1)
    assert not shelf.works_on("w", "job-1")
    assert shelf.workers() == []


def test_a_flip_takes_a_few_milliseconds_at_most(redis_server: RunningRedis, redis: Redis) -> None:
    del redis
    shelf = Shelf(connect(redis_server.url))
    took: list[float] = []
    for turn in range(20):
        version, sequence = f"{turn:016x}", shelf.next_sequence()
        shelf.stage(version, sequence, {"card": _card(version), "prepared": b"x" * 100_000})
        began = time.perf_counter()
        shelf.publish(version, sequence, "0" * 64)
        took.append(time.perf_counter() - began)

    assert sorted(took)[len(took) // 2] < 0.05
