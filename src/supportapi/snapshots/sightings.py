"""What the processes say of themselves: which manifest the watcher sees, and which workers live."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ManifestSighting(msgspec.Struct, frozen=True, kw_only=True):
    """What the watcher saw at `seen_at`: its heartbeat, and all that an API process needs to know about staleness.

    `version` is the one that should be served. `error_code` and `error_message` say why the manifest cannot be read
    or why its build failed; `error_job` names that build. `location` is where the manifest was looked for.
    """

    location: str
    seen_at: datetime
    watcher: str
    interval_seconds: float
    dataset_hash: str | None = None
    version: str | None = None
    size_bytes: int | None = None
    row_count: int | None = None
    rejected_rows: int | None = None
    updated_at: datetime | None = None
    min_started_at: datetime | None = None
    max_started_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_job: str | None = None
    next_attempt_at: datetime | None = None


class WorkerBeat(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that lives: its key expires when it does not say so again in time."""

    name: str
    host: str
    pid: int
    seen_at: datetime
    job: str | None = None
