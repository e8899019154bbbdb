"""Several processes as one: started together, ended in order, and none left whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
from typing import TYPE_CHECKING, Final

import structlog

from supportapi.errors import StartRefused
from supportapi.processes.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from supportapi.processes.keeper import Command, RedisKeeper

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOCK_NAME: Final = "dev.lock"
_LOG: Final = structlog.get_logger()


@contextlib.contextmanager
def only_instance(home: Path, address: str) -> Generator[None]:
    """Hold `home` for ourselves. Raises `StartRefused` when another instance holds it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK_NAME).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            lock.seek(0)
            who = lock.read().strip() or "another instance"
            remedy = "Use that one, stop it, or set SUPPORTAPI_HOME and PORT for a second one."
            raise StartRefused(f"supportapi runs already in {home}: {who}. {remedy}", home=str(home)) from cause
        lock.truncate(0)
        lock.write(f"process {os.getpid()} at {address}")
        lock.flush()
        yield


async def supervise(
    stages: Sequence[Sequence[Command]],
    environ: Mapping[str, str],
    redis: RedisKeeper | None,
    when_started: Callable[[], Awaitable[None]],
) -> None:
    """Run the commands of all `stages` at once until a signal asks to end, then end them, stage after stage.

    `when_started` runs beside them and is cancelled when they end. A second signal ends everything at once. Raises
    `StartRefused` when a child refuses to start; everything is ended then as well.
    """
    keepers = [[Keeper(command, environ) for command in stage] for stage in stages]
    everyone = [keeper for stage in keepers for keeper in stage]
    told = _Told(everyone)
    with told.listening():
        work: list[Coroutine[Any, Any, Any]] = [keeper.keep() for keeper in everyone]
        if redis is not None:
            work.append(redis.keep())
        kept = [asyncio.create_task(each) for each in work]
        greeting = asyncio.ensure_future(when_started())
        asked = asyncio.create_task(told.first.wait())
        try:
            await asyncio.wait([*kept, asked], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel(greeting, asked)
            for stage in keepers:
                await asyncio.gather(*(keeper.stop() for keeper in stage))
            refusals = await _cancel(*kept)
            _LOG.info("supervisor.stopped")
    for refusal in refusals:
        raise refusal


class _Told:
    """Signals: the first asks everybody to end, the next one ends them."""

    def __init__(self, keepers: Sequence[Keeper]) -> None:
        self.first = asyncio.Event()
        self._keepers = keepers

    @contextlib.contextmanager
    def listening(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._hear, number)
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)

    def _hear(self, number: signal.Signals) -> None:
        if self.first.is_set():
            _LOG.warning("supervisor.told_again", signal=number.name)
            for keeper in self._keepers:
                keeper.kill()
            return
        _LOG.info("supervisor.stopping", signal=number.name)
        self.first.set()


async def _cancel(*tasks: asyncio.Future[Any]) -> list[BaseException]:
    """End the tasks, and return what those raised that had failed before."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return [result for result in results if isinstance(result, Exception)]
