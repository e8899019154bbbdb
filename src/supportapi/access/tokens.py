"""Tokens: who somebody is, signed, for a while."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final

import jwt

from supportapi.access.principal import Principal, Role, is_role
from supportapi.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER: Final = "supportapi"
AUDIENCE: Final = "supportapi"
_ALGORITHM: Final = "HS256"
_CLAIMS: Final = ["iss", "aud", "sub", "role", "iat", "nbf", "exp", "jti"]
_LEEWAY_SECONDS: Final = 5
"""Clocks of machines that share a key differ a little."""

_REASONS: Final[dict[type[jwt.InvalidTokenError], tuple[str, str]]] = {
    jwt.ExpiredSignatureError: ("expired", "The session has expired; sign in again."),
    jwt.ImmatureSignatureError: ("not_yet_valid", "The token is not valid yet."),
    jwt.InvalidAudienceError: ("wrong_audience", "The token is meant for somebody else."),
    jwt.InvalidIssuerError: ("wrong_issuer", "The token was issued by somebody else."),
    jwt.MissingRequiredClaimError: ("incomplete", "The token does not say all that it must."),
    jwt.InvalidAlgorithmError: ("wrong_algorithm", "The token is not signed the way that we sign."),
    jwt.InvalidSignatureError: ("bad_signature", "The token was not signed by us."),
}
_MALFORMED: Final = ("malformed", "This is not a token of ours.")


class Tokens:
    """Issues and reads tokens. `clock` gives epoch seconds."""

    def __init__(self, secret_key: str, lifetime_seconds: int, clock: Callable[[], float]) -> None:
        # Derived, so that the key has its 32 bytes whatever a developer wrote, and signs nothing but tokens.
        self._key = hashlib.sha256(b"supportapi/token:" + secret_key.encode()).digest()
        self.lifetime_seconds = lifetime_seconds
        self._clock = clock

    def issue_token(self, username: str, role: Role) -> tuple[str, int]:
        """A token for somebody who has proven to be `username`, and its life in seconds."""
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": username,
            "role": role,
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime_seconds,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM), self.lifetime_seconds

    def read_token(self, token: str) -> Principal:
        """Whom `token` names. Raises `Unauthenticated` with the fact `reason`."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=_LEEWAY_SECONDS,
                options={"require": _CLAIMS, "strict_aud": True},
            )
        except jwt.InvalidTokenError as cause:
            reason, message = _REASONS.get(type(cause), _MALFORMED)
            raise Unauthenticated(message, reason=reason) from cause
        role = claims["role"]
        if not is_role(role):
            raise Unauthenticated("The token names no role of ours.", reason="unknown_role")
        return Principal(claims["sub"], role, float(claims["exp"]), str(claims["jti"]))
