"""Tokens: who somebody is, signed, for a while."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final

import jwt

from supportapi.access.principal import Principal, Role, is_role
from supportapi.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ISSUER: Final = "supportapi"
AUDIENCE: Final = "supportapi"
_ALGORITHM: Final = "HS256"
_CLAIMS: Final = ["iss", "aud", "sub", "role", "iat", "nbf", "exp", "jti"]
_LEEWAY_SECONDS: Final = 5
"""Clocks of machines that share a key differ a little."""

_EXPIRED: Final = ("expired", "The session has expired; sign in again.")
_REASONS: Final[dict[type[jwt.InvalidTokenError], tuple[str, str]]] = {
    jwt.ExpiredSignatureError: _EXPIRED,
    jwt.ImmatureSignatureError: ("not_yet_valid", "The token is not valid yet."),
    jwt.InvalidAudienceError: ("wrong_audience", "The token is meant for somebody else."),
    jwt.InvalidIssuerError: ("wrong_issuer", "The token was issued by somebody else."),
    jwt.MissingRequiredClaimError: ("incomplete", "The token does not say all that it must."),
    jwt.InvalidAlgorithmError: ("wrong_algorithm", "The token is not signed the way that we sign."),
    jwt.InvalidSignatureError: ("bad_signature", "The token was not signed by us."),
}
_MALFORMED: Final = ("malformed", "This is not a token of ours.")


class Tokens:
    """Issues and reads tokens. `clock` gives epoch seconds.

    The tokens of `previous_keys` are still read, so that a key can be replaced without anybody being signed out. A
    token's header names its key (`kid`): a process that does not know the key says no without trying the others.
    """

    def __init__(
        self, secret_key: str, lifetime_seconds: int, clock: Callable[[], float], previous_keys: Iterable[str] = ()
    ) -> None:
        self._keys = dict(_named_key(key) for key in (*previous_keys, secret_key))
        self._key_id, self._key = _named_key(secret_key)
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
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": self._key_id}), self.lifetime_seconds

    def read_token(self, token: str) -> Principal:
        """Whom `token` names. Raises `Unauthenticated` with the fact `reason`.

        A life that has been shortened holds for the tokens that are out as well.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key_of(token),
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
        expires_at = min(float(claims["exp"]), float(claims["iat"]) + self.lifetime_seconds)
        if expires_at <= self._clock() - _LEEWAY_SECONDS:
            raise Unauthenticated(_EXPIRED[1], reason=_EXPIRED[0])
        return Principal(claims["sub"], role, expires_at, str(claims["jti"]))

    def _key_of(self, token: str) -> bytes:
        # Of a key that we do not know, the signature cannot be ours: our own one says so.
        return self._keys.get(jwt.get_unverified_header(token).get("kid", ""), self._key)


def _named_key(secret_key: str) -> tuple[str, bytes]:
    """The key that signs tokens, and its public name, from which nothing can be learned about it.

    Derived, so that the key has its 32 bytes whatever a developer wrote, and signs nothing but tokens.
    """
    key = hashlib.sha256(b"supportapi/token:" + secret_key.encode()).digest()
    return hashlib.sha256(b"supportapi/kid:" + key).hexdigest()[:8], key
