"""Keeping a child process alive: started, started again when it ends, ended with everything that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from supportapi.errors import StartRefused
from supportapi.processes.redis_server import start_redis
from supportapi.refresh.parentage import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from supportapi.processes.redis_server import RunningRedis

REFUSED: Final = 78
"""How a process ends that must not be started again before somebody has changed something (`EX_CONFIG`)."""
_SHORTEST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 10.0
_STEADY_SECONDS: Final = 30.0
_REDIS_LOOK_SECONDS: Final = 0.2
_LOG: Final = structlog.get_logger()


@dataclass(frozen=True)
class Command:
    """A child: what is run (`words`), and how long it may take to end when it is asked to."""

    name: str
    words: tuple[str, ...]
    grace_seconds: float


def our_command(name: str, grace_seconds: float = 10.0) -> Command:
    """`supportapi NAME`, by this very interpreter."""
    return Command(name, (sys.executable, "-m", "supportapi.cli", name), grace_seconds)


class Backoff:
    """Waits between starts: longer each time, short again after a steady while."""

    def __init__(self) -> None:
        self._wait = 0.0
        self._began = time.monotonic()

    def began(self) -> None:
        """It was started now."""
        self._began = time.monotonic()

    def ended(self) -> float:
        """It has ended now: how many seconds to wait before it is started again."""
        steady = time.monotonic() - self._began >= _STEADY_SECONDS
        self._wait = _SHORTEST_WAIT if steady or not self._wait else min(self._wait * 2, _LONGEST_WAIT)
        return self._wait


class Keeper:
    """Keeps one child running. Its output goes where ours goes; it ends when we end, however that happens."""

    def __init__(self, command: Command, environ: Mapping[str, str]) -> None:
        self.command = command
        self._environ = dict(environ)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def keep(self) -> None:
        """Start it, and again whenever it ends, until `stop`. Raises `StartRefused` when it refuses to start.

        Must run in the main thread's loop: Linux ends a child when the *thread* that started it ends.
        """
        backoff = Backoff()
        while not self._stopping.is_set():
            backoff.began()
            status = await self._run_once()
            if self._stopping.is_set():
                return
            if status == REFUSED:
                raise StartRefused(
                    f"'{self.command.name}' refused to start; it has said why.", process=self.command.name
                )
            wait = backoff.ended()
            _LOG.warning("child.ended", child=self.command.name, status=status, starts_again_in_seconds=wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)

    async def stop(self) -> None:
        """Ask it to end, and end it when its grace is over. Nothing that it started is left."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), self.command.grace_seconds)
            except TimeoutError:
                _LOG.warning("child.killed", child=self.command.name, grace_seconds=self.command.grace_seconds)
        self.kill()
        await process.wait()

    def kill(self) -> None:
        """End it and its whole session now."""
        self._stopping.set()
        if self._process is not None:
            _end_session(self._process.pid)

    async def _run_once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *self.command.words,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C on the terminal reaches us alone: we know the order
            preexec_fn=die_with_parent(),
        )
        if self._stopping.is_set():  # told to stop while it was being started
            self.kill()
        _LOG.info("child.started", child=self.command.name, pid=self._process.pid)
        status = await self._process.wait()
        _end_session(self._process.pid)
        return status


class RedisKeeper:
    """Keeps the Redis of `home` running: data is gone with it, and everybody heals by building again."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.server: RunningRedis = start_redis(home)

    async def keep(self) -> None:
        """Start it again when it has died alone, for ever."""
        backoff = Backoff()
        backoff.began()
        while True:
            await asyncio.sleep(_REDIS_LOOK_SECONDS)
            if self._lives():
                continue
            _LOG.warning("redis.died", starts_again_in_seconds=(wait := backoff.ended()))
            self.server.stop()
            await asyncio.sleep(wait)
            try:
                self.server = start_redis(self._home)
            except StartRefused as cause:
                _LOG.error("redis.not_started", reason=cause.message)
            backoff.began()

    def stop(self) -> None:
        """End it."""
        self.server.stop()

    def _lives(self) -> bool:
        process = self.server.process
        # Its own end is cheap to see; of one that somebody else started only the socket tells.
        return process.poll() is None if process is not None else self.server.alive()


def _end_session(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
