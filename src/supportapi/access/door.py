"""The door: credentials become a token, a token becomes a principal, and who tries too often waits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from supportapi.access.principal import Principal
from supportapi.errors import RateLimited, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportapi.access.tokens import Tokens
    from supportapi.access.users import User, Users

WINDOW_SECONDS: Final = 60.0
PER_ACCOUNT: Final = 20
"""Failed attempts on one account from one address in a window."""
PER_ADDRESS: Final = 300
_REMEMBERED: Final = 10_000


class Attempts:
    """Counts attempts to sign in, in memory and bounded: by account and address, and by address. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # (account, address), or (None, address) for all accounts: start of the window, attempts in it.
        self._counts: dict[tuple[str | None, str], tuple[float, int]] = {}

    def allow(self, account: str, address: str) -> None:
        """Count an attempt. Raises `RateLimited` with `retry_after_seconds` when there were too many."""
        with self._lock:
            self._count((account, address), PER_ACCOUNT)
            self._count((None, address), PER_ADDRESS)

    def succeeded(self, account: str) -> None:
        """Forget the attempts on an account: whoever knows its password is not guessing."""
        with self._lock:
            for key in [key for key in self._counts if key[0] == account]:
                del self._counts[key]

    def _count(self, key: tuple[str | None, str], limit: int) -> None:
        now = self._clock()
        began, count = self._counts.pop(key, (now, 0))
        if now - began >= WINDOW_SECONDS:
            began, count = now, 0
        self._counts[key] = (began, count + 1)  # put back last: the first ones are the least recent
        while len(self._counts) > _REMEMBERED:
            del self._counts[next(iter(self._counts))]
        if count >= limit:
            wait = max(1, round(began + WINDOW_SECONDS - now))
            raise RateLimited("Too many attempts to sign in; wait a little.", retry_after_seconds=wait)


class Door:
    """What the API asks about people."""

    def __init__(self, users: Users, tokens: Tokens, attempts: Attempts) -> None:
        self._users = users
        self._tokens = tokens
        self._attempts = attempts
        self.allow = attempts.allow
        self.seconds = tokens.lifetime_seconds

    def sign_in(self, username: str, password: str) -> Principal:
        """Whoever has these credentials. Slow on purpose. Raises `Unauthenticated`."""
        user = self._users.sign_in(username, password)
        self._attempts.succeeded(username)
        return Principal(user.username, user.role, 0.0)

    def samples(self) -> list[User]:
        """The sample users, while they are all there is: their password is no secret then."""
        return list(self._users.samples().values())

    def issue(self, principal: Principal) -> str:
        """A token for somebody who has just signed in."""
        return self._tokens.issue_token(principal.username, principal.role)[0]

    def verify(self, token: str) -> tuple[Principal, float]:
        """Whom a token names, and the epoch second at which it expires. Raises `Unauthenticated`.

        A user who was removed is refused, and a role is the one that the user has now: a token outlives neither.
        """
        principal = self._tokens.read_token(token)
        user = self._users.everybody().get(principal.username)
        if user is None:
            raise Unauthenticated("This user is no longer known; sign in again.", reason="unknown_user")
        if user.role != principal.role:
            principal = Principal(user.username, user.role, principal.expires_at, principal.token_id)
        return principal, principal.expires_at
