"""Passwords as argon2 hashes, checked with the same work whether there is such a user or not."""

from __future__ import annotations

import functools
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SAMPLE_PASSWORD: Final = "dev"  # noqa: S105 - no secret: shown on the sign-in page, in local mode only
_HASHER: Final = PasswordHasher()  # RFC 9106, low memory: 64 MiB and some 50 ms each


def hash_password(password: str) -> str:
    """The argon2id hash of `password`, salted afresh."""
    return _HASHER.hash(password)


def password_fits(digest: str | None, password: str) -> bool:
    """Whether `password` is the one of `digest`. Without a digest (no such user) False, after the same work."""
    nobody = _nobody()  # also where it is not needed: the first one to ask in a process waits for it, whoever they are
    try:
        return _HASHER.verify(digest or nobody, password) and digest is not None
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _nobody() -> str:
    return _HASHER.hash("nobody")


@functools.cache
def sample_hash() -> str:
    """The hash of the sample users' password: made when it is first needed, in local mode only."""
    return _HASHER.hash(SAMPLE_PASSWORD)
