"""Which other origins may ask us from a browser with credentials, and have what only they may: answers, and writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from supportapi.errors import Forbidden

Headers = list[tuple[bytes, bytes]]

_EXPOSED: Final = b"ETag, Link, Location, Retry-After, X-Request-ID"
_METHODS: Final = b"GET, HEAD, POST, OPTIONS"
_REQUEST_HEADERS: Final = b"Authorization, Content-Type, If-None-Match, Last-Event-ID, X-Request-ID"
_PREFLIGHT_SECONDS: Final = b"600"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_OWN_SITE: Final = (b"", b"same-origin", b"none")


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

    def refuse_foreign_write(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Raise `Forbidden` for a write that a page of a foreign origin makes a browser send with our cookie.

        A browser names the origin of every write, or says that it is our own site; who says neither is no browser. A
        token in a header is not sent by itself, so it proves that the sender has it.
        """
        if method in _SAFE or b"authorization" in headers:
            return
        origin = headers.get(b"origin")
        if origin is None:
            allowed = headers.get(b"sec-fetch-site", b"") in _OWN_SITE
        else:
            # Its scheme is left out: a proxy that ends TLS hides ours.
            allowed = origin in self._grants or origin.partition(b"://")[2] == headers.get(b"host")
        if not allowed:
            raise Forbidden(
                "This comes from the page of another site, which CORS_ORIGINS does not list.", reason="cross_site"
            )

    def preflight(self, origin: bytes) -> Headers:
        """What a preflight from `origin` is told beyond its grant: nothing when it is not allowed."""
        if origin not in self._grants:
            return []
        return [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", _PREFLIGHT_SECONDS),
        ]
