"""Changes of jobs on their way to those who listen to them; Redis is asked only while somebody does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from supportapi.api.broadcast import event
from supportapi.api.jobs import job_of
from supportapi.errors import ShelfUnavailable

if TYPE_CHECKING:
    from supportapi.api.broadcast import Feed
    from supportapi.refresh.records import AsyncRecords

_WAIT_MS: Final = 1_000
_PAUSE_SECONDS: Final = 1.0
_log = structlog.get_logger(__name__)


class JobFeed:
    """Follows the changes of job records while it is wanted."""

    def __init__(self, records: AsyncRecords) -> None:
        self._records = records
        self._task: asyncio.Task[None] | None = None

    def want(self, feed: Feed | None) -> None:
        """Fill `feed` from now on; with None nobody listens any longer."""
        if self._task is not None:
            self._task.cancel()
        self._task = None if feed is None else asyncio.get_running_loop().create_task(self._follow(feed), name="jobs")

    async def _follow(self, feed: Feed) -> None:
        after: str | None = None
        while True:
            try:
                after = after or await self._records.last_change()
                after, changed = await self._records.changes(after, _WAIT_MS)
            except ShelfUnavailable:  # the follower has said so; what jobs do meanwhile is in their records
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            for record in changed:
                feed.add(event("job.progress", job_of(record)))
