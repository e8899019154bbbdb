"""A whole build in this process, on small real files: what it publishes, what it refuses, what it costs again."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest
from structlog.testing import capture_logs

from supportapi.answers.prepared import PreparedAnswer
from supportapi.calls.day_digests import Digests, day_digests
from supportapi.dataset.kept_states import LocalStates
from supportapi.dataset.pinned import Pinned
from supportapi.dataset.source import LocalSource
from supportapi.errors import AuditFailed, ManifestInvalid, SupportApiError
from supportapi.refresh import build as build_module
from supportapi.refresh.build import CalledOff, build, make_aggregates
from supportapi.refresh.job import run_build, run_refresh
from supportapi.refresh.progress import STAGES, Progress
from supportapi.refresh.workshop import Workshop
from supportapi.rollups.aggregates import Aggregates
from supportapi.snapshots.arrays import Arrays
from supportapi.snapshots.pointer import Rollback, VersionCard
from tests.refresh.datasets import put, some_calls

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from supportapi.answers.meta import Truth
    from supportapi.refresh.queue import BuildQueue
    from supportapi.refresh.records import JobRecord, Records
    from supportapi.snapshots.shelf import Shelf

Shop = Callable[..., Workshop]


def _prepare_little(aggregates: Aggregates, truth: Truth) -> list[PreparedAnswer]:
    body = msgspec.json.encode({"data": f"{truth.version} {aggregates.row_count}"})
    return [PreparedAnswer("/api/metrics", "", body, body)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def shop(tmp_path: Path, data: Path, shelf: Shelf, records: Records, queue: BuildQueue) -> Shop:
    def make(**changes: Any) -> Workshop:
        source = LocalSource(data / "manifest.json")
        parts: dict[str, Any] = {
            "source": source, "pinned": Pinned(tmp_path / "home", source), "shelf": shelf,
            "arrays": Arrays(tmp_path / "home"), "records": records, "queue": queue, "prepare": _prepare_little,
            "zones": ("UTC", "Europe/Berlin"), "rollup_budget_mb": 64, "audit_queries": 5, "states": LocalStates(data),
        }  # fmt: skip
        return Workshop(**(parts | changes))

    return make


def _record(shop: Workshop) -> JobRecord:
    manifest = shop.source.read()
    return shop.queue.request_build(shop.wanted(manifest), manifest.hash, "watcher")


def _build(shop: Workshop) -> dict[str, Any]:
    record = _record(shop)
    done = build(shop, record, Progress(shop.records, record))
    shop.records.change(record.id, record.attempts, state="succeeded", ended_at=datetime.now(UTC))
    return done


def _run(shop: Workshop) -> JobRecord:
    """Build as a worker does; how it ended."""
    record = _record(shop)
    run_build(shop, record.id, record.attempts, worker="here")
    ended = shop.records.get(record.id)
    assert ended is not None
    return ended


def _shelved(shelf: Shelf) -> dict[str, bytes]:
    """Every part of the version that is published."""
    current = shelf.current()
    assert current is not None
    return shelf.read(current.version, *shelf.parts(current.version))


def _published(shelf: Shelf) -> str | None:
    current = shelf.current()
    return None if current is None else current.dataset_hash


# -- what is published -------------------------------------------------------------------------------------------


def test_a_dataset_becomes_the_published_version(shop: Shop, data: Path, shelf: Shelf) -> None:
    dataset_hash = put(data, {"calls.parquet": some_calls(40)}, row_count=40)
    workshop = shop()

    done = _build(workshop)

    current = shelf.current()
    assert current is not None
    assert (current.dataset_hash, done["outcome"], done["rows"]) == (dataset_hash, "published", 40)
    parts = {"card", "audit", "days", "file-days", "prepared", f"state:{dataset_hash}"}
    assert set(shelf.parts(current.version)) == parts
    loaded = workshop.arrays.load(current.version)
    assert loaded is not None
    assert Aggregates.from_arrays(*loaded).row_count == 40


def test_the_card_tells_where_a_version_comes_from(shop: Shop, data: Path, shelf: Shelf) -> None:
    dataset_hash = put(data, {"calls.parquet": some_calls(40)}, dataset="support")

    _build(shop())

    card = shelf.history()[0].card
    assert (card.dataset_hash, card.dataset, card.rows, card.zones) == (
        dataset_hash, "support", 40, ("UTC", "Europe/Berlin"),
    )  # fmt: skip
    assert card.min_started_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert card.as_of == card.max_started_at == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert [(file.path, file.hash, file.rows) for file in card.files] == [("calls.parquet", dataset_hash, 40)]
    assert "resolution" not in card.columns
    assert "rating" in card.columns
    assert card.build_seconds > 0


def test_the_prepared_answers_are_on_the_shelf_as_messagepack(shop: Shop, data: Path, shelf: Shelf) -> None:
    put(data, {"calls.parquet": some_calls(40)})
    _build(shop())
    current = shelf.current()
    assert current is not None

    prepared = msgspec.msgpack.decode(shelf.read(current.version, "prepared")["prepared"])

    assert [(one["path"], one["body"]) for one in prepared] == [
        ("/api/metrics", f'{{"data":"{current.version} 40"}}'.encode())
    ]


def test_another_machine_can_make_the_arrays_from_the_states_on_the_shelf(shop: Shop, data: Path, shelf: Shelf) -> None:
    put(data, {"a.parquet": some_calls(30), "b.parquet": some_calls(20, month=1)})
    workshop = shop()
    _build(workshop)
    card = shelf.history()[0].card
    states = shelf.read(card.version, *(f"state:{file.hash}" for file in card.files))
    paths = [workshop.pinned.path(file) for file in workshop.source.read().files]

    made = make_aggregates(list(states.values()), paths, card.zones, 64)

    mine = workshop.arrays.load(card.version)
    assert mine is not None
    header, arrays = made.to_arrays()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(header)) == mine[0]
    assert {name: array.tobytes() for name, array in arrays.items()} == {
        name: array.tobytes() for name, array in mine[1].items()
    }


def test_the_record_shows_every_stage_and_ends_as_succeeded(shop: Shop, data: Path) -> None:
    put(data, {"calls.parquet": some_calls(40)})

    ended = _run(shop())

    assert (ended.state, ended.progress, ended.worker, ended.reason) == ("succeeded", 1.0, "here", None)
    assert set(ended.stage_seconds) == set(STAGES)
    assert ended.result is not None
    assert ended.result["outcome"] == "published"


# -- what it costs again -----------------------------------------------------------------------------------------


def test_of_36_monthly_files_one_that_changed_is_one_partial_state_to_compute(shop: Shop, data: Path) -> None:
    months = {f"{month}.parquet": some_calls(3, month=month) for month in range(36)}
    put(data, months)
    first = _run(shop())
    put(data, months | {"35.parquet": some_calls(4, month=35)})

    second = _run(shop())

    assert first.result is not None
    assert second.result is not None
    assert (first.result["states_built"], second.result["states_built"], second.result["rows"]) == (36, 1, 109)


def test_digests_of_unchanged_files_add_up_to_those_of_the_whole_dataset(shop: Shop, data: Path, shelf: Shelf) -> None:
    months = {f"{month}.parquet": some_calls(20, month=month) for month in range(4)}
    put(data, months)
    _build(shop())
    changed = {"1.parquet": some_calls(25, month=1), "2.parquet": months["2.parquet"], "3.parquet": months["3.parquet"]}
    put(data, changed)

    _build(shop())

    days = msgspec.json.decode(_shelved(shelf)["days"], type=Digests)
    assert days == day_digests(pl.concat(changed.values()).lazy(), "UTC")


def test_the_audit_of_a_small_change_asks_for_the_days_that_changed(shop: Shop, data: Path, shelf: Shelf) -> None:
    months = {f"{month}.parquet": some_calls(48, month=month) for month in range(4)}
    put(data, months)
    _build(shop())
    put(data, months | {"2.parquet": some_calls(49, month=2)})

    _build(shop())

    report = msgspec.json.decode(_shelved(shelf)["audit"])
    changed = report["questions"][1]
    assert (changed["from"], changed["to"]) == ("2026-05-04", "2026-05-05")


def test_files_whose_times_overlap_are_one_dataset_like_any_other(shop: Shop, data: Path, shelf: Shelf) -> None:
    calls = some_calls(40)
    dataset_hash = put(data, {"even.parquet": calls.gather_every(2), "odd.parquet": calls.gather_every(2, 1)})

    done = _build(shop(audit_queries=100))

    assert (done["rows"], done["states_built"]) == (40, 2)
    assert _published(shelf) == dataset_hash


def test_the_way_back_to_yesterdays_manifest_is_one_step(shop: Shop, data: Path, shelf: Shelf) -> None:
    yesterday = put(data, {"calls.parquet": some_calls(40)})
    _build(shop())
    kept = (data / "manifest.json").read_bytes()
    put(data, {"calls.parquet": some_calls(41)})
    _build(shop())
    (data / "manifest.json").write_bytes(kept)

    done = _build(shop())

    assert done["from_shelf"]
    assert _published(shelf) == yesterday


def test_arrays_that_are_gone_from_this_machine_are_made_again_before_anybody_is_pointed_at_them(
    shop: Shop, data: Path, shelf: Shelf
) -> None:
    put(data, {"calls.parquet": some_calls(40)})
    workshop = shop()
    _build(workshop)
    current = shelf.current()
    assert current is not None
    workshop.arrays.prune(())

    done = _build(workshop)

    assert "from_shelf" not in done
    assert done["states_built"] == 0
    assert workshop.arrays.has(current.version)


def test_only_what_kept_versions_need_stays_on_the_machine(
    shop: Shop, data: Path, shelf: Shelf, tmp_path: Path
) -> None:
    for count in range(40, 46):
        put(data, {"calls.parquet": some_calls(count)})
        _build(shop())

    kept = {entry.card.version for entry in shelf.history()}
    assert len(kept) == 3
    assert Arrays(tmp_path / "home").versions() == kept
    assert len(list((tmp_path / "home" / "datasets").glob("*.parquet"))) == 3


def test_a_damaged_copy_on_this_machine_is_fetched_again(shop: Shop, data: Path) -> None:
    put(data, {"calls.parquet": some_calls(40)})
    workshop = shop()
    path = workshop.pinned.path(workshop.source.read().files[0])
    document = bytearray(path.read_bytes())
    document[4:200] = b"\0" * 196
    path.write_bytes(document)

    first = _run(workshop)
    second = _run(workshop)

    assert first.reason is not None
    assert (first.state, first.reason.code) == ("failed", "DATA_MISMATCH")
    assert (second.id, second.state, second.attempts) == (first.id, "succeeded", 2)


# -- what a Redis that was lost costs ----------------------------------------------------------------------------


def test_a_version_that_redis_lost_is_published_again_from_this_machine(shop: Shop, data: Path, redis: Redis) -> None:
    put(data, {"a.parquet": some_calls(30), "b.parquet": some_calls(20, month=1)})
    workshop = shop()
    _build(workshop)
    before = _shelved(workshop.shelf)
    redis.flushall()

    done = _build(workshop)

    assert (done["from_disk"], done["states_built"], done["rows"]) == (True, 0, 50)
    assert _shelved(workshop.shelf) == before


def test_a_version_whose_parts_are_damaged_here_is_built_again(shop: Shop, data: Path, redis: Redis) -> None:
    put(data, {"calls.parquet": some_calls(30)})
    workshop = shop()
    _build(workshop)
    (parts,) = (data.parent / "home" / "versions").glob("*/parts.msgpack")
    parts.write_bytes(parts.read_bytes()[:-1] + b"!")
    redis.flushall()

    done = _build(workshop)

    assert (done["outcome"], done["from_disk"], done["states_built"]) == ("published", False, 0)


def test_another_machine_computes_no_state_that_lies_beside_the_dataset(
    shop: Shop, data: Path, tmp_path: Path, redis: Redis
) -> None:
    put(data, {"a.parquet": some_calls(30), "b.parquet": some_calls(20, month=1)})
    _build(shop())
    mine = _shelved(shop().shelf)
    redis.flushall()
    elsewhere = tmp_path / "another"

    done = _build(shop(pinned=Pinned(elsewhere, shop().source), arrays=Arrays(elsewhere)))

    theirs = _shelved(shop().shelf)
    assert (done["from_disk"], done["states_built"]) == (False, 0)
    assert {part: theirs[part] for part in theirs if part.startswith("state:")} == {
        part: mine[part] for part in mine if part.startswith("state:")
    }


def test_a_damaged_state_beside_the_dataset_is_computed_again_and_the_log_says_so(
    shop: Shop, data: Path, redis: Redis
) -> None:
    dataset_hash = put(data, {"calls.parquet": some_calls(30)})
    _build(shop())
    (state,) = (data / "_states").glob("*/*")
    whole = state.read_bytes()
    state.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    redis.flushall()

    with capture_logs() as said:
        done = _build(shop(arrays=Arrays(data.parent / "another")))

    told = [line for line in said if line["event"] == "state.computed_again"]
    assert [(line["file"], line["code"]) for line in told] == [(dataset_hash, "DATA_MISMATCH")]
    assert (done["states_built"], state.read_bytes()) == (1, whole)


def test_a_state_under_the_name_of_another_file_is_not_taken_for_its_own(shop: Shop, data: Path, redis: Redis) -> None:
    put(data, {"a.parquet": some_calls(30), "b.parquet": some_calls(20, month=1)})
    _build(shop())
    one, other = (data / "_states").glob("*/*")
    shutil.copy(one, other)
    redis.flushall()

    done = _build(shop(arrays=Arrays(data.parent / "another"), audit_queries=30))

    assert (done["states_built"], done["rows"]) == (1, 50)


def test_a_place_beside_the_dataset_that_takes_no_states_is_said_once_and_fails_no_build(
    shop: Shop, data: Path
) -> None:
    put(data, {"a.parquet": some_calls(30), "b.parquet": some_calls(20, month=1)})
    (data / "_states").write_bytes(b"a file where the folder would be")

    with capture_logs() as said:
        ended = _run(shop())

    assert ended.state == "succeeded"
    assert [line["code"] for line in said if line["event"] == "states.not_kept_beside"] == ["DATASET_NOT_WRITABLE"]


def test_states_beside_the_dataset_do_not_pile_up(shop: Shop, data: Path) -> None:
    for count in range(30, 40):
        put(data, {"calls.parquet": some_calls(count)})
        _build(shop())

    # Of three kept versions, and of three others.
    assert len(list((data / "_states").glob("*/*"))) == 6


# -- what it refuses ---------------------------------------------------------------------------------------------


def _damaged() -> bytes:
    buffer = io.BytesIO()
    some_calls(40).write_parquet(buffer, compression="uncompressed")
    return buffer.getvalue()


_BAD: dict[str, tuple[Callable[[Path], object], str, bool]] = {
    "no parquet at all": (lambda data: put(data, {"calls.parquet": b"not parquet"}), "DATA_CORRUPT", False),
    "cut in the middle, with a hash that fits": (
        lambda data: put(data, {"calls.parquet": _damaged()[:1500]}), "DATA_CORRUPT", False,
    ),
    "an empty file": (lambda data: put(data, {"calls.parquet": b""}), "DATA_CORRUPT", False),
    "half-written: another hash": (
        lambda data: put(data, {"calls.parquet": some_calls(40)}, hash="0" * 64), "DATA_MISMATCH", True,
    ),
    "another size than promised": (
        lambda data: put(data, {"calls.parquet": some_calls(40)}, size_bytes=7), "DATA_MISMATCH", True,
    ),
    "other rows than promised": (
        lambda data: put(data, {"calls.parquet": some_calls(40)}, row_count=41), "MANIFEST_INVALID", False,
    ),
    "columns promised that are not there": (
        lambda data: put(data, {"calls.parquet": some_calls(40)}, columns=["call_id", "mood"]), "SCHEMA_INVALID", False,
    ),
    "no column for the start": (
        lambda data: put(data, {"calls.parquet": some_calls(40).drop("started_at")}), "SCHEMA_INVALID", False,
    ),
    "a rating of nine": (
        lambda data: put(data, {"calls.parquet": some_calls(40).with_columns(rating=pl.lit(9, pl.Int8))}),
        "SCHEMA_INVALID", False,
    ),
    "one id twice": (
        lambda data: put(data, {"calls.parquet": some_calls(40).with_columns(call_id=pl.lit("x"))}),
        "SCHEMA_INVALID", False,
    ),
    "one id in two files": (
        lambda data: put(data, {"1.parquet": some_calls(40), "2.parquet": some_calls(10, month=0)}),
        "SCHEMA_INVALID", False,
    ),
    "times that are words": (
        lambda data: put(data, {"calls.parquet": some_calls(40).with_columns(started_at=pl.lit("soon"))}),
        "SCHEMA_INVALID", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", _BAD)
def test_bad_data_is_refused_with_its_reason_and_the_old_version_stays(
    shop: Shop, data: Path, shelf: Shelf, case: str
) -> None:
    before = put(data, {"calls.parquet": some_calls(30)})
    _build(shop())
    spoil, code, passing = _BAD[case]
    spoil(data)

    ended = _run(shop())

    assert ended.reason is not None
    assert (ended.state, ended.reason.code) == ("failed", code)
    assert ended.reason.message
    assert (ended.next_attempt_at is not None) is passing
    assert _published(shelf) == before


def test_files_that_share_a_call_are_refused_although_each_was_built_before(shop: Shop, data: Path) -> None:
    put(data, {"1.parquet": some_calls(40)})
    _build(shop())
    put(data, {"2.parquet": some_calls(10)})
    _build(shop())
    put(data, {"1.parquet": some_calls(40), "2.parquet": some_calls(10)})

    ended = _run(shop())

    assert ended.reason is not None
    assert "10 calls have the id of a call in another file" in ended.reason.message


def test_a_file_that_is_not_there_yet_is_waited_for(shop: Shop, data: Path, shelf: Shelf) -> None:
    dataset_hash = put(data, {"calls.parquet": some_calls(40)})
    aside = shutil.move(data / "calls.parquet", data / "elsewhere")

    first = _run(shop())
    shutil.move(aside, data / "calls.parquet")
    second = _run(shop())

    assert first.reason is not None
    assert (first.reason.code, first.next_attempt_at is not None) == ("DATA_MISSING", True)
    assert (second.id, second.attempts, second.state) == (first.id, 2, "succeeded")
    assert _published(shelf) == dataset_hash


def test_a_rollup_that_disagrees_with_the_rows_is_not_published(
    shop: Shop, data: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(data, {"calls.parquet": some_calls(40)})
    real = build_module.audit

    def of_other_rows(aggregates: Aggregates, calls: pl.LazyFrame, queries: int, seed: int, _: object) -> object:
        return real(aggregates, calls.head(39), queries, seed)

    monkeypatch.setattr(build_module, "audit", of_other_rows)

    ended = _run(shop(audit_queries=30))

    assert ended.reason is not None
    assert (ended.reason.code, ended.next_attempt_at) == (AuditFailed.code, None)
    assert ended.reason.facts["mismatches"]
    assert shelf.current() is None


def test_a_build_whose_dataset_is_not_the_live_one_any_more_is_superseded(shop: Shop, data: Path, shelf: Shelf) -> None:
    put(data, {"calls.parquet": some_calls(40)})
    workshop = shop()
    old = _record(workshop)
    put(data, {"calls.parquet": some_calls(41)})

    with pytest.raises(CalledOff):
        build(workshop, old, Progress(workshop.records, old))
    run_build(workshop, old.id, old.attempts, worker="here")

    ended = workshop.records.get(old.id)
    assert ended is not None
    assert ended.reason is not None
    assert (ended.state, ended.reason.code) == ("cancelled", "SUPERSEDED")
    assert ended.reason.facts["wanted"] == workshop.wanted(workshop.source.read())
    assert shelf.current() is None


def test_a_build_that_was_asked_for_before_a_rollback_is_called_off(shop: Shop, data: Path, shelf: Shelf) -> None:
    put(data, {"calls.parquet": some_calls(20)})
    _build(shop())
    first = shelf.history()[0].card
    put(data, {"calls.parquet": some_calls(30)})
    workshop = shop()
    wanted = workshop.wanted(workshop.source.read())
    record = _record(workshop)
    rollback = Rollback(by="ada", at=workshop.records.clock(), over=wanted)
    shelf.activate(first.version, shelf.next_sequence(), first.dataset_hash, rollback=rollback)

    run_build(workshop, record.id, record.attempts, worker="worker")

    ended = workshop.records.get(record.id)
    assert ended is not None
    assert ended.reason is not None
    assert (ended.state, ended.reason.code, ended.reason.facts) == ("cancelled", "ROLLED_BACK", {"by": "ada"})
    assert _published(shelf) == first.dataset_hash


def test_a_refresh_that_finds_the_data_that_was_gone_back_from_asks_for_nothing(
    shop: Shop, data: Path, shelf: Shelf
) -> None:
    put(data, {"calls.parquet": some_calls(20)})
    _build(shop())
    first = shelf.history()[0].card
    put(data, {"calls.parquet": some_calls(30)})
    workshop = shop()
    rollback = Rollback(by="ada", at=workshop.records.clock(), over=workshop.wanted(workshop.source.read()))
    shelf.activate(first.version, shelf.next_sequence(), first.dataset_hash, rollback=rollback)

    ended = _refreshed(workshop)

    assert ended.result is not None
    assert (ended.state, ended.result["changed"], "build" in ended.result) == ("succeeded", False, False)


def test_a_crash_is_a_failure_too_and_says_what_crashed(shop: Shop, data: Path) -> None:
    put(data, {"calls.parquet": some_calls(40)})

    def broken(*_: object) -> object:
        raise ZeroDivisionError("division by zero")

    ended = _run(shop(prepare=broken))

    assert ended.reason is not None
    assert (ended.state, ended.reason.code, ended.stage) == ("failed", SupportApiError.code, "prepare")
    assert "ZeroDivisionError" in ended.reason.message
    assert ended.next_attempt_at is None


def test_a_dataset_without_any_call_can_be_published(shop: Shop, data: Path, shelf: Shelf) -> None:
    dataset_hash = put(data, {"calls.parquet": some_calls(0)})

    ended = _run(shop())

    assert (ended.state, ended.reason) == ("succeeded", None)
    assert _published(shelf) == dataset_hash
    assert shelf.history()[0].card.as_of is None


# -- refresh -----------------------------------------------------------------------------------------------------


def _refreshed(workshop: Workshop) -> JobRecord:
    record = workshop.queue.request_refresh("admin")
    run_refresh(workshop, record.id, record.attempts, worker="here")
    ended = workshop.records.get(record.id)
    assert ended is not None
    return ended


def test_a_refresh_runs_its_command_and_asks_for_the_build_of_what_it_made(
    shop: Shop, data: Path, tmp_path: Path
) -> None:
    put(tmp_path / "next", {"calls.parquet": some_calls(41)})
    put(data, {"calls.parquet": some_calls(40)})
    workshop = shop(refresh_command=f"cp {tmp_path}/next/calls.parquet {tmp_path}/next/manifest.json {data}")
    _build(workshop)

    ended = _refreshed(workshop)

    assert (ended.state, ended.reason) == ("succeeded", None)
    assert ended.result is not None
    assert ended.result["changed"]
    asked = workshop.records.get(ended.result["build"])
    assert asked is not None
    assert (asked.state, asked.requested_by) == ("queued", "admin")
    assert asked.version == workshop.wanted(workshop.source.read())


def test_a_refresh_that_changes_nothing_asks_for_nothing(shop: Shop, data: Path) -> None:
    put(data, {"calls.parquet": some_calls(40)})
    workshop = shop()
    _build(workshop)

    ended = _refreshed(workshop)

    assert ended.result is not None
    assert (ended.state, ended.result["changed"], "build" in ended.result) == ("succeeded", False, False)


def test_a_refresh_whose_command_fails_says_so_with_its_last_words(shop: Shop, data: Path) -> None:
    put(data, {"calls.parquet": some_calls(40)})

    ended = _refreshed(shop(refresh_command="python3 -c 'raise SystemExit(\"no such bucket\")'"))

    assert ended.reason is not None
    assert (ended.state, ended.reason.code) == ("failed", "REFRESH_FAILED")
    assert "no such bucket" in ended.reason.facts["output"]
    assert ended.next_attempt_at is None


def test_a_refresh_that_leaves_a_broken_manifest_says_so(shop: Shop, data: Path) -> None:
    put(data, {"calls.parquet": some_calls(40)})
    workshop = shop(refresh_command=f"cp /dev/null {data}/manifest.json")

    ended = _refreshed(workshop)

    assert ended.reason is not None
    assert ended.reason.code == ManifestInvalid.code


def test_a_card_can_be_read_by_a_release_that_knows_fewer_fields(shop: Shop, data: Path, shelf: Shelf) -> None:
    put(data, {"calls.parquet": some_calls(5)})
    _build(shop())
    version = shelf.history()[0].card.version
    document = msgspec.json.decode(shelf.read(version, "card")["card"]) | {"new_field": 1}

    assert msgspec.json.decode(msgspec.json.encode(document), type=VersionCard).version == version
