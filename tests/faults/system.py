"""A whole system of real processes, at which faults are thrown."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, cast

import psutil
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from supportapi.processes.redis_server import RunningRedis, start_redis
from supportapi.refresh.records import JobRecord, Records
from supportapi.snapshots.client import connect
from supportapi.snapshots.shelf import Shelf
from tests.api.world import clock
from tests.datasets import REPOSITORY
from tests.processes.machine import SOURCES, free_port, until
from tests.refresh.datasets import put, some_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    import polars as pl

WATCH_SECONDS = 0.5
HEALED_SECONDS = 60.0
"""Twice what is promised: the machine that runs tests is busy."""
_FIRST_CALLS = 40
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1
_OWN = ("PORT", "SUPPORTAPI_HOME", "REDIS_URL")
_LIBRARY = ctypes.CDLL(None)
_SETTINGS = {
    "AUTH_ENABLED": "false",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
    "AUDIT_QUERIES": "3",
    "ROLLUP_BUDGET_MB": "64",
    "WATCH_INTERVAL_SECONDS": str(WATCH_SECONDS),
}


class Server:
    """A real Redis at one address for ever, whatever becomes of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: RunningRedis = start_redis(folder)
        self.url = self._running.url
        self.client = Redis.from_url(self.url, socket_timeout=5)

    @property
    def socket(self) -> Path:
        return self._running.socket

    @property
    def pid(self) -> int:
        assert self._running.process is not None
        return self._running.process.pid

    def kill(self) -> None:
        """As the kernel kills it when memory is short: nothing is said, everything is lost."""
        assert self._running.process is not None
        self._running.process.kill()
        self._running.process.wait()

    def start(self) -> None:
        """Again, and empty."""
        self._running = start_redis(self._folder)
        assert self._running.url == self.url

    def stop(self) -> None:
        self.client.close()
        self._running.stop()


class Member:
    """One process of the system, and what it has logged."""

    def __init__(self, role: str, log: Path, process: psutil.Popen, environ: Mapping[str, str]) -> None:
        self.role, self.process, self.environ = role, process, environ
        self._log = log

    @property
    def port(self) -> int:
        return int(self.environ["PORT"])

    def events(self, name: str) -> list[dict[str, Any]]:
        """What it has logged under this event."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def ask(self, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON (or text) of an answer; (0, None) when nobody gives one."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            content = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, content, {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.startswith("{") else text
        except (OSError, HTTPException):
            return 0, None
        finally:
            connection.close()

    def ready(self) -> dict[str, Any]:
        """What it says of its readiness; {} when it says nothing."""
        _, said = self.ask("/api/readyz")
        return cast("dict[str, Any]", said)["data"] if isinstance(said, dict) else {}

    def failing(self) -> set[str | None]:
        """The codes of the checks that fail."""
        return {check["code"] for check in self.ready().get("checks", []) if not check["ok"]}

    def metric(self, name: str, **labels: str) -> float | None:
        """One number of `/metrics`: of the first series that has these labels."""
        _, text = self.ask("/metrics")
        samples = [sample for family in text_string_to_metric_families(str(text)) for sample in family.samples]
        found = (each.value for each in samples if each.name == name and labels.items() <= each.labels.items())
        return next(found, None)

    def kill(self) -> None:
        """All of it at once, without a word."""
        with suppress(psutil.NoSuchProcess):
            children = self.process.children(recursive=True)
            self.process.kill()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        self.process.wait(10)


class System:
    """A folder with a dataset, a Redis, and the processes that were started; `settings` are those of all of them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.data, self.home = folder, folder / "data", folder / "home"
        self.server = Server(folder / "server")
        self.settings = settings
        self.members: list[Member] = []
        self.truth: dict[str, int] = {}
        """How many calls each dataset has that was ever put there."""
        redis = connect(self.server.url)
        self.shelf, self.records = Shelf(redis), Records(redis, clock)

    def start(self, role: str, module: str = "supportapi.cli", **settings: str) -> Member:
        """Start `supportapi ROLE`."""
        port = int(settings.pop("PORT", free_port())) if role == "api" else None
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{SOURCES}{os.pathsep}{REPOSITORY}",
            "REDIS_URL": self.server.url,
            "SUPPORTAPI_HOME": str(self.home),
            "MANIFEST_PATH": str(self.data / "manifest.json"),
            **_SETTINGS,
            **self.settings,
            **({"PORT": str(port)} if port else {}),
            **settings,
        }
        log = self.folder / f"{role}-{len(self.members)}.log"
        with log.open("w") as output:
            process = psutil.Popen(
                [sys.executable, "-m", module, role],
                cwd=self.folder,
                env=environ,
                stdout=output,
                stderr=output,
                preexec_fn=_obey_permissions,
            )
        member = Member(role, log, process, environ)
        self.members.append(member)
        return member

    def put(self, calls: pl.DataFrame | None = None) -> str:
        """Replace the dataset by `calls`, or by as many as no dataset has had before; its hash."""
        frame = some_calls(_FIRST_CALLS + len(self.truth)) if calls is None else calls
        dataset_hash = put(self.data, {"calls.parquet": frame})
        self.truth[dataset_hash] = frame.height
        return dataset_hash

    def member(self, role: str) -> Member:
        """The one of this role that was started last."""
        return next(member for member in reversed(self.members) if member.role == role)

    def settle(self, *apis: Member) -> str:
        """Put another dataset, and wait until it is served as the newest by `apis`, or by the last one; its hash."""
        dataset_hash = self.put()
        heals(lambda: all(self.served(api) == dataset_hash for api in apis or (self.member("api"),)))
        return dataset_hash

    def served(self, api: Member) -> str | None:
        """The hash of the dataset that an API serves and knows to be the newest; None otherwise."""
        status, said = api.ask("/api/settings/manifest")
        if status != 200 or said["data"]["stale"]:
            return None
        return said["data"]["served_dataset_hash"]

    def published(self) -> str | None:
        """The hash of the dataset that is published."""
        current = self.shelf.current()
        return None if current is None else current.dataset_hash

    def replace(self, member: Member) -> Member:
        """Kill a process, and start it again as whoever keeps it would."""
        member.kill()
        return self.start(member.role, **{name: member.environ[name] for name in _OWN if name in member.environ})

    def newest_job(self) -> JobRecord:
        """The job that was asked for last."""
        return self.records.list(1)[0]

    def end(self) -> None:
        for member in self.members:
            member.kill()
        self.server.stop()


def _obey_permissions() -> None:
    # Also root's processes are then refused what the permissions of a folder refuse; others need not be told.
    _LIBRARY.prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)


@contextmanager
def running(folder: Path, **settings: str) -> Generator[System]:
    """A system in `folder`, ended with everything that was started."""
    system = System(folder, **settings)
    try:
        yield system
    finally:
        system.end()


def heals(condition: Callable[[], object]) -> None:
    """It comes to that within the time in which everything heals by itself."""
    until(condition, HEALED_SECONDS)
