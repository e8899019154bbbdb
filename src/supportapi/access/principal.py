"""Who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeGuard, get_args

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Role = Literal["viewer", "admin"]
"""A viewer reads, all calls or those of some regions; an admin reads all, and also refreshes and sees jobs."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)


EVERYTHING: Final = ""
"""The scope of who may see all calls; any other one lists the regions whose calls may be seen."""


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


def scope_of(regions: Iterable[str] | None) -> str:
    """The scope of who may see the calls of these regions alone (keys, see `calls.filter`); None means all calls.

    No region at all is a scope as well: that of nothing.
    """
    return EVERYTHING if regions is None else msgspec.json.encode(sorted(set(regions))).decode()


def regions_of(scope: str) -> tuple[str, ...] | None:
    """The regions that `scope` lists, or None for everything."""
    return None if scope == EVERYTHING else msgspec.json.decode(scope, type=tuple[str, ...])


def is_role(word: object) -> TypeGuard[Role]:
    """Whether `word` is a role."""
    return word in ROLES
