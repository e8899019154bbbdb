"""Responses that are made anew each time: as little between a struct and the server as there can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.types import Receive, Scope, Send

_encode = msgspec.json.Encoder().encode


class Plain:
    """A status, headers and a body, as an ASGI app."""

    __slots__ = ("_body", "_head", "_status")

    def __init__(self, body: bytes, media_type: str, status: int, headers: Mapping[str, str]) -> None:
        self._status = status
        self._body = body
        self._head = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
        if media_type:
            self._head += [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send itself."""
        del scope, receive
        await send({"type": "http.response.start", "status": self._status, "headers": self._head})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


def json_response(document: msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Plain:
    """`document` as JSON."""
    return Plain(_encode(document), "application/json", status, headers or {})


def text_response(body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Plain:
    """Bytes of another media type."""
    return Plain(body, media_type, 200, headers or {})


def empty_response(status: int, headers: Mapping[str, str] | None = None) -> Plain:
    """No body at all."""
    return Plain(b"", "", status, headers or {})
