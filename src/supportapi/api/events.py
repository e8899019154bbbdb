"""`GET /api/events`: who listens hears of each new version as it comes into force."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.api.doors import doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.trace import trace_of
from supportapi.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.types import Receive, Scope, Send

    from supportapi.snapshots.pointer import Pointer

HEARTBEAT_SECONDS: Final = 15.0
LIFETIME_SECONDS: Final = 3_600.0
"""A stream ends after this time, and the browser comes back: so a token that has ended does not listen for ever."""

_RETRY: Final = b"retry: 2000\n\n"
_HEARTBEAT: Final = b": heartbeat\n\n"
_HEAD: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class VersionPublished(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the event `version.published`."""

    version: str
    dataset_hash: str
    published_at: Annotated[datetime, Doc(description="When it came into force.")]


OPERATION: Final = Operation(
    id="streamEvents",
    tag="versions",
    summary="Server-sent events: new versions",
    description="`version.published` with the number of the publish as its id; a comment every 15 s. With "
    "`Last-Event-ID` a publish that was missed is sent at once.",
    successes={
        200: Success(
            description="A stream that does not end by itself; the schema is that of each event's data.",
            body=VersionPublished,
            media_type="text/event-stream",
        )
    },
    errors=(Overloaded,),
)


class Broadcast:
    """One shared future that every listener waits on: a listener costs a task and no queue.

    Only the newest event is kept. Who was slow misses those in between, which is what "there is a new version" wants.
    """

    def __init__(self, listeners_max: int) -> None:
        self.listeners_max = listeners_max
        self.listeners = 0
        self.sequence = 0
        self.closed = False
        self._event = b""
        self._news: asyncio.Future[None] | None = None
        self._heart: asyncio.TimerHandle | None = None

    def announce(self, pointer: Pointer) -> None:
        """Tell everybody that `pointer` is in force."""
        self.sequence = pointer.sequence
        data = VersionPublished(
            version=pointer.version, dataset_hash=pointer.dataset_hash, published_at=pointer.published_at
        )
        encoded = msgspec.json.encode(data)
        self._event = b"event: version.published\nid: %d\ndata: %b\n\n" % (pointer.sequence, encoded)
        self._wake()

    def close(self) -> None:
        """End every stream: a server that shuts down waits for them."""
        self.closed = True
        if self._heart is not None:
            self._heart.cancel()
        self._wake()

    def since(self, sequence: int) -> bytes:
        """What a listener that has heard of `sequence` must be sent: the newest event, or a heartbeat."""
        return _HEARTBEAT if sequence == self.sequence or not self._event else self._event

    def news(self) -> asyncio.Future[None]:
        """Done when there is something to send."""
        if self._news is None or self._news.done():
            loop = asyncio.get_running_loop()
            self._news = loop.create_future()
            self._heart = loop.call_later(HEARTBEAT_SECONDS, self._wake)
        return self._news

    def _wake(self) -> None:
        if self._heart is not None:
            self._heart.cancel()
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


class EventStream:
    """One listener, as a plain ASGI app."""

    def __init__(self, broadcast: Broadcast, heard: int) -> None:
        self._broadcast = broadcast
        self._heard = heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes until the client goes, the server ends, or an hour has passed."""
        trace = trace_of(scope)
        trace.source = "stream"
        await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
        if trace.method != "HEAD":
            gone = asyncio.get_running_loop().create_task(_gone(receive))
            self._broadcast.listeners += 1
            try:
                await self._stream(gone, send)
            finally:
                self._broadcast.listeners -= 1
                gone.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await gone
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, gone: asyncio.Task[None], send: Callable[[Any], Any]) -> None:
        broadcast = self._broadcast
        loop = asyncio.get_running_loop()
        ends = loop.time() + LIFETIME_SECONDS
        await send({"type": "http.response.body", "body": _RETRY, "more_body": True})
        while not broadcast.closed and not gone.done() and loop.time() < ends:
            if self._heard == broadcast.sequence:
                await asyncio.wait((gone, broadcast.news()), return_when=asyncio.FIRST_COMPLETED)
            if gone.done() or broadcast.closed:
                return
            message, self._heard = broadcast.since(self._heard), broadcast.sequence
            await send({"type": "http.response.body", "body": message, "more_body": True})


@reading("/api/events", OPERATION)
async def events(request: Request[Any, Any, Any]) -> ASGIApp:
    """Listen. Raises `Overloaded` when as many listen as may."""
    broadcast = doors_of(request).broadcast
    if broadcast.listeners >= broadcast.listeners_max:
        raise Overloaded("As many listen as may.", retry_after_seconds=5)
    last = request.headers.get("last-event-id", "")
    heard = int(last) if last.isascii() and last.isdigit() else broadcast.sequence
    return EventStream(broadcast, heard)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
