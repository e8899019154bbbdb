"""What becomes of a dataset, or of its manifest: what is good is served, what is not is refused by name."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.faults.witness import asking
from tests.processes.machine import until
from tests.refresh.datasets import put, some_calls

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.system import System

Spoil = Callable[["Path"], object]
_CALLS = some_calls(33)


def _bytes() -> bytearray:
    buffer = io.BytesIO()
    _CALLS.write_parquet(buffer)
    return bytearray(buffer.getvalue())


def _flipped(place: int) -> bytes:
    document = _bytes()
    document[place] ^= 0x10
    return bytes(document)


def _manifest(text: str) -> Spoil:
    return lambda folder: (folder / "manifest.json").write_text(text)


_OUTSIDE = json.dumps({"path": "../../etc/passwd", "hash": "0" * 64})


BUILDS: dict[str, tuple[Spoil, str]] = {
    "truncated": (lambda folder: put(folder, {"calls.parquet": bytes(_bytes()[:-900])}), "DATA_CORRUPT"),
    "a bit of its end flipped": (lambda folder: put(folder, {"calls.parquet": _flipped(-30)}), "DATA_CORRUPT"),
    "a bit flipped on the way": (
        lambda folder: put(folder, {"calls.parquet": _flipped(99)}, hash="a" * 64), "DATA_MISMATCH",
    ),
    "of another schema": (
        lambda folder: put(folder, {"calls.parquet": pl.DataFrame({"mood": ["fine"]})}), "SCHEMA_INVALID",
    ),
    "without the column of the start": (
        lambda folder: put(folder, {"calls.parquet": _CALLS.drop("started_at")}), "SCHEMA_INVALID",
    ),
    "with other rows than promised": (
        lambda folder: put(folder, {"calls.parquet": _CALLS}, row_count=7), "MANIFEST_INVALID",
    ),
    "not there": (
        lambda folder: (put(folder, {"calls.parquet": some_calls(34)}), (folder / "calls.parquet").unlink()),
        "DATA_MISSING",
    ),
}  # fmt: skip
MANIFESTS: dict[str, tuple[Spoil, str]] = {
    "half-written": (_manifest('{"path": "calls.parq'), "MANIFEST_INVALID"),
    "pointing outside of its folder": (_manifest(_OUTSIDE), "MANIFEST_INVALID"),
    "not there": (lambda folder: (folder / "manifest.json").unlink(), "MANIFEST_MISSING"),
}
GOOD: dict[str, pl.DataFrame] = {
    "one more column": _CALLS.with_columns(mood=pl.lit("fine")),
    "no column of the region": _CALLS.drop("region"),
    "one row": some_calls(1),
    "no row": some_calls(0),
}


@pytest.mark.parametrize("case", BUILDS)
def test_a_file_that_is_no_dataset_is_refused_by_name_and_the_old_one_is_served(system: System, case: str) -> None:
    api, worker = system.member("api"), system.member("worker")
    spoil, code = BUILDS[case]
    with asking(api) as (witness,):
        spoil(system.data)
        until(lambda: api.failing() == {code})
        until(lambda: api.ready()["stale_reason"] == "build_failed")
        until(lambda: api.metric("supportapi_job_attempts_total", kind="build", outcome=code))
        system.settle()

    assert worker.events("build.failed")[-1]["code"] == code
    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_is_none_is_refused_by_name_and_the_old_dataset_is_served(system: System, case: str) -> None:
    api, watcher = system.member("api"), system.member("watcher")
    spoil, code = MANIFESTS[case]
    with asking(api) as (witness,):
        spoil(system.data)
        until(lambda: api.failing() == {code})
        until(lambda: api.ready()["stale_reason"] == "manifest_unreadable")
        seen = watcher.events("manifest.seen")[-1]
        system.settle()

    assert seen["code"] == code
    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])


@pytest.mark.parametrize("case", GOOD)
def test_a_dataset_of_another_shape_is_one_if_it_is_made_of_calls(system: System, case: str) -> None:
    api = system.member("api")
    with asking(api) as (witness,):
        dataset_hash = system.put(GOOD[case])
        until(lambda: system.served(api) == dataset_hash)
        _, said = api.ask("/api/metrics?range=all")
        system.settle()

    assert said["data"]["kpis"][0]["value"] == GOOD[case].height
    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])


@pytest.mark.faults
def test_a_manifest_that_flaps_ten_times_a_second_is_served_once_it_rests(system: System) -> None:
    api = system.member("api")
    with asking(api) as (witness,):
        _flap(system)
        last = system.settle()

    open_jobs = [record for record in system.records.list() if record.open]
    assert system.served(api) == last
    assert len(open_jobs) <= 4
    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])


def _flap(system: System) -> None:
    """Ten times a second for ten seconds: between two datasets, then from one new one to the next."""
    two = [some_calls(33), some_calls(34)]
    for number in range(100):
        system.put(two[number % 2] if number < 50 else None)
        time.sleep(0.1)
