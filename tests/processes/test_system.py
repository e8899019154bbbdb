"""`supportapi status` and `supportapi doctor` on a real Redis, with what watcher and workers left there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from supportapi.cli import main
from supportapi.errors import DataCorrupt
from supportapi.processes.redis_server import embedded_redis
from supportapi.refresh.queue import end_with
from tests.api.world import World, clock, some_calls
from tests.processes.machine import free_port

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path, redis_url: str) -> World:
    """A dataset that nobody has built yet."""
    world = World(tmp_path, redis_url)
    world.write(some_calls())
    return world


def run(world: World, *words: str, **environ: str) -> Result:
    """`supportapi WORDS` for that world."""
    settings = {
        "REDIS_URL": world.redis_url,
        "SUPPORTAPI_HOME": str(world.home),
        "MANIFEST_PATH": str(world.data / "manifest.json"),
        "PORT": str(free_port()),
    }
    return CliRunner().invoke(main, words, env=settings | environ)


def parsed(result: Result) -> Any:
    return msgspec.json.decode(result.stdout)


def test_a_system_in_order_is_shown_in_a_few_lines_and_exits_with_0(world: World) -> None:
    version = world.publish()

    shown = run(world, "status")

    assert shown.exit_code == 0
    assert f"version   {version}, built " in shown.stdout
    assert "60 calls" in shown.stdout
    assert "stale     no" in shown.stdout
    assert "workers   worker (idle)" in shown.stdout
    assert "failed    nothing lately" in shown.stdout


def test_programs_are_told_the_same(world: World) -> None:
    version = world.publish()
    world.queue.request_refresh("somebody")  # nobody takes it

    told = parsed(run(world, "status", "--json"))

    assert (told["served"]["version"], told["served"]["rows"], told["stale"]) == (version, 60, False)
    assert told["served"]["age_seconds"] < 120
    assert told["watcher"]["silent"] is False
    assert told["queued"] == 2  # a build of the tests is run beside the queue
    assert (told["workers"], told["failures"]) == ([{"name": "worker", "job": None}], [])


def test_a_failed_build_is_listed_with_its_code_and_what_is_served_is_called_stale(world: World) -> None:
    world.publish()
    record = world.queue.request_build("f" * 16, "0" * 64, "test")
    end_with(world.records, record, DataCorrupt("torn"))
    world.see(version="f" * 16, error_code="DATA_CORRUPT", error_message="torn", error_job=record.id)

    shown = run(world, "status")

    assert shown.exit_code == 1
    assert "stale     yes: build_failed" in shown.stdout
    assert f"{record.id} DATA_CORRUPT: torn" in shown.stdout


def test_before_the_first_version_nothing_is_called_stale_or_fresh(world: World) -> None:
    shown, told = run(world, "status"), parsed(run(world, "status", "--json"))

    assert shown.exit_code == 1
    assert "none is published yet" in shown.stdout
    assert (told["served"], told["stale"], told["watcher"]) == (None, None, None)


def test_a_redis_of_our_own_is_found_without_its_address_and_none_is_started(world: World) -> None:
    with embedded_redis(world.home):
        running = run(world, "status", REDIS_URL="")
    ended = run(world, "status", REDIS_URL="")

    assert "none is published yet" in running.stdout
    assert ended.exit_code == 1
    assert "nothing of the system runs here" in ended.stderr


def test_the_doctor_names_each_part_that_does_not_run_with_its_remedy(world: World) -> None:
    world.publish()
    world.see(seen_at=clock() - timedelta(minutes=5))
    world.shelf.end_beat("worker")

    examined = {each["check"]: each for each in parsed(run(world, "doctor", "--json"))}

    assert {name for name, each in examined.items() if each["ok"]} == {
        "home", "users", "redis", "dataset", "port", "sample users", "manifest",
    }  # fmt: skip
    assert {name for name, each in examined.items() if not each["ok"]} == {
        "api", "watcher", "worker", "queue", "version",
    }  # fmt: skip
    assert "supportapi watcher" in examined["watcher"]["remedy"]
    assert "watcher_silent" in examined["version"]["what"]


def test_the_doctor_says_what_people_should_do_and_exits_as_a_start_would(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    refused = run(world, "doctor", SUPPORTAPI_HOME=str(tmp_path / "file"), SECRET_KEY="of these tests")
    waiting = run(world, "doctor", REDIS_URL="redis://:hunter2@127.0.0.1:1/0")

    assert (refused.exit_code, waiting.exit_code) == (78, 1)
    assert "REFUSED home: " in refused.stdout
    assert "-> Make it writable for this user, or set SUPPORTAPI_HOME" in refused.stdout
    assert "-> Start it, or mend REDIS_URL" in waiting.stdout
    assert "hunter2" not in waiting.output
