"""What becomes of Redis: the last good data is served, it is said why it may not be the newest, and it heals."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.faults.relay import relayed
from tests.faults.system import heals, running
from tests.faults.witness import asking
from tests.processes.machine import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.system import Member, System

Fault = Callable[["System"], object]


def _hang(system: System) -> None:
    os.kill(system.server.pid, signal.SIGSTOP)


def _go_on(system: System) -> None:
    os.kill(system.server.pid, signal.SIGCONT)


AWAY: dict[str, tuple[Fault, Fault]] = {
    "killed, and restarted empty": (lambda system: system.server.kill(), lambda system: system.server.start()),
    "hung": (_hang, _go_on),
}

LONG = {"hung": pytest.mark.faults}


def _says(api: Member, reason: str) -> Callable[[], bool]:
    return lambda: api.ready().get("stale_reason") == reason


@pytest.mark.parametrize("case", [pytest.param(case, marks=LONG.get(case, ())) for case in AWAY])
def test_without_redis_the_last_version_is_served_and_called_stale(system: System, case: str) -> None:
    api, (happen, end) = system.member("api"), AWAY[case]
    with asking(api) as (witness,):
        happen(system)
        until(_says(api, "redis_unreachable"))
        ready, up = api.ready(), api.metric("supportapi_redis_up")
        missed = system.put()
        end(system)
        heals(lambda: system.served(api) == missed)

    assert ready["status"] == "degraded"
    assert {check["code"] for check in ready["checks"] if not check["ok"]} == {"REDIS_UNAVAILABLE"}
    assert up == 0
    assert api.events("follower.redis_lost")
    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])
    assert "redis_unreachable" in witness.reasons()


def test_a_flushed_redis_is_filled_again_with_the_version_that_is_served(system: System) -> None:
    api = system.member("api")
    served = api.ready()["version"]
    with asking(api) as (witness,):
        system.server.client.flushall()
        heals(lambda: (current := system.shelf.current()) is not None and current.version == served)
        system.settle()

    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])
    assert witness.reasons() <= {None, "version_lost", "watcher_silent", "manifest_changed"}


@pytest.mark.faults
def test_a_full_redis_keeps_what_it_has_and_takes_the_next_version_when_there_is_room(system: System) -> None:
    api, worker, watcher = (system.member(role) for role in ("api", "worker", "watcher"))
    redis = system.server.client
    with asking(api) as (witness,):
        redis.config_set("maxmemory", 1)
        missed = system.put()
        until(lambda: {"WATCHER_SILENT", "WORKER_SILENT"} <= api.failing())
        until(_says(api, "watcher_silent"))
        redis.config_set("maxmemory", 0)
        heals(lambda: system.served(api) == missed)

    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])
    assert witness.reasons() <= {None, "watcher_silent", "manifest_changed"}
    assert "maxmemory" in watcher.events("watcher.redis_lost")[-1]["reason"]
    assert len(worker.events("worker.waits_for_redis")) < 5


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_a_slow_redis_delays_a_version_and_nothing_else(tmp_path: Path) -> None:
    with running(tmp_path) as system, relayed(system.server.socket) as relay:
        system.settings["REDIS_URL"] = relay.url
        api = system.start("api")
        system.start("worker")
        system.start("watcher")
        system.settle()
        with asking(api) as (witness,):
            relay.seconds = 0.2
            missed = system.put()
            until(lambda: system.served(api) == missed)
            late = system.start("api")
            until(lambda: system.served(late) == missed)
            failing = api.failing() | late.failing()

        assert failing == set()
        assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])
        assert witness.reasons() <= {None, "manifest_changed"}
