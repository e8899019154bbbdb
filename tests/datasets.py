"""The public data sets that lie beside the repository, and what is true of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared" / "datasets"
MAPPINGS = REPOSITORY / "data" / "mappings"
OURS = {
    "calls": "calls",
    "answered": "answered",
    "resolved": "resolved",
    "rated": "rated",
    "mean_rating": "average_rating",
    "mean_duration_seconds_gt0": "average_duration",
    "mean_wait_seconds": "average_speed_of_answer",
}
"""Our names of the metrics that `expected` has by member."""


def shared(name: str) -> Path:
    """The file or folder `name` of the shared data sets; fails with what to do when they are not there."""
    path = SHARED / name
    if not path.exists():
        told = f"{path} is missing: these tests read the public data sets, which belong in {SHARED}."
        raise AssertionError(told)
    return path


def expected(name: str) -> dict[str, Any]:
    """What two other tools computed from the data set's raw file."""
    return msgspec.json.decode((shared(name) / "expected.json").read_bytes(), type=dict[str, Any])
