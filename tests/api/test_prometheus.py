"""What a scrape says of the data, the jobs and Redis. tests/ops holds rules, board and documentation beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.world import Api, World, serving, settle, some_calls

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def scraped(api: Api) -> dict[str, float]:
    """Every sample without a label of its own by its name, the others as `name{value,...}`."""
    samples = [
        sample
        for family in text_string_to_metric_families((await api.client.get("/metrics")).text)
        for sample in family.samples
    ]
    assert {sample.labels.pop("process") for sample in samples} == {str(os.getpid())}
    return {
        sample.name + (f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""): sample.value
        for sample in samples
    }


async def test_it_says_what_is_served_and_that_it_is_the_newest(api: Api, world: World) -> None:
    world.see(rejected_rows=7)
    await settle(lambda: api.doors.follower.seen.manifest.rejected_rows == 7)

    said = await scraped(api)

    assert (said["supportapi_ready"], said["supportapi_stale"], said["supportapi_staleness_seconds"]) == (1, 0, 0)
    assert (said["supportapi_rows"], said["supportapi_dataset_rows"], said["supportapi_dataset_rejected_rows"]) == (
        60,
        60,
        7,
    )
    assert 0 < said["supportapi_version_age_seconds"] < 120
    assert said["supportapi_data_age_seconds"] > 86_400
    assert said["process_resident_memory_bytes"] > 1 << 24
    assert said["supportapi_redis_memory_bytes"] < said["supportapi_redis_memory_limit_bytes"]


async def test_staleness_is_counted_from_when_it_began_and_ends_with_it(api: Api, world: World) -> None:
    world.see(version="f" * 16)
    await settle(lambda: api.doors.follower.current.stale_reason == "manifest_changed")
    first = await scraped(api)
    world.see(version="f" * 16, error_code="DATA_CORRUPT", error_message="torn", error_job="build-f-1")
    await settle(lambda: api.doors.follower.current.stale_reason == "build_failed")
    second = await scraped(api)
    world.see()
    await settle(lambda: api.doors.follower.current.stale_reason is None)
    third = await scraped(api)

    assert 0 < first["supportapi_staleness_seconds"] < second["supportapi_staleness_seconds"]
    assert third["supportapi_staleness_seconds"] == 0
    assert second["supportapi_check_ok{manifest}"] == 0
    assert third["supportapi_check_ok{manifest}"] == 1


async def test_jobs_that_wait_attempts_that_ended_and_stages_are_counted_for_all_processes(world: World) -> None:
    world.write(some_calls(30))
    world.publish()
    world.queue.request_refresh("somebody")  # nobody takes it
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.seen.totals is not None)

        said = await scraped(api)

    stages = {name for name in said if name.startswith("supportapi_build_stage_seconds_count")}
    assert said["supportapi_jobs_queued"] == 3  # a build of the tests is run beside the queue
    assert said["supportapi_job_attempts_total{build,succeeded}"] == 2
    assert len(stages) == 8
    assert {said[name] for name in stages} == {2}
    assert said["supportapi_build_stage_seconds_sum{audit}"] > 0


async def test_what_is_not_known_without_redis_is_absent_and_not_zero(empty_world: World, tmp_path: Path) -> None:
    async with serving(empty_world, tmp_path / "home", redis_url="redis://127.0.0.1:1/0") as api:
        said = await scraped(api)

    assert (said["supportapi_ready"], said["supportapi_redis_up"]) == (0, 0)
    assert not {"supportapi_workers", "supportapi_jobs_queued", "supportapi_rows", "supportapi_redis_memory_bytes"} & {
        *said
    }
