"""The Procfile under runners that know nothing of us: no Redis, no terminal, no environment that is activated."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from supportapi.dataset.sample import make_sample
from tests.processes.machine import all_gone, free_port, gone, status, until

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[2]
HONCHO = "import sys; from honcho.command import main; sys.exit(main())"
# As foreman for Node does it: a shell for each line, ports a hundred apart, and no ear for SIGTERM.
DEAF = """
import os, subprocess
lines = [line.partition(":")[2] for line in open("Procfile")]
ports = [int(os.environ["PORT"]) + 100 * number for number in range(len(lines))]
started = [
    subprocess.Popen(line, shell=True, env=os.environ | {"PORT": str(port)})
    for line, port in reversed([*zip(lines, ports, strict=True)])
]
started[0].wait()
"""
RUNNERS = {"honcho": [HONCHO, "start"], "deaf": [DEAF]}


class Checkout:
    """What a runner finds after `make`: the Procfile, an environment that nobody has activated, and data."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        shutil.copy(ROOT / "Procfile", folder)
        (folder / ".venv").symlink_to(sys.prefix)
        make_sample(2_000, 1, folder / "data")

    @contextmanager
    def under(self, runner: str) -> Generator[subprocess.Popen[bytes]]:
        """The system under `runner`, ready."""
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(
                [sys.executable, "-c", *RUNNERS[runner]],
                cwd=self.folder,
                env={"PATH": os.defpath, "PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        try:
            until(lambda: status(self.port, "/api/readyz") == 200 or process.poll() is not None)
            assert process.poll() is None, self.said()
            yield process
        finally:
            process.kill()
            process.wait()

    def said(self) -> str:
        return (self.folder / "said").read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def started_by(runner: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [one for one in psutil.Process(runner.pid).children(recursive=True) if not gone(one)]


@pytest.mark.parametrize("runner", RUNNERS)
def test_all_processes_share_the_redis_that_the_first_of_them_started(checkout: Checkout, runner: str) -> None:
    with checkout.under(runner) as process:
        servers = [one for one in started_by(process) if "unixsocket" in " ".join(one.cmdline())]

    assert len(servers) == 1
    assert checkout.said().count("redis.attached") == 2


def test_one_that_ends_ends_the_others(checkout: Checkout) -> None:
    with checkout.under("honcho") as process:
        everybody = started_by(process)

        next(one for one in everybody if "watcher" in one.cmdline()).kill()
        process.wait(20)

    assert all_gone(everybody)


@pytest.mark.parametrize(
    ("runner", "number"), [("honcho", signal.SIGTERM), ("honcho", signal.SIGKILL), ("deaf", signal.SIGTERM)]
)
def test_however_a_runner_ends_nothing_is_left(checkout: Checkout, runner: str, number: signal.Signals) -> None:
    with checkout.under(runner) as process:
        everybody = started_by(process)

        process.send_signal(number)

        until(lambda: all_gone(everybody), 30)
    assert len(everybody) >= 5
