"""A clone of the repository as who reads the docs has it: its commands and the environment that `make` has made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from supportapi.dataset.sample import make_sample
from tests.processes.machine import PATIENCE_SECONDS, free_port, until

ROOT = Path(__file__).parents[2]
START = "make dev"
"""The one command that goes on until it is told to stop."""


class Checkout:
    """A folder in which the commands of the docs do what they do in the repository."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._dev: subprocess.Popen[bytes] | None = None
        for name in ("Makefile", "requirements.lock"):
            (folder / name).symlink_to(ROOT / name)
        (folder / ".venv").symlink_to(sys.prefix)
        # What `make dev` would make itself, and a tenth of it: the build is most of what the test takes.
        make_sample(20_000, 1, folder / "data")

    def run(self, commands: str) -> str:
        """What a shell prints that is given `commands`. Raises `AssertionError` when one of them fails."""
        if commands.strip() == START:
            return self._start()
        # A file, for a pipe would stay open as long as anything that a command left behind.
        with tempfile.TemporaryFile("w+") as out:
            ended = subprocess.run(
                ["/bin/bash", "-euo", "pipefail", "-c", commands],
                cwd=self.folder, env=self._environ(), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                timeout=PATIENCE_SECONDS, check=False,
            )  # fmt: skip
            out.seek(0)
            printed = out.read()
        assert ended.returncode == 0, f"exit status {ended.returncode}:\n{printed}"
        return printed

    def end(self) -> None:
        """End what `make dev` has started, as Ctrl-C does; then by force."""
        if self._dev is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._dev.pid, signal.SIGINT)
        try:
            self._dev.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._dev.pid, signal.SIGKILL)
            self._dev.wait()

    def _start(self) -> str:
        said, log = self.folder / "said", self.folder / "log"
        with said.open("w") as out, log.open("w") as err:
            dev = self._dev = subprocess.Popen(
                START.split(), cwd=self.folder, env=self._environ(), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True,
            )  # fmt: skip
        until(lambda: "calls\n" in said.read_text() or dev.poll() is not None)
        assert dev.poll() is None, log.read_text()
        return said.read_text()

    def _environ(self) -> dict[str, str]:
        # What `. .venv/bin/activate` does, and a port that is free.
        return {
            "PATH": os.pathsep.join([str(self.folder / ".venv" / "bin"), os.environ["PATH"]]),
            "HOME": str(self.folder),
            "PORT": str(self.port),
        }
