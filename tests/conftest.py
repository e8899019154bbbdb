"""What every room's tests may ask for: a real Redis of their own, and a server in the place of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from redis import Redis

from supportapi.processes.redis_server import RunningRedis, embedded_redis
from tests.aws_server import CREDENTIALS, aws_server, way_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws_server import Way

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


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """The address of one server for the whole session that speaks S3, SQS and Glue."""
    with aws_server() as url:
        yield url


@pytest.fixture
def way(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """A way to that server that can be made to fail, with credentials for it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with way_to(aws_url) as way:
        yield way


def _flush(url: str) -> None:
    with Redis.from_url(url, socket_timeout=5) as client:
        client.flushall()
