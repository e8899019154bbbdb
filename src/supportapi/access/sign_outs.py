"""Tokens that were signed out: a list in Redis while they would have lived, and a copy of it in each process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from supportapi.snapshots import keys
from supportapi.snapshots.client import reaching_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from redis.asyncio import Redis

BEGINNING: Final = "0-0"
_SLACK_SECONDS: Final = 3_600
"""Clocks of machines differ, and the server's own one dates the entries."""
_AT_ONCE: Final = 1_000
_TOKEN, _EXPIRES = b"token", b"expires"


class SignOuts:
    """The list, as a stream: read whole at first, then followed. An entry goes when its token is worth nothing anyway.

    Every method raises `ShelfUnavailable` when Redis does not answer.
    """

    def __init__(self, redis: Redis, lifetime_seconds: int, clock: Callable[[], float]) -> None:
        self._redis: Any = redis
        self._kept_seconds = lifetime_seconds + _SLACK_SECONDS
        self._clock = clock

    async def add(self, ended: Mapping[str, float]) -> None:
        """Put tokens on the list: id -> the epoch second at which it expires."""
        oldest = int((self._clock() - self._kept_seconds) * 1000)
        with reaching_redis():
            async with self._redis.pipeline(transaction=True) as pipe:
                for token_id, expires_at in ended.items():
                    pipe.xadd(keys.SIGN_OUTS, {_TOKEN: token_id, _EXPIRES: repr(expires_at)}, minid=oldest)
                pipe.expire(keys.SIGN_OUTS, self._kept_seconds)
                await pipe.execute()

    async def after(self, entry: str, block_ms: int | None = None) -> tuple[str, dict[str, float]]:
        """What came onto the list after `entry`, some at a time, and the entry from which to go on.

        Waits up to `block_ms` for the first one; with None it does not wait.
        """
        with reaching_redis():
            streams = await self._redis.xread({keys.SIGN_OUTS: entry}, count=_AT_ONCE, block=block_ms)
        if not streams:
            return entry, {}
        ((_, entries),) = streams
        return entries[-1][0].decode(), {said[_TOKEN].decode(): float(said[_EXPIRES]) for _, said in entries}

    async def is_there(self) -> bool:
        """Whether there is a list at all."""
        with reaching_redis():
            return bool(await self._redis.exists(keys.SIGN_OUTS))


class SignedOut:
    """The copy of one process. Until it is `loaded`, nobody knows who has signed out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ended: dict[str, float] = {}
        self.loaded = False

    def __contains__(self, token_id: str) -> bool:
        return token_id in self._ended

    def add(self, ended: Mapping[str, float]) -> None:
        """Take tokens in, and let those go that have expired meanwhile."""
        self._ended.update(ended)
        self._ended = self.living()

    def living(self) -> dict[str, float]:
        """Those that would still be good: id -> when it expires."""
        now = self._clock()
        return {token_id: expires_at for token_id, expires_at in self._ended.items() if expires_at > now}
