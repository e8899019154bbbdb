"""The program that started this process (a Procfile runner), and how not to outlive it."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from pathlib import Path


def end_with_runner() -> None:
    """From now on this process is told to end (SIGTERM) when its runner has ended, by SIGKILL included.

    Runners stop what they started, unless they are killed or do not listen; then nobody would. Linux only.
    """
    if sys.platform == "linux" and (runner := _runner()):
        # A descriptor, because it stands for this very process and not for a number that another one gets later.
        watched = os.pidfd_open(runner)
        threading.Thread(target=_end_after, args=(watched,), name="runner", daemon=True).start()


def _runner() -> int:
    """Our parent, or the one that it is a mere fork of: honcho forks once for each process that it starts.

    0 when it is outside of what we can see, as the one that lets a container run a command.
    """
    runner = os.getppid()
    while runner and (parent := _parent(runner)) and _words(parent) == _words(runner):
        runner = parent
    return runner


def _end_after(watched: int) -> None:
    # Sleeps in the kernel and holds nothing, so that a fork meanwhile does no harm.
    ended = select.poll()
    ended.register(watched, select.POLLIN)
    ended.poll()
    os.kill(os.getpid(), signal.SIGTERM)


def _words(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


def _parent(process: int) -> int:
    # The name, in brackets, may hold anything; after it come the state and the parent.
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
