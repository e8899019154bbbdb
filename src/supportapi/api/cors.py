"""Which other origins may read us from a browser, with credentials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Headers = list[tuple[bytes, bytes]]

_EXPOSED: Final = b"ETag, Link, Location, Retry-After, X-Request-ID"
_METHODS: Final = b"GET, HEAD, POST, OPTIONS"
_REQUEST_HEADERS: Final = b"Authorization, Content-Type, If-None-Match, Last-Event-ID, X-Request-ID"
_PREFLIGHT_SECONDS: Final = b"600"


class Cors:
    """The headers for an allowed origin, made once. Origins match exactly: with credentials there is no wildcard."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._grants: dict[bytes, Headers] = {
            origin.encode(): [
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", _EXPOSED),
            ]
            for origin in origins
        }

    def grant(self, origin: bytes) -> Headers:
        """What a response to `origin` carries: nothing when it is not allowed. Never changed by the caller."""
        return self._grants.get(origin, [])

    def preflight(self, origin: bytes) -> Headers:
        """What a preflight from `origin` is told beyond its grant: nothing when it is not allowed."""
        if origin not in self._grants:
            return []
        return [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", _PREFLIGHT_SECONDS),
        ]
