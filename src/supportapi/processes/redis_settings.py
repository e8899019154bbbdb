"""What a Redis must be like to carry this service: looked at before every start, and by `supportapi doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

from supportapi.errors import ShelfUnavailable, StartRefused
from supportapi.processes.problem import Problem
from supportapi.processes.redis_server import find_server_binary
from supportapi.snapshots.client import eviction_problem, open_client, reaching_redis
from supportapi.snapshots.keys import PROBE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from supportapi.settings import Settings

OLDEST_REDIS: Final = (6, 2)
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
TIMEOUT_SECONDS: Final = 2.0
_FULL: Final = 0.85


def redis_problems(settings: Settings) -> Iterator[Problem]:
    """Everything that is wrong with the Redis of these settings, and with the one in which jobs wait."""
    if settings.redis_url is None:
        try:
            find_server_binary()
        except StartRefused as cause:
            yield Problem("redis", cause.message, "", blocks=True)
        return
    yield from _of("REDIS_URL", settings.redis_url, local=settings.is_local)
    if settings.queue_redis_url is not None:
        yield from _of("QUEUE_REDIS_URL", settings.queue_redis_url, local=settings.is_local)


def _of(name: str, url: str, *, local: bool) -> Iterator[Problem]:
    if not local:
        yield from _open_to_others(name, url)
    limits: dict[str, Any] = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    with open_client(url, retry=Retry(NoBackoff(), 0), **limits) as redis:
        try:
            with reaching_redis():
                said: dict[str, Any] = redis.info()  # pyright: ignore[reportAssignmentType] - sync client, so no awaitable
        except ShelfUnavailable as cause:
            remedy = f"Start it, or mend {name} (host, port, user, password, certificate)."
            yield Problem("redis", f"The Redis of {name} cannot be used. {cause.message}", remedy)
            return
        yield from _unfit(said)
        yield from _forbidden(redis)


def _open_to_others(name: str, url: str) -> Iterator[Problem]:
    parts = urlsplit(url)
    if parts.scheme == "unix" or parts.hostname in LOOPBACK:
        return
    if not parts.scheme.startswith("rediss"):
        remedy = "Use rediss:// where the network between is not yours alone."
        yield Problem("redis", f"{name} is not encrypted.", remedy)
    if not parts.password:
        remedy = "Give the service a user of its own (docs/deploy.md has the ACL) and put it into the address."
        yield Problem("redis", f"{name} has no password: whoever reaches Redis can publish numbers.", remedy)


def _unfit(said: dict[str, Any]) -> Iterator[Problem]:
    """What the server says of itself that does not fit."""
    release = str(said.get("redis_version", "0"))
    if tuple(int(part) for part in release.split(".")[:2] if part.isdigit()) < OLDEST_REDIS:
        yield Problem("redis", f"Redis {release} is too old.", "Use Redis 6.2 or later, or Valkey.", blocks=True)
    if int(said.get("cluster_enabled", 0)):
        remedy = "Use a server, a primary with replicas, or Sentinel; the job queue does not work on a cluster."
        yield Problem("redis", "Redis runs as a cluster.", remedy)
    if said.get("role") not in (None, "master"):
        remedy = "Name the primary, or let Sentinel find it (redis+sentinel://)."
        yield Problem("redis", "This Redis is a replica: nothing can be written there.", remedy)
    if policy := eviction_problem(said):
        yield Problem("redis", policy, "Set maxmemory-policy noeviction; see docs/deploy.md.")
    used, limit = int(said.get("used_memory", 0)), int(said.get("maxmemory", 0))
    if limit and used > _FULL * limit:
        remedy = "Raise maxmemory, or lower SNAPSHOTS_KEPT: a full Redis refuses what is published."
        yield Problem("redis", f"Redis uses {used / limit:.0%} of its memory.", remedy)


def _forbidden(redis: Redis) -> Iterator[Problem]:
    """The kinds of commands without which nothing works, tried on a key that ends by itself."""
    try:
        with reaching_redis():
            redis.set(PROBE, 1, ex=1)
            redis.eval("redis.call('TIME') return redis.call('GET', KEYS[1])", 1, PROBE)
            redis.xread({f"{PROBE}-stream": "0-0"}, count=1)
            redis.scan(match=PROBE, count=1)
    except ShelfUnavailable as cause:
        remedy = "Give its user the commands and keys of docs/deploy.md (ACL), or free memory."
        yield Problem("redis", cause.message, remedy)
