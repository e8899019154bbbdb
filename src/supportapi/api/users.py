"""`GET /api/auth/users`: who may sign in, and as what. Never with what."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.access.principal import Role
from supportapi.access.users import Origin
from supportapi.answers.query_string import decode
from supportapi.api.doors import doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import json_response
from supportapi.api.sign_in import Regions
from supportapi.api.versions import NoQuery
from supportapi.errors import ValidationFailed


class ListedUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in."""

    username: str
    role: Role
    regions: Regions
    origin: Annotated[
        Origin,
        Doc(
            description="Where they are kept: `environment` (`SUPPORTAPI_USERS`), `file` (`supportapi users`), or "
            "`sample`, who are there in local mode while nobody else is."
        ),
    ]


class UsersMeta(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are."""

    total: int


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    """The users, by name."""

    data: list[ListedUser]
    meta: UsersMeta


OPERATION: Final = Operation(
    id="listUsers",
    tag="auth",
    summary="Who may sign in",
    description="As it is now: of the environment, which goes first, and of the file that `supportapi users` keeps.",
    role="admin",
    query=NoQuery,
    successes={200: Success(description="The users.", body=UserList)},
    errors=(ValidationFailed,),
)


@reading("/api/auth/users", OPERATION)
async def list_users(request: Request[Any, Any, Any]) -> ASGIApp:
    """Read as a sign-in would, beside the loop."""
    decode(request.scope["query_string"], NoQuery)
    found = await asyncio.to_thread(doors_of(request).door.everybody)
    users = [
        ListedUser(username=user.username, role=user.role, regions=user.regions, origin=origin)
        for user, origin in found
    ]
    return json_response(UserList(data=users, meta=UsersMeta(total=len(users))))
