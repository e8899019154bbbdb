"""When a build is asked for again, and when it is left until the manifest changes or an admin asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from supportapi.errors import DataMismatch

if TYPE_CHECKING:
    from supportapi.errors import SupportApiError
    from supportapi.refresh.records import JobRecord

# What ends by itself is served half a minute later at most, the build included.
_LONGEST_SECONDS: Final = 20.0
# Beyond the longest pause between attempts: the clock was set back, or is that of another machine.
_IMPLAUSIBLE_SECONDS: Final = 25.0
# Outages end when they end. Everything else that may pass is given this many attempts: a manifest that lies looks like
# a file that is still being written, and data that kills its worker looks like a worker that was killed.
_OUTAGES: Final = frozenset(
    {
        "MANIFEST_MISSING", "DATA_MISSING", "REDIS_UNAVAILABLE", "DATASET_NOT_WRITABLE", "STORE_UNAVAILABLE",
        "STORE_DENIED",
    }
)  # fmt: skip
_ATTEMPTS: Final = 12
_ATTEMPTS_OF: Final = {"WORKER_LOST": 5}

LastWrite = Callable[[], datetime | None]
"""When one of the dataset's files was written to last; None where that is not known."""


def next_attempt_at(error: SupportApiError, attempts: int, now: datetime) -> datetime | None:
    """When attempt `attempts`, which ended with `error` at `now`, is followed by another; None: never by itself.

    The pause doubles from one second to twenty. A lost worker's job is asked for again at once, the first time.
    """
    if not error.transient:
        return None
    if error.code not in _OUTAGES and attempts >= _ATTEMPTS_OF.get(error.code, _ATTEMPTS):
        return None
    first = 0.0 if error.code == "WORKER_LOST" and attempts == 1 else 2.0 ** min(attempts - 1, 10)
    return now + timedelta(seconds=min(first, _LONGEST_SECONDS))


def is_due(record: JobRecord | None, now: datetime, rest_seconds: float, last_write: LastWrite) -> bool:
    """Whether a build should be asked for, given the latest one of its version; the version is not published."""
    if record is None:
        return True
    if record.open:
        return False
    if record.state == "failed":
        return _is_due_again(record, now, last_write)
    # Built once and not current: the manifest came back to it, or another watcher wants another version all the time.
    # The first is served at once; the second must not flip at every turn.
    return record.state == "cancelled" or _rested(record, now, rest_seconds)


def _is_due_again(record: JobRecord, now: datetime, last_write: LastWrite) -> bool:
    if record.next_attempt_at is not None:
        waiting = (record.next_attempt_at - now).total_seconds()
        return waiting <= 0 or waiting > _IMPLAUSIBLE_SECONDS
    if record.reason is None or record.reason.code != DataMismatch.code:
        return False
    # It was given up because a file never became what the manifest says. Has somebody gone on writing since?
    written_at = last_write() if _rested(record, now, _LONGEST_SECONDS) else None
    return written_at is not None and record.ended_at is not None and written_at > record.ended_at


def _rested(record: JobRecord, now: datetime, seconds: float) -> bool:
    return record.ended_at is None or abs((now - record.ended_at).total_seconds()) >= seconds
