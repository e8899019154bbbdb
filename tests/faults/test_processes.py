"""What becomes of our own processes: whichever is killed, and whenever, nothing wrong is told and nothing is lost."""

from __future__ import annotations

import itertools
import random
import signal
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from supportapi.refresh.progress import STAGES
from tests.faults.relay import relayed
from tests.faults.system import heals, running
from tests.faults.witness import asking
from tests.processes.machine import until
from tests.refresh.datasets import some_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    from tests.faults.relay import Relay
    from tests.faults.system import Member, System
    from tests.faults.witness import Witness

# What a build writes to Redis as a stage begins, and what it writes when its version is published.
MOMENTS: dict[str, bytes] = {
    **{stage: f'"stage":"{stage}"'.encode() for stage in STAGES},
    "published": b'"state":"succeeded"',
}

VICTIMS: dict[str, Callable[[System, Member], object]] = {
    "worker": lambda system, worker: system.replace(worker),
    "job": lambda _, worker: worker.process.children()[0].kill(),
}
# Spread over all the orders there are.
ORDERS = [*itertools.permutations(["redis", "data", "api", "worker", "watcher"])][::5]


def test_an_api_killed_while_it_answers_breaks_that_answer_off_and_comes_back(system: System) -> None:
    api = system.member("api")
    large = system.put(some_calls(20_000))
    until(lambda: system.served(api) == large)
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as client:
        client.sendall(b"GET /api/calls/export?range=all&format=csv HTTP/1.1\r\nHost: here\r\n\r\n")
        received = client.recv(4_096)
        api.kill()
        received += b"".join(iter(lambda: _rest(client), b""))
    again = system.start("api", PORT=str(api.port))
    heals(lambda: system.served(again) == large)

    assert received.startswith(b"HTTP/1.1 200")
    assert not received.endswith(b"0\r\n\r\n")  # the end of an answer that is whole


@pytest.mark.faults
def test_without_a_watcher_what_is_served_is_called_stale_and_with_one_it_is_fresh(system: System) -> None:
    api, watcher = system.member("api"), system.member("watcher")
    with asking(api) as (witness,):
        watcher.kill()
        missed = system.put()
        until(lambda: api.ready()["stale_reason"] == "watcher_silent")
        failing = api.failing()
        system.start("watcher")
        heals(lambda: system.served(api) == missed)

    assert failing == {"WATCHER_SILENT"}
    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])


# -- a build that is killed ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, Relay]]:
    """A system whose worker is stopped at any moment of a build."""
    with running(tmp_path_factory.mktemp("staged")) as system, relayed(system.server.socket) as relay:
        system.start("api")
        system.start("watcher")
        system.start("worker", REDIS_URL=relay.url)
        system.settle()
        yield system, relay


@pytest.mark.faults
@pytest.mark.parametrize("victim", ["worker", "job"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_killed_at_any_moment_of_a_build_is_missed_and_the_build_is_done(
    staged: tuple[System, Relay], moment: str, victim: str
) -> None:
    system, relay = staged
    api, worker = system.member("api"), system.member("worker")
    with asking(api) as (witness,):
        relay.stopped.clear()
        relay.stop_word = MOMENTS[moment]
        missed = system.put()
        assert relay.stopped.wait(30)
        relay.stop_word = None
        VICTIMS[victim](system, worker)
        heals(lambda: system.served(api) == missed)
        until(lambda: system.newest_job().state == "succeeded")

    assert system.newest_job().attempts == (1 if moment == "published" else 2)
    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])
    assert witness.reasons() <= {None, "manifest_changed", "build_failed"}


@pytest.mark.faults
def test_data_that_kills_whoever_builds_it_is_given_up_and_other_data_is_served(system: System) -> None:
    api, worker = system.member("api"), system.member("worker")
    with asking(api) as (witness,):
        with _killing_jobs_of(worker):
            system.put()
            until(lambda: (job := system.newest_job()).state == "failed" and job.next_attempt_at is None)
        given_up = system.newest_job()
        until(lambda: api.failing() == {"WORKER_LOST"})
        time.sleep(5)
        still = system.newest_job()
        system.settle()

    assert (given_up.attempts, still) == (5, given_up)
    assert worker.events("worker.child_lost")
    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])


# -- several of each -------------------------------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_the_next_release_beside_this_one_takes_over_and_nobody_serves_what_it_cannot_read(tmp_path: Path) -> None:
    module = "tests.faults.next_release"
    with running(tmp_path) as system:
        old = system.start("api")
        system.start("worker")
        system.start("watcher")
        served = system.settle()
        with asking(old) as (witness,):
            new = system.start("api", module)
            until(lambda: new.failing() >= {"WARMING_UP"})
            system.start("worker", module)
            system.start("watcher", module)
            until(lambda: system.served(new) == served)
            until(lambda: old.failing() == {"WARMING_UP"})
            later = system.put()
            until(lambda: system.served(new) == later)
            old_serves = old.ready()

        assert (old_serves["status"], old_serves["stale_reason"]) == ("degraded", "manifest_changed")
        assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])


@pytest.mark.faults
@pytest.mark.timeout(1_200)
def test_a_hundred_publishes_and_random_kills_lose_nothing_and_mix_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        # Each API is a machine of its own; the workers are on that of the first one.
        homes = (system.home, tmp_path / "second", tmp_path / "third")
        apis = [system.start("api", SUPPORTAPI_HOME=str(home)) for home in homes]
        others = [system.start(role) for role in ("worker", "worker", "worker", "watcher", "watcher")]
        system.settle(*apis)
        with asking(*apis) as witnesses:
            _publish_and_kill(system, 100, witnesses, others)
            last = system.settle(*(witness.api for witness in witnesses))

        assert [system.served(witness.api) for witness in witnesses] == [last] * 3
        assert [witness.untrue(system.truth) for witness in witnesses] == [[], [], []]
        failures = {code for witness in witnesses for _, code in witness.failures()}
        # Nobody was there; no version yet; none yet, and the dataset of the one in force is replaced already.
        assert failures <= {None, "WARMING_UP", "DATA_MISSING"}
        until(lambda: not any(record.open for record in system.records.list()))


@pytest.mark.faults
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_whatever_starts_first_waits_for_the_others(tmp_path: Path, order: tuple[str, ...]) -> None:
    with running(tmp_path) as system:
        system.server.kill()

        _start(system, order)

        heals(lambda: system.served(system.member("api")) == next(iter(system.truth)))


def _publish_and_kill(system: System, publishes: int, witnesses: list[Witness], others: list[Member]) -> None:
    """Each dataset is published, whoever is killed meanwhile; who is killed is started again."""
    chance = random.Random(publishes)  # noqa: S311 - a game, no secret
    for number in range(publishes):
        dataset_hash = system.put()
        if number % 4 == 0:
            others.append(system.replace(others.pop(chance.randrange(len(others)))))
        if number % 10 == 5:
            witness = chance.choice(witnesses)
            witness.api = system.replace(witness.api)
        heals(lambda wanted=dataset_hash: system.published() == wanted)


def _start(system: System, order: Iterable[str]) -> None:
    for each in order:
        match each:
            case "redis":
                system.server.start()
            case "data":
                system.put()
            case role:
                system.start(role)
        time.sleep(0.3)


def _rest(client: socket.socket) -> bytes:
    try:
        return client.recv(1 << 16)
    except OSError:  # reset by a peer that is dead
        return b""


@contextmanager
def _killing_jobs_of(worker: Member) -> Generator[None]:
    """No job of this worker gets far."""
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(0.005):
            for child in worker.process.children():
                try:
                    child.send_signal(signal.SIGKILL)
                except psutil.NoSuchProcess:
                    continue

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
