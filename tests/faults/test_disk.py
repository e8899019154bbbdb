"""A disk that is full, and a folder that may not be written: the old version stays, and the next one comes later."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.faults.system import heals
from tests.faults.witness import asking
from tests.processes.machine import until

if TYPE_CHECKING:
    from tests.faults.system import System

Fault = Callable[["System"], object]


def _limit_files(size: int) -> Fault:
    """Files of the worker cannot grow beyond `size`: what a full disk is, at a time and for a process of our choice."""
    return lambda system: resource.prlimit(
        system.member("worker").process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY)
    )


def _allow(mode: int) -> Fault:
    return lambda system: [folder.chmod(mode) for folder in (system.home / "datasets", system.home / "versions")]


FAULTS: dict[str, tuple[Fault, Fault]] = {
    "full before the copy": (_limit_files(1_000), _limit_files(resource.RLIM_INFINITY)),
    "full before the arrays": (_limit_files(9_000), _limit_files(resource.RLIM_INFINITY)),
    "read-only": (_allow(0o555), _allow(0o755)),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_written_is_told_and_written_once_there_is_room(system: System, case: str) -> None:
    api = system.member("api")
    happen, end = FAULTS[case]
    with asking(api) as (witness,):
        happen(system)
        try:
            missed = system.put()
            until(lambda: api.failing() == {"DATASET_NOT_WRITABLE"})
            until(lambda: api.ready()["stale_reason"] == "build_failed")
            until(lambda: api.metric("supportapi_job_attempts_total", kind="build", outcome="DATASET_NOT_WRITABLE"))
        finally:
            end(system)
        heals(lambda: system.served(api) == missed)

    assert (witness.failures(), witness.untrue(system.truth)) == (set(), [])
