"""One event for each request, written in batches: formatting must not hold up the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

FLUSH_SECONDS: Final = 0.1
_FLUSH_COUNT: Final = 128


class AccessEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="request.served", tag_field="event"):
    """A request as it ended. `milliseconds` is the time until its last byte was handed to the server."""

    timestamp: datetime
    level: str = "info"
    method: str
    route: str
    path: str
    query: str
    status: int
    milliseconds: float
    source: str
    version: str
    user: str | None
    request_id: str


RawEvent = tuple[float, str, str, str, bytes, int, float, str, str, str | None, bytes]
"""perf_counter at its start, method, route, path, query string, status, seconds, source, version, user, request id."""

Sink = Callable[[Sequence[AccessEvent]], None]
"""Takes events in the order in which the requests ended; must not raise."""


class AccessLog:
    """Collects events and hands them to `sink` every tenth of a second, and when it is closed.

    A process that is killed loses at most that tenth of a second.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: list[RawEvent] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, event: RawEvent) -> None:
        """Take an event; cheap, called once for each request."""
        self._waiting.append(event)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        elif len(self._waiting) >= _FLUSH_COUNT:
            self.flush()

    def flush(self) -> None:
        """Hand over what is waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            # One clock is read for each request; what it says is turned into times of day here, for the whole batch.
            epoch = time.time() - time.perf_counter()
            self._sink([_spell(event, epoch) for event in waiting])


def _spell(raw: RawEvent, epoch: float) -> AccessEvent:
    started, method, route, path, query, status, seconds, source, version, user, request_id = raw
    return AccessEvent(
        timestamp=datetime.fromtimestamp(epoch + started + seconds, UTC),
        method=method,
        route=route,
        path=path,
        query=query.decode("latin-1"),
        status=status,
        milliseconds=round(seconds * 1000, 3),
        source=source,
        version=version,
        user=user,
        request_id=request_id.decode("latin-1"),
    )
