"""A file that is made while it is sent: as fast as the client reads, and no further when it goes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, Final

import structlog

from supportapi.api.trace import trace_of
from supportapi.errors import ExportTimedOut, Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from threading import Event

    from litestar.types import Receive, Scope, Send

    Headers = list[tuple[bytes, bytes]]
    Make = Callable[[IO[bytes], Event], None]
    """Writes a file until its end, or until the event says that nobody wants it any longer."""

_CHUNK_BYTES: Final = 1 << 18
_RETRY_SECONDS: Final = 10
LIFETIME_SECONDS: Final = 3_600.0
"""A client that has not read everything by then is one that does not read."""
_log = structlog.get_logger(__name__)


class Downloads:
    """So many at once, each with a thread of its own: what makes them waits for its client most of the time."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="downloads")
        self.under_way = 0

    @contextlib.contextmanager
    def place(self) -> Generator[None]:
        """One of them, until the end. Raises `Overloaded` when there is none."""
        if self.under_way >= self._at_once:
            message = f"{self._at_once} files are being sent already, and no more at once."
            raise Overloaded(message, retry_after_seconds=_RETRY_SECONDS)
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    def make(self, make: Make, descriptor: int, stopped: Event) -> asyncio.Future[None]:
        """Run `make` in a thread, with a file that writes to `descriptor` and is closed at the end."""
        return asyncio.get_running_loop().run_in_executor(self._pool, _make, make, descriptor, stopped)

    def close(self) -> None:
        """Begin no more of them."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Download:
    """One file, as a plain ASGI app. `make` writes it, `head` are its headers.

    It begins to be sent with its first byte: what fails before that is answered as any failure. What fails later ends
    the connection without the last chunk, so that nobody takes the part that came for the whole.
    """

    def __init__(self, downloads: Downloads, make: Make, head: Headers) -> None:
        self._downloads = downloads
        self._make = make
        self._head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises `Overloaded`, and what makes it raises."""
        trace = trace_of(scope)
        if trace.method == "HEAD":
            await self._begin(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        with self._downloads.place():
            gone = asyncio.get_running_loop().create_task(_gone(receive))
            try:
                async with asyncio.timeout(LIFETIME_SECONDS):
                    await self._send(gone, send)
            except TimeoutError as late:
                raise ExportTimedOut("The file was not read within an hour.") from late
            finally:
                gone.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await gone

    async def _begin(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self._head})

    async def _send(self, gone: asyncio.Task[None], send: Send) -> None:
        end, descriptor = os.pipe()
        stopped = threading.Event()
        made = self._downloads.make(self._make, descriptor, stopped)
        reader = asyncio.StreamReader(_CHUNK_BYTES)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(end, "rb")
        )
        begun = False
        try:
            while chunk := await _first(reader.read(_CHUNK_BYTES), gone):
                if not begun:
                    await self._begin(send)
                    begun = True
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            # Whoever writes to a pipe that nobody reads is told so, and ends; who is about to is told now.
            stopped.set()
            pipe.close()
            await asyncio.wait([made])
            failure = made.exception()
        if gone.done():
            _log.info("download.abandoned", reason=str(failure))
            return
        if failure is not None:
            raise failure
        if not begun:
            await self._begin(send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _make(make: Make, descriptor: int, stopped: Event) -> None:
    with os.fdopen(descriptor, "wb") as out:
        make(out, stopped)


async def _first(reading: Any, gone: asyncio.Task[None]) -> bytes:
    """What is read next; nothing when the client goes first."""
    chunk = asyncio.ensure_future(reading)
    await asyncio.wait((chunk, gone), return_when=asyncio.FIRST_COMPLETED)
    if gone.done():
        chunk.cancel()
        return b""
    return chunk.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
