from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from supportapi.dataset.ingest import ingest
from supportapi.snapshots.freshness import Turn
from supportapi.snapshots.sightings import WorkerBeat
from tests.api.world import Api, World, clock, serving

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_a_refresh_is_a_job_to_look_at(api: Api) -> None:
    accepted = await api.client.post("/api/settings/refresh", headers=api.bearer("admin"))
    again = await api.client.post("/api/settings/refresh", headers=api.bearer("admin"), json={"run_command": True})

    job = accepted.json()["data"]
    assert (accepted.status_code, job["kind"], job["state"]) == (202, "refresh", "queued")
    assert again.json()["data"]["id"] == job["id"]
    found = await api.get(accepted.headers["location"], "admin")
    assert found.json()["data"]["requested_by"] == "admin"


async def test_reading_the_manifest_again_is_a_build(api: Api) -> None:
    body = {"run_command": False}

    accepted = await api.client.post("/api/settings/refresh", headers=api.bearer("admin"), json=body)

    assert (accepted.status_code, accepted.json()["data"]["kind"]) == (202, "build")


async def test_jobs_are_listed_newest_first(api: Api) -> None:
    await api.client.post("/api/settings/refresh", headers=api.bearer("admin"))

    body = (await api.get("/api/settings/jobs", "admin")).json()

    assert [job["kind"] for job in body["data"]] == ["refresh", "build"]
    assert body["data"][1]["state"] == "succeeded"
    assert (await api.get("/api/settings/jobs?limit=1", "admin")).json()["meta"]["total"] == 1


async def test_a_refresh_that_is_switched_off_is_refused(world: World) -> None:
    async with serving(world, refresh_enabled=False) as api:
        response = await api.client.post("/api/settings/refresh", headers=api.bearer("admin"))

    assert (response.status_code, response.json()["error"]["code"]) == (403, "REFRESH_DISABLED")


async def test_an_unknown_body_field_is_named(api: Api) -> None:
    response = await api.client.post("/api/settings/refresh", headers=api.bearer("admin"), json={"run_comand": True})

    assert response.status_code == 422
    assert "run_command" in response.json()["error"]["details"][0]["message"]


async def test_the_manifest_says_what_is_served(api: Api) -> None:
    data = (await api.get("/api/settings/manifest")).json()["data"]

    assert data["served_version"] == data["wanted_version"]
    assert (data["rows"], data["stale"], data["error_code"]) == (60, False, None)


# -- what an operator looks at -------------------------------------------------------------------------------------


async def test_stale_times_are_told_with_their_length(api: Api, world: World) -> None:
    began = datetime(2026, 1, 5, 12, tzinfo=UTC)
    world.shelf.note_turn(Turn(at=began, cause="manifest_changed", version="ad43f40cfa79570f"))
    world.shelf.note_turn(Turn(at=began + timedelta(seconds=90), cause=None))

    data = (await api.get("/api/settings/freshness", "admin")).json()["data"]

    assert (data["since"], data["stale_seconds"]) == ("2026-01-05T12:00:00Z", 90.0)
    assert data["stale"] == [
        {
            "cause": "manifest_changed",
            "version": "ad43f40cfa79570f",
            "began_at": "2026-01-05T12:00:00Z",
            "ended_at": "2026-01-05T12:01:30Z",
            "seconds": 90.0,
        }
    ]


async def test_where_nothing_is_remembered_nothing_is_called_fresh(api: Api) -> None:
    data = (await api.get("/api/settings/freshness", "admin")).json()["data"]

    assert (data["since"], data["stale"]) == (None, [])


async def test_the_queue_says_what_waits_and_who_is_there(api: Api, world: World) -> None:
    accepted = await api.client.post("/api/settings/refresh", headers=api.bearer("admin"))
    job_id = accepted.json()["data"]["id"]
    beat = WorkerBeat(name="busy", host="web1", pid=7, seen_at=clock(), job=f"{job_id}-1")
    world.shelf.beat(beat, 600)

    data = (await api.get("/api/settings/queue", "admin")).json()["data"]

    assert data["waiting"] == 2  # the build of `publish` was run without taking it from the queue
    assert [(worker["name"], worker["job_id"]) for worker in data["workers"]] == [("busy", job_id), ("worker", None)]
    assert (data["watcher"]["name"], data["watcher"]["silent"]) == ("w", False)


async def test_rejects_are_null_where_no_ingest_has_left_a_report(api: Api) -> None:
    answer = await api.get("/api/settings/rejects", "admin")

    assert (answer.status_code, answer.json()) == (200, {"data": None})


async def test_rejects_of_the_last_ingest_are_shown(api: Api, world: World, tmp_path: Path) -> None:
    raw = tmp_path / "calls.csv"
    raw.write_text("call_id,started_at\na,2026-01-05T12:00:00Z\nb,never\n")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('name = "test"\ntime_zone = "UTC"\n[columns]\ncall_id = "call_id"\nstarted_at = "started_at"\n')
    ingest([raw], mapping, world.data)

    data = (await api.get("/api/settings/rejects?limit=5", "admin")).json()["data"]

    assert (data["outcome"], data["read"], data["written"], data["rejected"]) == ("written", 2, 1, 1)
    assert [(row["line"], row["original"]["call_id"]) for row in data["rows"]] == [(3, "b")]


async def test_users_are_listed_without_their_secrets(api: Api) -> None:
    answer = await api.get("/api/auth/users", "admin")

    assert answer.json() == {
        "data": [
            {"username": "admin", "role": "admin", "regions": None, "origin": "sample"},
            {
                "username": "europe",
                "role": "viewer",
                "regions": ["Central Europe", "Southern Europe", "UK & Ireland"],
                "origin": "sample",
            },
            {"username": "viewer", "role": "viewer", "regions": None, "origin": "sample"},
        ],
        "meta": {"total": 3},
    }
