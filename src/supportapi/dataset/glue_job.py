"""A job of Glue, run and waited for: how a refresh makes new data where Glue makes them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from supportapi.dataset.aws import reaching
from supportapi.errors import RefreshFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportapi.dataset.aws import Aws

_PAUSE_SECONDS: Final = 10.0
_UNDER_WAY: Final = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})
_GOOD: Final = "SUCCEEDED"


def run_glue_job(aws: Aws, name: str, tell: Callable[[str], None], pause_seconds: float = _PAUSE_SECONDS) -> str:
    """Run the job `name` and wait for its end; the id of the run. `tell` hears of each state that it comes to.

    Raises `RefreshFailed` when it ends badly, `StoreUnavailable`, `StoreDenied`. A run that nobody waits for goes on.
    """
    glue, told = aws.glue(), f"Glue's job {name}"
    with reaching(told):
        run = glue.start_job_run(JobName=name)["JobRunId"]
    seen = ""
    while True:
        with reaching(told):
            state = glue.get_job_run(JobName=name, RunId=run)["JobRun"].get("JobRunState", "UNKNOWN")
        if state != seen:
            tell(f"{told}, run {run}: {state}")
        if state == _GOOD:
            return run
        if state not in _UNDER_WAY:
            raise RefreshFailed(f"{told} ended as {state} (run {run}); its log in CloudWatch says why.", state=state)
        seen = state
        time.sleep(pause_seconds)
