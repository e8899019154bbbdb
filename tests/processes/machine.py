"""A folder with data, and the real processes that run in it."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SOURCES = str(Path(__file__).parents[2] / "src")
PATIENCE_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def status(port: int, path: str) -> int:
    """The status of a GET; 0 when nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def gone(process: psutil.Process) -> bool:
    """Whether it has ended, waited for by its parent or not."""
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def all_gone(processes: Iterable[psutil.Process]) -> bool:
    return all(gone(process) for process in processes)


class Api:
    """A running `supportapi api`."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.port = free_port()
        self.log = folder / "log"
        self.environ = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES, "PORT": str(self.port), **environ}
        with self.log.open("w") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "supportapi.cli", "api"], cwd=folder, env=self.environ, stderr=log
            )
        until(lambda: self.status("/api/healthz") == 200 or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers and JSON of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return (
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                json.loads(answer.read()),
            )
        finally:
            connection.close()

    def status(self, path: str) -> int:
        """The status of a GET; 0 when nobody answers."""
        return status(self.port, path)

    def end(self) -> None:
        """Kill it, whatever it does."""
        with suppress(psutil.NoSuchProcess):
            self.process.kill()
        self.process.wait(10)


def worker_of(headers: dict[str, str]) -> str:
    """The worker process that has answered: each numbers its requests under a name of its own."""
    return headers["x-request-id"].rpartition("-")[0]
