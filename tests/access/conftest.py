from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.snapshots.client import connect_async

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from redis.asyncio import Redis


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def later(redis_url: str) -> AsyncGenerator[Redis]:
    """A client of an empty Redis, as the API has it."""
    async with connect_async(redis_url) as client:
        yield client
