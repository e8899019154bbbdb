"""A relay in front of a real Redis: it makes it a slow one, and stops who says a certain word to it."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

_CHUNK_BYTES = 1 << 16


class Relay:
    """Listens on a port of its own and talks to the server on `path`; each answer takes `seconds` longer.

    Who says `stop_word` is not heard any more; `stopped` is set then.
    """

    def __init__(self, path: Path) -> None:
        self.seconds = 0.0
        self.stop_word: bytes | None = None
        self.stopped = threading.Event()
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()
        return f"redis://{host}:{port}/0"

    def start(self) -> None:
        self._begin(self._listen)

    def stop(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for each in self._sockets:
            each.close()

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="relay", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with suppress(OSError):  # of the listener, when we stop
            while True:
                self._pass(self._listener.accept()[0])

    def _pass(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        self._sockets += [client, server]
        try:
            server.connect(str(self._path))
        except OSError:
            client.close()
            return
        held: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._begin(lambda: self._hear(client, server))
        self._begin(lambda: self._hold(server, held))
        self._begin(lambda: _let_go(held, client))

    def _hear(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while chunk := client.recv(_CHUNK_BYTES):
                if self.stop_word is not None and self.stop_word in chunk:
                    self.stopped.set()
                    return
                server.sendall(chunk)
            server.shutdown(socket.SHUT_RDWR)

    def _hold(self, server: socket.socket, held: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        chunk = b"."
        while chunk:
            try:
                chunk = server.recv(_CHUNK_BYTES)
            except OSError:
                chunk = b""
            held.put((time.monotonic() + self.seconds, chunk))


def _let_go(held: queue.SimpleQueue[tuple[float, bytes]], client: socket.socket) -> None:
    # One after the other, each when its time has come: far away is not narrow.
    with suppress(OSError):
        while True:
            due, chunk = held.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not chunk:
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(chunk)


@contextmanager
def relayed(path: Path) -> Generator[Relay]:
    """A relay to the server on `path`."""
    relay = Relay(path)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()
