"""When a failed build is tried again, and when it is left until the manifest changes or an admin asks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from supportapi.errors import SupportApiError

_LONGEST_SECONDS: Final = 60.0
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


def next_attempt_at(error: SupportApiError, attempts: int, now: datetime) -> datetime | None:
    """When attempt `attempts`, which ended with `error` at `now`, is followed by another; None: never by itself.

    The pause doubles from one second to a minute. A lost worker's job is asked for again at once, the first time.
    """
    if not error.transient:
        return None
    if error.code not in _OUTAGES and attempts >= _ATTEMPTS_OF.get(error.code, _ATTEMPTS):
        return None
    first = 0.0 if error.code == "WORKER_LOST" and attempts == 1 else 2.0 ** min(attempts - 1, 10)
    return now + timedelta(seconds=min(first, _LONGEST_SECONDS))
