"""Who tries too often waits: attempts to sign in, counted in Redis for all processes, bounded in number and in time."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from supportapi.errors import RateLimited, ShelfUnavailable
from supportapi.snapshots.client import reaching_redis
from supportapi.snapshots.keys import attempts_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

_LOG: Final = structlog.get_logger()
_KNOWN_SECONDS: Final = 30 * 86_400
_PATIENCE_SECONDS: Final = 0.5
_REMEMBERED: Final = 10_000
_IPV6_NETWORK: Final = 64


class Limit(msgspec.Struct, frozen=True):
    """At most so many failed attempts in a window that begins with the first of them."""

    failures: int
    seconds: int


PER_PAIR: Final = Limit(10, 600)
"""On one account from one address."""
PER_ACCOUNT: Final = Limit(100, 3_600)
"""On one account from anywhere (ASVS 2.2.1), save from addresses whence it has signed in of late."""
PER_ADDRESS: Final = Limit(300, 600)
"""From one address on any account."""

# KEYS: address, pair, account, known.   ARGV: limit and window of the first three.
# Answers the seconds to wait; 0 when the attempt has been counted. What is refused is not counted, and makes no key.
_TAKE: Final = """
local wait = 0
for i = 1, 3 do
  local spared = i == 3 and redis.call('EXISTS', KEYS[4]) == 1
  if not spared and (tonumber(redis.call('GET', KEYS[i])) or 0) >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('TTL', KEYS[i]), 1)
  end
end
if wait > 0 then return wait end
for i = 1, 3 do
  if redis.call('INCR', KEYS[i]) == 1 then redis.call('EXPIRE', KEYS[i], ARGV[2 * i]) end
end
return 0
"""

# KEYS: as above.   ARGV: seconds for which an address stays known.
_GIVE_BACK: Final = """
redis.call('DEL', KEYS[2])
for _, i in ipairs({1, 3}) do
  if (tonumber(redis.call('GET', KEYS[i])) or 0) > 0 then redis.call('DECR', KEYS[i]) end
end
redis.call('SET', KEYS[4], 1, 'EX', ARGV[1])
"""


class Attempts:
    """Counts an attempt before the password is looked at, and forgets it when the password was right.

    While Redis is away each process counts by itself: sign-in goes on, and guessing gets as many tries more as there
    are processes.
    """

    def __init__(self, redis: Redis, clock: Callable[[], float]) -> None:
        self._redis: Any = redis
        self._alone = _Alone(clock)

    async def allow(self, account: str, address: str) -> None:
        """Count an attempt. Raises `RateLimited` with `retry_after_seconds` when there were too many."""
        limits = [
            number for limit in (PER_ADDRESS, PER_PAIR, PER_ACCOUNT) for number in (limit.failures, limit.seconds)
        ]
        try:
            wait = int(await self._ask(_TAKE, account, address, limits))
        except ShelfUnavailable:
            wait = self._alone.take((account, network_of(address)))
        if wait:
            _LOG.warning("sign_in.limited", address=address, wait_seconds=wait)
            raise RateLimited("Too many attempts to sign in; wait a little.", retry_after_seconds=wait)

    async def succeeded(self, account: str, address: str) -> None:
        """Forget the attempts: whoever knows the password is not guessing."""
        try:
            await self._ask(_GIVE_BACK, account, address, [_KNOWN_SECONDS])
        except ShelfUnavailable:
            self._alone.give_back((account, network_of(address)))

    async def _ask(self, script: str, account: str, address: str, arguments: list[int]) -> Any:
        network = network_of(address)
        names = (("address", network), ("pair", account, network), ("account", account), ("known", account, network))
        named = [attempts_key(hashlib.blake2b("\0".join(name).encode(), digest_size=12).hexdigest()) for name in names]
        with reaching_redis():
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._redis.eval(script, len(named), *named, *arguments)


class _Alone:
    """Counts of this process, by account and address."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # Start of the window, attempts in it.
        self._counts: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, pair: tuple[str, str]) -> int:
        now = self._clock()
        began, count = self._counts.pop(pair, (now, 0))
        if now - began >= PER_PAIR.seconds:
            began, count = now, 0
        self._counts[pair] = (began, count + 1)  # put back last: the first ones are the least recent
        while len(self._counts) > _REMEMBERED:
            del self._counts[next(iter(self._counts))]
        return max(1, round(began + PER_PAIR.seconds - now)) if count >= PER_PAIR.failures else 0

    def give_back(self, pair: tuple[str, str]) -> None:
        self._counts.pop(pair, None)


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 a subscriber has a whole /64."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:  # a socket of this machine has none
        return address
    if isinstance(read, ipaddress.IPv4Address):
        return str(read)
    return str(read.ipv4_mapped or ipaddress.ip_network((int(read), _IPV6_NETWORK), strict=False).network_address)
