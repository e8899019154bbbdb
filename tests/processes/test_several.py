"""Several API processes on one port: each of them is watched, over a connection that it has accepted."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from tests.api.world import BUDGET_MB, ZONES, World, some_calls
from tests.processes.machine import Api, until, worker_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

WORKERS = 3


@pytest.fixture
def world(tmp_path: Path, redis_url: str) -> World:
    return World(tmp_path, redis_url)


@pytest.fixture
def api(world: World, tmp_path: Path) -> Iterator[Api]:
    running = Api(
        tmp_path, API_WORKERS=str(WORKERS), AUTH_ENABLED="false", REDIS_URL=world.redis_url,
        SUPPORTAPI_HOME=str(world.home), MANIFEST_PATH=str(world.data / "manifest.json"),
        REPORTING_TIMEZONES=",".join(ZONES), ROLLUP_BUDGET_MB=str(BUDGET_MB),
    )  # fmt: skip
    yield running
    running.end()


class Watched:
    """One worker, and the versions that it has served, in their order."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection
        self.served: list[str] = []

    def look(self) -> str:
        """Ask which version it serves; its name."""
        self.connection.request("GET", "/api/settings/manifest")
        answer = self.connection.getresponse()
        version = json.loads(answer.read())["data"]["served_version"]
        if version is not None and version not in self.served[-1:]:
            self.served.append(version)
        return worker_of({name.lower(): text for name, text in answer.getheaders()})


@contextmanager
def watching(api: Api) -> Generator[list[Watched]]:
    """Every worker of `api`, asked again and again."""
    each: dict[str, Watched] = {}

    def all_found() -> bool:
        found = Watched(HTTPConnection("127.0.0.1", api.port, timeout=10))
        if each.setdefault(found.look(), found) is not found:
            found.connection.close()
        return len(each) == WORKERS

    until(all_found)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.002):
            for watched in each.values():
                watched.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield list(each.values())
    finally:
        ended.set()
        thread.join()
        for watched in each.values():
            watched.connection.close()


def publish(world: World, days: int) -> str:
    """Publish another dataset; its version."""
    world.write(some_calls(days))
    return world.publish()


def show(world: World, days: int, workers: list[Watched]) -> str:
    """Publish another dataset, and wait until each of the workers shows it; its version."""
    version = publish(world, days)
    until(lambda: all(version in worker.served for worker in workers), 20)
    return version


def test_every_process_shows_every_version_and_never_an_older_one_again(world: World, api: Api) -> None:
    with watching(api) as workers:
        published = [show(world, days, workers) for days in range(5, 17)]

    assert [worker.served for worker in workers] == [published] * WORKERS


def test_of_versions_that_chase_each_other_every_process_ends_with_the_last(world: World, api: Api) -> None:
    with watching(api) as workers:
        published = [*(publish(world, days) for days in range(5, 13)), show(world, 13, workers)]

    assert [worker.served[-1] for worker in workers] == [published[-1]] * WORKERS
    assert [worker.served for worker in workers] == [sorted(worker.served, key=published.index) for worker in workers]
