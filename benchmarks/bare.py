"""The least that an ASGI application can do: send bytes that were made before. The server is the one of `api`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from supportapi.processes.start import read_settings
from supportapi.processes.web import run_api

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REPLY: Final = "BENCH_REPLY_FILE"
"""The variable that names the file with the reply."""


class Reply(msgspec.Struct, frozen=True):
    """What is sent for every request."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def app() -> Callable[[Any, Any, Callable[[Any], Awaitable[None]]], Awaitable[None]]:
    """An application that sends the reply."""
    reply = msgspec.msgpack.decode(Path(os.environ[REPLY]).read_bytes(), type=Reply)
    start = {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
    body = {"type": "http.response.body", "body": reply.body, "more_body": False}

    async def send_it(scope: Any, _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] == "http":
            await send(start)
            await send(body)

    return send_it


if __name__ == "__main__":
    run_api(read_settings(), "benchmarks.bare:app")
