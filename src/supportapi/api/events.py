"""`GET /api/events`: who listens hears of each new version as it comes into force, and admins of what jobs do."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.access.principal import EVERYTHING
from supportapi.api.broadcast import Broadcast, Hearing, Listener, VersionPublished, event
from supportapi.api.doors import doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.trace import trace_of
from supportapi.errors import Overloaded, Unauthenticated, WarmingUp

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.types import Receive, Scope, Send

    from supportapi.api.gate import Gate

LIFETIME_SECONDS: Final = 3_600.0
"""A stream ends after this time, and the browser comes back: so a token that has ended does not listen for ever."""

_RETRY: Final = b"retry: 2000\n\n"
_HEAD: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

OPERATION: Final = Operation(
    id="streamEvents",
    tag="versions",
    summary="Server-sent events: new versions, and for admins the progress of jobs",
    description="`version.published`. `job.progress`, for admins, "
    "with a job as `/api/settings/jobs/{id}` shows it. A comment every 15 s. With `Last-Event-ID` every publish "
    "that was missed is sent first; when that id is too old to tell, `reset` with the `version` now served (null: "
    "none) comes instead: whatever was fetched before may be out of date. To who may see the calls of some regions "
    "only, `days` and `sections` are null. Streams end after an hour, when the process ends, and when other things "
    "may be told; `stream.closing` says so with its `reason`, `lifetime`, `shutdown` or `rights`, and the browser "
    "comes back.",
    reach="nothing",
    successes={
        200: Success(
            description="A stream that does not end by itself; the schema is that of the data of `version.published`.",
            body=VersionPublished,
            media_type="text/event-stream",
        )
    },
    errors=(Overloaded,),
)


class EventStream:
    """One listener, as a plain ASGI app. `hearing` says what the client may be told now; None is nothing any longer."""

    def __init__(self, broadcast: Broadcast, last_id: str | None, hearing: Callable[[], Hearing | None]) -> None:
        self._broadcast = broadcast
        self._last_id = last_id
        self._hearing = hearing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes until the client goes or may be told less or more, the server ends, or an hour has passed."""
        trace = trace_of(scope)
        trace.source = "stream"
        await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
        if trace.method != "HEAD":
            gone = asyncio.get_running_loop().create_task(_gone(receive))
            try:
                with self._broadcast.listening(self._last_id, self._hearing() or "publishes") as listener:
                    why = await self._stream(listener, gone, send)
                if why is not None:
                    last = event("stream.closing", {"reason": why})
                    await send({"type": "http.response.body", "body": last, "more_body": True})
            finally:
                gone.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await gone
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, listener: Listener, gone: asyncio.Task[None], send: Callable[[Any], Any]) -> str | None:
        """Send what is heard, and say why no more is; None when the client went."""
        ends = asyncio.get_running_loop().time() + LIFETIME_SECONDS
        message = _RETRY + listener.missed()
        while not gone.done():
            if (why := self._over(listener, ends)) is not None:
                return why
            await send({"type": "http.response.body", "body": message, "more_body": True})
            await asyncio.wait((gone, *listener.news()), return_when=asyncio.FIRST_COMPLETED)
            message = listener.heard()
        return None

    def _over(self, listener: Listener, ends: float) -> str | None:
        if self._broadcast.closed:
            return "shutdown"
        if self._hearing() != listener.hearing:
            return "rights"
        return "lifetime" if asyncio.get_running_loop().time() >= ends else None


@reading("/api/events", OPERATION)
async def events(request: Request[Any, Any, Any]) -> ASGIApp:
    """Listen. Raises `Overloaded` when as many listen as may."""
    broadcast = doors_of(request).broadcast
    if broadcast.listeners >= broadcast.listeners_max:
        raise Overloaded("As many listen as may.", retry_after_seconds=5)
    gate, headers = doors_of(request).gate, trace_of(request.scope).headers
    return EventStream(broadcast, request.headers.get("last-event-id"), lambda: _hearing(gate, headers))


def _hearing(gate: Gate, headers: dict[bytes, bytes]) -> Hearing | None:
    """What whoever sent `headers` may be told of: days and sections that changed tell of calls that not all may see."""
    try:
        principal = gate.admit(headers)
    except (Unauthenticated, WarmingUp):
        return None
    if principal.scope != EVERYTHING:
        return "publishes"
    return "everything" if principal.role == "admin" else "changes"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
