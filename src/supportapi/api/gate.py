"""Who is asking: the token in a header or a cookie, verified once and remembered for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from supportapi.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Container

    from supportapi.access.principal import Principal

COOKIE: Final = "supportapi_token"

_BEARER: Final = b"bearer "
_REMEMBERED: Final = 4_096
_REMEMBERED_SECONDS: Final = 30.0
"""A removed user or a changed role is noticed after this time at the latest."""

Verify = Callable[[str], tuple["Principal", float]]
"""Token -> its principal and the epoch second at which it expires; raises `Unauthenticated`."""


class Gate:
    """Tokens to principals. Verifying one costs more than a hot answer, so that it is done once in half a minute.

    What is remembered is the header as it came, is bounded in number, and never outlives its token. `everyone` is the
    principal of every request where authentication is switched off.
    """

    def __init__(self, verify: Verify, everyone: Principal | None = None) -> None:
        self._verify = verify
        self._everyone = everyone
        self._memory: dict[bytes, tuple[Principal, float]] = {}

    def remembered(self, headers: dict[bytes, bytes], now: float) -> Principal | None:
        """The principal of a request that is known already; `now` is of `time.perf_counter`, which its caller read."""
        if self._everyone is not None:
            return self._everyone
        known = self._memory.get(headers.get(b"authorization") or headers.get(b"cookie", b""))
        return known[0] if known is not None and known[1] > now else None

    def admit(self, headers: dict[bytes, bytes]) -> Principal:
        """The principal of a request; raises `Unauthenticated` when there is none.

        A bearer token goes before a cookie: who sends both means the header.
        """
        now = time.perf_counter()
        principal = self.remembered(headers, now)
        if principal is not None:
            return principal
        credential = headers.get(b"authorization") or headers.get(b"cookie", b"")
        principal, expires = self._verify(_token(headers))
        while len(self._memory) >= _REMEMBERED:
            del self._memory[next(iter(self._memory))]
        self._memory[credential] = (principal, now + min(expires - time.time(), _REMEMBERED_SECONDS))
        return principal

    def forget(self, token_ids: Container[str]) -> None:
        """Remember nobody by these tokens any longer: they were signed out."""
        self._memory = {key: known for key, known in self._memory.items() if known[0].token_id not in token_ids}


def _token(headers: dict[bytes, bytes]) -> str:
    if headers.get(b"authorization"):
        token = bearer_of(headers)
        if token is None:
            raise Unauthenticated("The Authorization header must be 'Bearer' and a token.")
    else:
        token = cookie_of(headers)
        if token is None:
            raise Unauthenticated("Sign in first: this needs a token, as a Bearer header or as the session cookie.")
    return token


def bearer_of(headers: dict[bytes, bytes]) -> str | None:
    """The token in the `Authorization` header, good or not; None when there is none."""
    authorization = headers.get(b"authorization", b"")
    if not authorization.lower().startswith(_BEARER):
        return None
    return authorization[len(_BEARER) :].strip().decode("latin-1")


def cookie_of(headers: dict[bytes, bytes]) -> str | None:
    """The token in the session cookie, good or not; None when there is none."""
    for piece in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, _, value = piece.strip().partition("=")
        if name == COOKIE and value:
            return value
    return None


def read_headers(pairs: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers of an ASGI scope by their (lower-case) name; cookies that HTTP/2 split are joined again."""
    headers = dict(pairs)
    if b"cookie" in headers:
        cookies = [value for name, value in pairs if name == b"cookie"]
        if len(cookies) > 1:
            headers[b"cookie"] = b"; ".join(cookies)
    return headers
