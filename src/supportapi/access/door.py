"""The door: credentials become a token, a token becomes a principal, and who left does not come back with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportapi.access.principal import Principal, scope_of
from supportapi.errors import Unauthenticated, WarmingUp

if TYPE_CHECKING:
    from supportapi.access.attempts import Attempts
    from supportapi.access.sign_outs import SignedOut, SignOuts
    from supportapi.access.tokens import Tokens
    from supportapi.access.users import Origin, User, Users


class Door:
    """What the API asks about people. `signed_out` is this process's copy of the list `sign_outs`."""

    def __init__(
        self, users: Users, tokens: Tokens, attempts: Attempts, sign_outs: SignOuts, signed_out: SignedOut
    ) -> None:
        self._users = users
        self._tokens = tokens
        self.attempts = attempts
        self.sign_outs = sign_outs
        self.signed_out = signed_out
        self.seconds = tokens.lifetime_seconds

    def sign_in(self, username: str, password: str) -> Principal:
        """Whoever has these credentials. Slow on purpose. Raises `Unauthenticated`."""
        return _principal(self._users.sign_in(username, password), 0.0)

    def samples(self) -> list[User]:
        """The sample users, while they are all there is: their password is no secret then."""
        return list(self._users.samples().values())

    def everybody(self) -> list[tuple[User, Origin]]:
        """Everybody who may sign in, by name, and where each is kept."""
        return self._users.listed()

    def issue(self, principal: Principal) -> str:
        """A token for somebody who has just signed in."""
        return self._tokens.issue_token(principal.username, principal.role)[0]

    def read(self, token: str) -> Principal:
        """Whom a token of ours names, whether they may still come in or not. Raises `Unauthenticated`."""
        return self._tokens.read_token(token)

    def verify(self, token: str) -> tuple[Principal, float]:
        """Whom a token names, and the epoch second at which it expires.

        Raises `Unauthenticated`, and `WarmingUp` while nobody knows who has signed out. A user who was removed is
        refused, and a role and a rule are those that the user has now: a token outlives none of them.
        """
        principal = self.read(token)
        if not self.signed_out.loaded:
            raise WarmingUp("Who has signed out is not known yet: Redis has not been reached since the start.")
        if principal.token_id in self.signed_out:
            raise Unauthenticated("This session was ended; sign in again.", reason="signed_out")
        user = self._users.everybody().get(principal.username)
        if user is None:
            raise Unauthenticated("This user is no longer known; sign in again.", reason="unknown_user")
        return _principal(user, principal.expires_at, principal.token_id), principal.expires_at


def _principal(user: User, expires_at: float, token_id: str = "") -> Principal:
    return Principal(user.username, user.role, expires_at, token_id, scope_of(user.regions))
