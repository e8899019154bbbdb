"""Who is asking."""

from __future__ import annotations

from typing import Final, Literal, TypeGuard, get_args

import msgspec

Role = Literal["viewer", "admin"]
"""A viewer reads; an admin also refreshes and sees jobs."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)


EVERYTHING: Final = ""
"""The scope of who may see all calls. There is no other yet."""


class Principal(msgspec.Struct, frozen=True):
    """Somebody who may come in, until `expires_at` (epoch seconds)."""

    username: str
    role: Role
    expires_at: float
    token_id: str = ""
    """Names the token; empty when there is none."""

    scope: str = EVERYTHING
    """What of the data they may see: who has equal scopes gets equal answers."""


EVERYONE: Final = Principal("local-admin", "admin", float("inf"))
"""The principal of every request when `AUTH_ENABLED=false`."""


def is_role(word: object) -> TypeGuard[Role]:
    """Whether `word` is a role."""
    return word in ROLES
