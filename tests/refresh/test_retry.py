"""When a failed build is tried again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from supportapi.errors import (
    AuditFailed,
    DataCorrupt,
    DataMismatch,
    DataMissing,
    ManifestInvalid,
    SchemaInvalid,
    ShelfUnavailable,
    SupportApiError,
    WorkerLost,
)
from supportapi.refresh.retry import next_attempt_at

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _pause(error: SupportApiError, attempts: int) -> float | None:
    again = next_attempt_at(error, attempts, _NOW)
    return None if again is None else (again - _NOW).total_seconds()


@pytest.mark.parametrize("kind", [AuditFailed, DataCorrupt, ManifestInvalid, SchemaInvalid])
def test_bad_data_is_not_tried_again_by_itself(kind: type[SupportApiError]) -> None:
    assert _pause(kind("bad"), 1) is None


def test_a_passing_failure_is_tried_again_after_pauses_that_double_up_to_twenty_seconds() -> None:
    pauses = [_pause(DataMissing("gone"), attempts) for attempts in range(1, 9)]

    assert pauses == [1, 2, 4, 8, 16, 20, 20, 20]


def test_an_outage_is_waited_for_as_long_as_it_lasts() -> None:
    assert _pause(ShelfUnavailable("away"), 5000) == 20


def test_a_file_that_never_becomes_what_the_manifest_says_is_given_up() -> None:
    assert _pause(DataMismatch("half"), 11) is not None
    assert _pause(DataMismatch("half"), 12) is None


def test_a_lost_worker_is_replaced_at_once_but_poison_kills_only_five() -> None:
    assert [_pause(WorkerLost("gone"), attempts) for attempts in range(1, 6)] == [0, 2, 4, 8, None]
