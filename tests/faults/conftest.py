"""One running system for all short faults; each finds it whole, and leaves it to heal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.system import System, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("system")) as system:
        for role in ("api", "worker", "watcher"):
            system.start(role)
        yield system


@pytest.fixture
def system(running_system: System) -> System:
    """An API, a worker and a watcher, and a dataset that is served."""
    running_system.settle()
    return running_system
