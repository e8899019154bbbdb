from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest
from prometheus_client.parser import text_string_to_metric_families

from supportapi.refresh.job import run_build
from supportapi.refresh.watch import Watcher
from supportapi.rollups.states import STATE_FORMAT, partial_state
from supportapi.snapshots.keys import state_key
from tests.api.world import ZONES, settle, some_calls

if TYPE_CHECKING:
    from supportapi.refresh.records import JobRecord
    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio


async def test_the_audit_of_a_version_shows_every_question_and_how_near_both_answers_came(api: Api) -> None:
    version = (await api.get("/api/versions")).json()["data"][0]["version"]

    response = await api.get(f"/api/versions/{version}/audit")

    data: dict[str, Any] = response.json()["data"]
    everything = data["questions"][0]
    assert (response.status_code, data["queries"], len(data["questions"])) == (200, 3, 3)
    assert data["seconds"] > 0
    assert data["values"] == sum(question["values"] for question in data["questions"])
    assert everything["calls"] == {"measure": "calls", "cell": None, "expected": 60.0, "found": 60.0}
    assert (everything["from"], everything["to"], everything["timezone"]) == ("2026-01-05", "2026-01-25", "UTC")
    assert [question["mismatches"] for question in data["questions"]] == [[], [], []]
    assert everything["largest_deviation"]["measure"].startswith(("wait_p", "duration_p"))


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("current", 200, None), ("previous", 404, "NOT_FOUND"), ("f" * 16, 410, "VERSION_GONE"), ("x", 404, "NOT_FOUND")],
)
async def test_a_version_that_is_not_kept_is_refused_with_those_that_are(
    api: Api, name: str, status: int, code: str | None
) -> None:
    response = await api.get(f"/api/versions/{name}/audit")

    error = response.json().get("error", {"code": None, "details": []})
    assert (response.status_code, error["code"]) == (status, code)
    assert [detail["kept"] for detail in error["details"]] == [
        [api.doors.follower.current.snapshot.card.version] for _ in error["details"]
    ]


async def test_one_corrupt_cell_is_never_published_and_is_told_everywhere(api: Api, world: World) -> None:
    served = (await api.get("/api/metrics?range=all")).content
    world.write(some_calls(30))
    _corrupt_one_cell(world)

    failed = _build(world)
    _watcher(world).tick(look=True)
    await settle(lambda: api.doors.follower.current.stale_reason == "build_failed")
    await settle(lambda: ("build", "AUDIT_FAILED") in api.doors.follower.seen.totals.outcomes)

    after = (await api.get("/api/metrics?range=all")).json()
    ready = (await api.client.get("/api/readyz")).json()["data"]
    job = (await api.get(f"/api/settings/jobs/{failed.id}", "admin")).json()["data"]
    counted = _counted((await api.client.get("/metrics")).text)
    assert after["data"] == msgspec.json.decode(served)["data"]
    assert after["meta"]["stale_reason"] == "build_failed"
    assert (ready["status"], [check["code"] for check in ready["checks"] if not check["ok"]]) == (
        "degraded",
        ["AUDIT_FAILED"],
    )
    assert (job["state"], job["reason"]["code"], job["next_attempt_at"]) == ("failed", "AUDIT_FAILED", None)
    wrong = job["reason"]["facts"]["mismatches"][0]
    assert (wrong["calls"]["expected"], wrong["calls"]["found"]) == (90.0, 91.0)
    assert {"measure": "calls", "cell": None, "expected": 90.0, "found": 91.0} in wrong["mismatches"]
    assert counted == {"AUDIT_FAILED": 1, "succeeded": 1}


def _corrupt_one_cell(world: World) -> None:
    """Put the partial state of the live file on the shelf, with one call too many in one cell."""
    manifest = world.source.read()
    state = partial_state(some_calls(30), ZONES)
    one_too_many = pl.col("calls") + (pl.int_range(pl.len()) == 40).cast(pl.Int64)
    cells = {**state.cells, "UTC/base": state.cells["UTC/base"].with_columns(one_too_many)}
    broken = msgspec.structs.replace(state, cells=cells)
    world.shelf.keep_state(state_key(STATE_FORMAT, ZONES, manifest.files[0].hash), broken.encode())


def _build(world: World) -> JobRecord:
    manifest = world.source.read()
    record = world.queue.request_build(world.workshop.wanted(manifest), manifest.hash, "test")
    run_build(world.workshop, record.id, record.attempts, worker="worker")
    ended = world.records.get(record.id)
    assert ended is not None
    return ended


def _watcher(world: World) -> Watcher:
    return Watcher(
        source=world.source,
        manifest_path=None,
        shelf=world.shelf,
        records=world.records,
        queue=world.queue,
        wanted=world.workshop.wanted,
        interval_seconds=15.0,
        name="watcher",
    )


def _counted(exposition: str) -> dict[str, float]:
    (family,) = (
        found for found in text_string_to_metric_families(exposition) if found.name == "supportapi_job_attempts"
    )
    return {sample.labels["outcome"]: sample.value for sample in family.samples}
