"""What every room's tests may ask for: a real Redis of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from redis import Redis

from supportapi.processes.redis_server import RunningRedis, embedded_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine is no bug: what is too slow is seen in benchmarks, not in properties.
settings.register_profile("house", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("house")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    """One embedded server for the whole session (one for each process under xdist), in a temporary folder."""
    with embedded_redis(tmp_path_factory.mktemp("redis-home")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RunningRedis) -> Iterator[str]:
    """The address of an empty Redis. It is emptied again after the test."""
    _flush(redis_server.url)
    yield redis_server.url
    _flush(redis_server.url)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A client of an empty Redis."""
    with Redis.from_url(redis_url, socket_timeout=5) as client:
        yield client


def _flush(url: str) -> None:
    with Redis.from_url(url, socket_timeout=5) as client:
        client.flushall()
