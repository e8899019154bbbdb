"""The API process: granian's main process in front, its workers (`application.py`) behind."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import structlog
from granian.constants import Interfaces, Loops
from granian.http import HTTP2Settings
from granian.log import LogLevels
from granian.server import Server

from supportapi.processes.logs import library_logging
from supportapi.processes.port import refuse_taken_port
from supportapi.processes.redis_server import redis_for

if TYPE_CHECKING:
    from supportapi.settings import Settings

LONGEST_REQUEST_SECONDS: Final = 20
"""Requests under way may take this long when the process is told to end; then they are cut off."""
APPLICATION: Final = "supportapi.processes.application:app"
_CONNECTIONS: Final = 16_384
_BACKLOG: Final = 4_096
_HEADER_BYTES: Final = 1 << 16
_LOG: Final = structlog.get_logger()


def run_api(settings: Settings, application: str = APPLICATION) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first.

    Raises `StartRefused` when the port is taken, and `SystemExit(1)` when a worker ends by itself.
    """
    refuse_taken_port(settings.host, settings.port)
    with redis_for(settings) as redis_url:
        # Workers read the environment as any process does; only this one knows the address of a Redis of our own.
        os.environ["REDIS_URL"] = redis_url
        server = Server(
            application,
            factory=True,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            loop=Loops.uvloop if sys.platform != "win32" else Loops.asyncio,
            workers=settings.api_workers,
            websockets=False,
            http2_settings=HTTP2Settings(max_headers_size=_HEADER_BYTES),
            backlog=_BACKLOG,
            # Counts connections, idle ones and event streams included: what is too much is said by OVERLOADED instead.
            backpressure=_CONNECTIONS,
            log_access=False,
            log_level=LogLevels.warning,
            log_dictconfig=library_logging(),
            # With several, one that dies is replaced while the others serve (docs/decisions/0006); a single one is its
            # keeper's business.
            respawn_failed_workers=settings.api_workers > 1,
            workers_kill_timeout=LONGEST_REQUEST_SECONDS,
        )
        _LOG.info("api.starting", address=f"http://{settings.host}:{settings.port}", workers=settings.api_workers)
        server.serve()
        _LOG.info("api.stopped")
