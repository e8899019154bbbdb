"""How we reach Redis: clients with explicit limits, and one name for everything that goes wrong on the way.

redis-py's own defaults either wait a minute for a server that hangs (`Redis()`) or never try again (`from_url`).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import ConstantBackoff, ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel

from supportapi.errors import ShelfUnavailable
from supportapi.snapshots import keys
from supportapi.snapshots.sentinel import sentinels_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

# A follower blocks on the stream for less than this, else redis-py calls a quiet second a timeout.
FOLLOWER_TIMEOUT_SECONDS: Final = 2.5
_BUILDER_TIMEOUT_SECONDS: Final = 10.0
# One that does not answer is not asked again (redis-py tries for seconds): the next one is.
_ASKING: Final = {"socket_timeout": 1.0, "socket_connect_timeout": 0.5}
_AGAIN: Final = (RedisConnectionError, RedisTimeoutError)


def connect(url: str) -> Redis:
    """A client for workers, watcher and command line: patient, because nobody waits for it in a request."""
    patience = {"socket_timeout": _BUILDER_TIMEOUT_SECONDS, "socket_connect_timeout": 2.0}
    again = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3, supported_errors=_AGAIN)
    return open_client(url, retry=again, health_check_interval=30, **patience)


def open_client(url: str, **limits: Any) -> Redis:
    """A client with limits of the caller's: of a server, or of the one that its Sentinels name at the moment."""
    named = sentinels_of(url)
    if named is None:
        return Redis.from_url(url, **limits)
    asked = {**named.to_sentinel, **_ASKING, "retry": Retry(NoBackoff(), 0)}
    return Sentinel(named.hosts, sentinel_kwargs=asked).master_for(named.service, **named.to_redis, **limits)


def connect_async(url: str) -> AsyncRedis:
    """A client for the follower of an API process: fails soon, because the last good snapshot is there to be served."""
    limits: dict[str, Any] = {"socket_timeout": FOLLOWER_TIMEOUT_SECONDS, "socket_connect_timeout": 0.5}
    limits["retry"] = AsyncRetry(ConstantBackoff(0.05), 1, supported_errors=_AGAIN)
    named = sentinels_of(url)
    if named is None:
        return AsyncRedis.from_url(url, **limits)
    asked = {**named.to_sentinel, **_ASKING, "retry": AsyncRetry(NoBackoff(), 0)}
    return AsyncSentinel(named.hosts, sentinel_kwargs=asked).master_for(named.service, **named.to_redis, **limits)


@contextlib.contextmanager
def reaching_redis() -> Generator[None]:
    """Turns every failure of Redis, refused writes included, into `ShelfUnavailable`. For sync and awaited calls."""
    try:
        yield
    except (RedisError, ConnectionError, TimeoutError) as cause:
        # Only the class and the server's own words: a connection error may hold the address with its password.
        said = str(cause) if not isinstance(cause, (RedisConnectionError, ConnectionError)) else "no connection"
        said = said[:200].rstrip(".")
        raise ShelfUnavailable(f"Redis does not do what it is asked: {said}.", error=type(cause).__name__) from cause


def require_writes(redis: Redis) -> None:
    """Raises `ShelfUnavailable` when Redis does not answer, is full, or is a replica: then nobody can work with it."""
    with reaching_redis():
        redis.set(keys.PROBE, b"", px=1)


def memory_problem(redis: Redis) -> str | None:
    """As `eviction_problem`, asked of the server."""
    with reaching_redis():
        memory: dict[str, Any] = redis.info("memory")  # pyright: ignore[reportAssignmentType] - sync client, so no awaitable
    return eviction_problem(memory)


def eviction_problem(said: Mapping[str, Any]) -> str | None:
    """Why a server that says this of itself may lose parts of a snapshot, or None.

    With a limit, its policy must be `noeviction`: any other may drop a part of what is being served or published.
    """
    policy = str(said.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction" or not int(said.get("maxmemory", 0)):
        return None
    return f"Redis evicts keys when its memory is full (maxmemory-policy {policy})."
