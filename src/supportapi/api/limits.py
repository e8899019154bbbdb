"""How much a request may say before anybody listens. Bodies have a limit of their own, see `operation.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from supportapi.errors import HeadersTooLarge, UriTooLong

URI_BYTES: Final = 16 * 1024
"""Path and query: a filter of a thousand agents fits."""
HEADER_BYTES: Final = 32 * 1024
HEADERS: Final = 100


def refuse_oversized(scope: Mapping[str, Any]) -> None:
    """Raise `UriTooLong` or `HeadersTooLarge` for a request of an ASGI `scope` that is larger than any honest one."""
    if len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"]) > URI_BYTES:
        raise UriTooLong(
            f"Path and query are longer than {URI_BYTES} bytes; ask POST /api/query instead.", limit_bytes=URI_BYTES
        )
    pairs = scope["headers"]
    if len(pairs) > HEADERS or sum(len(name) + len(text) for name, text in pairs) > HEADER_BYTES:
        raise HeadersTooLarge(
            f"The headers are more than {HEADERS} or longer than {HEADER_BYTES} bytes.", limit_bytes=HEADER_BYTES
        )
