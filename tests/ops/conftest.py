"""A published dataset, for what is held beside a running API process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.world import World, some_calls

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world(tmp_path: Path, redis_url: str) -> World:
    """The dataset, published."""
    world = World(tmp_path, redis_url)
    world.write(some_calls())
    world.publish()
    return world
