"""The bounded history of jobs, on a real server."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from supportapi.refresh.records import RECORDS_KEPT, AsyncRecords, JobRecord, Reason, Records
from supportapi.snapshots import keys
from supportapi.snapshots.client import connect, connect_async

if TYPE_CHECKING:
    from redis import Redis

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _record(number: int = 1, **changes: object) -> JobRecord:
    at = _NOW + timedelta(seconds=number)
    record = JobRecord(
        id=f"build-v-{number}", kind="build", state="queued", requested_by="watcher", created_at=at, queued_at=at,
        version="v", dataset_hash="0" * 64,
    )  # fmt: skip
    return msgspec.structs.replace(record, **changes)


def test_a_claimed_record_is_the_latest_of_its_subject_and_first_in_the_list(records: Records) -> None:
    records.claim("v", lambda _: _record(1))
    records.claim("v", lambda _: _record(2))

    assert records.latest("v") == _record(2)
    assert records.list() == [_record(2), _record(1)]
    assert records.get("build-v-1") == _record(1)
    assert records.get("nobody") is None


def test_deciding_for_nothing_writes_nothing(records: Records) -> None:
    assert records.claim("v", lambda _: None) is None
    assert records.list() == []


def test_of_many_claims_at_once_one_wins(redis_url: str) -> None:
    gate = threading.Barrier(8)
    won: list[JobRecord] = []

    def claim(number: int) -> None:
        mine = Records(connect(redis_url), lambda: _NOW)
        gate.wait()
        written = mine.claim("v", lambda held: None if held is not None and held.open else _record(number))
        if written is not None:
            won.append(written)

    askers = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert len(won) == 1


def test_the_list_is_bounded_and_what_falls_out_is_gone(records: Records, redis: Redis) -> None:
    for number in range(RECORDS_KEPT + 5):
        records.claim(f"v{number}", lambda _, number=number: _record(number))

    assert len(records.list()) == RECORDS_KEPT
    assert records.list()[0].id == f"build-v-{RECORDS_KEPT + 4}"
    assert records.get("build-v-0") is None
    assert redis.exists(*(keys.job_key(f"build-v-{number}") for number in range(RECORDS_KEPT + 5))) == RECORDS_KEPT


def test_every_record_ends_some_day(records: Records, redis: Redis) -> None:
    records.claim("v", lambda _: _record(1))
    records.change("build-v-1", 1, stage="states")

    assert redis.ttl(keys.job_key("build-v-1")) > 3600
    assert redis.ttl(keys.latest_key("v")) > 3600


def test_only_the_attempt_in_charge_may_change_an_open_record(records: Records) -> None:
    records.claim("v", lambda _: _record(1, attempts=2))

    assert records.change("build-v-1", 1, state="succeeded") is None
    assert records.change("build-v-1", 2, state="running", stage="states", progress=0.3) is not None
    assert records.change("build-v-1", 2, state="succeeded") is not None
    assert records.change("build-v-1", 2, state="failed") is None
    changed = records.get("build-v-1")
    assert changed is not None
    assert (changed.state, changed.stage, changed.progress) == ("succeeded", "states", 0.3)


def test_changes_from_two_sides_are_both_kept(records: Records, redis_url: str) -> None:
    records.claim("v", lambda _: _record(1))

    def count() -> None:
        mine = Records(connect(redis_url), lambda: _NOW)
        for turn in range(50):
            mine.change("build-v-1", 1, progress=turn / 50)

    counter = threading.Thread(target=count)
    counter.start()
    records.change("build-v-1", 1, worker="w")
    counter.join()

    found = records.get("build-v-1")
    assert found is not None
    assert (found.worker, found.progress) == ("w", 0.98)


def test_the_api_reads_what_the_worker_wrote(records: Records, redis_url: str) -> None:
    reason = Reason(code="DATA_CORRUPT", message="no Parquet", facts={"path": "x.parquet"})
    records.claim("v", lambda _: _record(1, state="failed", reason=reason, stage_seconds={"pin": 0.1}))

    async def read() -> tuple[list[JobRecord], JobRecord | None]:
        client = connect_async(redis_url)
        try:
            mine = AsyncRecords(client)
            return await mine.list(), await mine.get("build-v-1")
        finally:
            await client.aclose()

    listed, one = asyncio.run(read())
    assert listed == records.list()
    assert one is not None
    assert one.reason == reason
