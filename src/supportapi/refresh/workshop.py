"""Everything that a build works with, put together once by the worker process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supportapi.snapshots.keys import shape_of, version_of

if TYPE_CHECKING:
    from supportapi.answers.meta import Truth
    from supportapi.answers.prepared import PreparedAnswer
    from supportapi.calls.manifest import Manifest
    from supportapi.dataset.kept_states import StateStore
    from supportapi.dataset.pinned import Pinned
    from supportapi.dataset.source import Source
    from supportapi.refresh.queue import BuildQueue
    from supportapi.refresh.records import Records
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.snapshots.arrays import Arrays
    from supportapi.snapshots.shelf import Shelf

# The answers that everybody asks for, encoded (`answers.prepared.prepare`).
Prepare = Callable[["Aggregates", "Truth"], Sequence["PreparedAnswer"]]


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """The doors of a build, and the settings that shape it. `states` are beside the dataset, where there is a place."""

    source: Source
    pinned: Pinned
    shelf: Shelf
    arrays: Arrays
    records: Records
    queue: BuildQueue
    prepare: Prepare
    zones: tuple[str, ...]
    rollup_budget_mb: int
    audit_queries: int
    states: StateStore | None = None
    refresh_command: str | None = None
    command_timeout_seconds: float = 3600.0
    host: str = field(default_factory=socket.gethostname)

    def wanted(self, manifest: Manifest) -> str:
        """The version that should be served when `manifest` is the live one."""
        return version_of(manifest.hash, shape_of(self.zones, self.rollup_budget_mb))
