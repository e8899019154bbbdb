"""What is known of one request while it is on its way."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from supportapi.access.principal import Principal
    from supportapi.api.follower import Current
    from supportapi.errors import SupportApiError

KEY: Final = "supportapi.trace"
"""Where the trace lies in an ASGI scope."""

_VALID_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")


class Trace:
    """One request: who asks, which version answers it, what goes into its log line.

    The edge makes it; handlers read `principal` and `current`, and say in `source` and `version` what served.
    `current` is taken once, so that an answer never mixes two versions; the guard takes away from it what whoever asks
    may not see.
    """

    __slots__ = ("current", "headers", "method", "principal", "refusal", "request_id", "route", "source", "version")

    def __init__(self, method: str, headers: dict[bytes, bytes], request_id: bytes, current: Current) -> None:
        self.method = method
        self.headers = headers
        self.request_id = request_id
        self.current = current
        self.principal: Principal | None = None
        self.refusal: SupportApiError | None = None
        self.route = ""
        self.source = ""
        self.version = ""


class RequestIds:
    """Ids that no two requests of any process share: a random prefix of this process and a counter.

    A random id for each request would cost more than everything else that the edge does.
    """

    def __init__(self) -> None:
        self._prefix = os.urandom(6).hex().encode() + b"-"
        self._numbers = itertools.count(1)

    def take(self, offered: bytes | None) -> bytes:
        """The client's own id where it offers a valid one (1-128 plain characters), else a new one."""
        if offered is not None and _VALID_ID.fullmatch(offered):
            return offered
        return self._prefix + b"%x" % next(self._numbers)


def trace_of(scope: Mapping[str, Any]) -> Trace:
    """The trace of the request in `scope`."""
    trace: Trace = scope[KEY]
    return trace
