"""Doors on a real Redis, and workers in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from supportapi.refresh.queue import BuildQueue
from supportapi.refresh.records import Records
from supportapi.snapshots.client import connect
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROOT = Path(__file__).parents[2]


class Until(Protocol):
    """Waits until something is true, and fails when it does not become so in `seconds`."""

    def __call__(self, true: Callable[[], object], seconds: float = 45) -> None: ...


@pytest.fixture
def shelf(redis_url: str) -> Shelf:
    return Shelf(connect(redis_url))


@pytest.fixture
def records(redis_url: str) -> Records:
    return Records(connect(redis_url), lambda: datetime.now(UTC))


@pytest.fixture
def queue(redis_url: str, records: Records, shelf: Shelf) -> BuildQueue:
    return BuildQueue(connect(redis_url), records, shelf, timeout_seconds=60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a Python module in a process of its own; all are ended after the test, and what they said is told."""
    started: list[subprocess.Popen[bytes]] = []
    # A file: nobody reads a pipe meanwhile, and a process that talks a lot would stand still at a full one.
    said = tmp_path / "said.log"

    def start_module(module: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}"} | variables
        with said.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=_ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        started.append(process)
        return process

    yield start_module
    for process in started:
        process.kill()
        process.wait()
    if said.exists():
        print(said.read_text(errors="replace"))  # noqa: T201 - pytest shows it when the test failed


@pytest.fixture
def until() -> Until:
    def wait(true: Callable[[], object], seconds: float = 45) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.01)

    return wait
