"""A published dataset, and an API process that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.world import Api, World, serving, settle, some_calls

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def empty_world(tmp_path: Path, redis_url: str) -> World:
    """A dataset that nobody has built yet."""
    world = World(tmp_path, redis_url)
    world.write(some_calls())
    return world


@pytest.fixture
def world(empty_world: World) -> World:
    """The dataset, published."""
    empty_world.publish()
    return empty_world


@pytest.fixture
async def api(world: World) -> AsyncGenerator[Api]:
    """An API process that has loaded the published version."""
    async with serving(world, refresh_enabled=True) as started:
        await settle(lambda: started.doors.follower.current.snapshot is not None)
        yield started
