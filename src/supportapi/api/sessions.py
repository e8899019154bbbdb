"""Ends sessions, and keeps this process's copy of the list of ended ones. No other request ever waits for Redis."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import structlog

from supportapi.access.sign_outs import BEGINNING
from supportapi.errors import ShelfUnavailable, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from supportapi.access.door import Door

WAIT_MS: Final = 1_000
_AGAIN_SECONDS: Final = 0.5
_STOP_SECONDS: Final = 0.5
_log = structlog.get_logger(__name__)


class Sessions:
    """Reads the list whole, then waits for what comes onto it, for ever. `forget` is told the ids of ended tokens.

    While Redis is away, what is known stays. A Redis that comes back empty is given the list again.
    """

    def __init__(self, door: Door, forget: Callable[[Collection[str]], None]) -> None:
        self._door = door
        self._forget = forget
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to follow the list, in the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._follow(), name="sessions")

    async def stop(self) -> None:
        """End, and wait until it has ended."""
        self._stopping = True
        while self._task is not None and not self._task.done():
            # More than once: a client library that is just handling a time-out may swallow a cancellation.
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=_STOP_SECONDS)

    async def end(self, tokens: Iterable[str]) -> None:
        """See to it that no process takes these tokens any longer; what is no good token needs no end.

        Raises `ShelfUnavailable`: then other processes would not know, and they are as good as before.
        """
        ended: dict[str, float] = {}
        for token in tokens:
            with contextlib.suppress(Unauthenticated):
                principal = self._door.read(token)
                ended[principal.token_id] = principal.expires_at
        if ended:
            await self._door.sign_outs.add(ended)
            self._take(ended)

    async def _follow(self) -> None:
        while not self._stopping:
            try:
                entry = await self._load()
                while not self._stopping:
                    entry = await self._wait(entry)
            except ShelfUnavailable:  # the follower of versions says so
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:  # noqa: BLE001 - a list that is no longer followed would let everybody in again
                _log.exception("sessions.failed")
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _load(self) -> str:
        entry = BEGINNING
        while True:
            entry, ended = await self._door.sign_outs.after(entry)
            self._take(ended)
            if not ended:
                self._door.signed_out.loaded = True
                return entry

    async def _wait(self, entry: str) -> str:
        entry, ended = await self._door.sign_outs.after(entry, WAIT_MS)
        if ended:
            self._take(ended)
            return entry
        living = self._door.signed_out.living()
        if living and not await self._door.sign_outs.is_there():
            _log.warning("sessions.list_lost", ended=len(living))
            await self._door.sign_outs.add(living)
            return await self._load()
        return entry

    def _take(self, ended: Mapping[str, float]) -> None:
        if ended:
            self._door.signed_out.add(ended)
            self._forget(ended.keys())
