"""One event for each request, written in batches: formatting must not hold up the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

FLUSH_SECONDS: Final = 0.1
_FLUSH_COUNT: Final = 128
_PATTERNS_KEPT: Final = 4_096
_CHANGING: Final = {
    b'"timestamp":"1970-01-01T00:00:00Z"': b'"timestamp":"%b.%06dZ"',
    b'"milliseconds":0.0': b'"milliseconds":%.3f',
    b'"request_id":""': b'"request_id":"%b"',
}
"""What differs in each line, as `_make_pattern` finds it in an event without them."""


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


What = tuple[str, str, str, bytes, int, str, str, str | None]
"""Method, route, path, query string, status, source, version, user: the same for every request for the same thing."""

RawEvent = tuple[What, float, float, bytes]
"""What was served, `perf_counter` at its start, seconds, request id."""

Sink = Callable[[Sequence[RawEvent], float], None]
"""Takes events in the order in which the requests ended, and the epoch second at which `perf_counter` was 0.

Must not raise.
"""


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
            self._sink(waiting, time.time() - time.perf_counter())


def event_of(raw: RawEvent, epoch: float) -> AccessEvent:
    """The event that `raw` stands for."""
    (method, route, path, query, status, source, version, user), started, seconds, request_id = raw
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


class Lines:
    """Events as lines of JSON. A front end asks the same again and again: what never changes in its line is made once.

    `clean` takes secrets out of a query; `process` is said in each line.
    """

    def __init__(self, process: str, clean: Callable[[str], str]) -> None:
        self._end = msgspec.json.encode({"process": process})[1:]
        self._clean = clean
        self._pattern = lru_cache(_PATTERNS_KEPT)(self._make_pattern)
        self._second = 0
        self._shown_second = b""

    def line(self, raw: RawEvent, epoch: float) -> bytes:
        """One line, without its end."""
        what, started, seconds, request_id = raw
        ended = epoch + started + seconds
        second = int(ended)
        if second != self._second:
            self._second = second
            self._shown_second = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        # An id that a client chose has no character that JSON would escape.
        return self._pattern(what) % (self._shown_second, (ended - second) * 1e6, seconds * 1e3, request_id)

    def _make_pattern(self, what: What) -> bytes:
        event = event_of((what, 0.0, 0.0, b""), 0.0)
        event = msgspec.structs.replace(event, query=self._clean(event.query))
        fields = msgspec.json.encode(event).replace(b"%", b"%%")
        for name, shown in _CHANGING.items():
            fields = fields.replace(name, shown, 1)
        return fields[:-1] + b"," + self._end.replace(b"%", b"%%")
