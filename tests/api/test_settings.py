from __future__ import annotations

import pytest

from tests.api.world import Api, World, serving

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
