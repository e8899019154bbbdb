"""What a route promises, said once: the guard, the decoder and the OpenAPI document all read it from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from litestar import get, post

from supportapi.errors import Forbidden, SupportApiError, Unauthenticated, WarmingUp

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.handlers import HTTPRouteHandler

OPERATION: Final = "operation"
"""Under which name a handler's `opt` holds its operation."""

Role = Literal["viewer", "admin"]
Reach = Literal["nothing", "own", "everything"]
BODY_LIMIT_BYTES: Final = 64 * 1024


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """One status of success: the struct that its body encodes, or another media type, or no body at all."""

    description: str
    body: Any = None
    media_type: str = "application/json"
    other_media_types: tuple[str, ...] = ()
    """In which the same may be sent, as the client asks."""
    headers: dict[str, str] = {}
    """Name -> description of the headers that belong to this status alone."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path.

    `reach` says of which calls its answers tell: of none, of those that whoever asks may see, or of all, so that it is
    closed to who may not see all of them. The last, unless a route says otherwise: a new one cannot forget the rule.
    `query` and `body` are structs in the client's own names. `role` is what a principal needs; None makes the route
    public. `errors` are the failures of its own: those of every route (validation, authentication, crash) are implied.
    `cached` says that its answers carry an ETag and may be asked for with `If-None-Match`.
    """

    id: str
    tag: str
    summary: str
    description: str = ""
    role: Role | None = "viewer"
    reach: Reach = "everything"
    path_parameters: dict[str, str] = {}
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    body_required: bool = True
    successes: dict[int, Success]
    errors: tuple[type[SupportApiError], ...] = ()
    cached: bool = False

    @property
    def failures(self) -> tuple[type[SupportApiError], ...]:
        """The failures that follow from what it needs, and those of its own."""
        implied: tuple[type[SupportApiError], ...] = () if self.role is None else (Unauthenticated, WarmingUp)
        if self.role is not None and self.reach == "everything":
            implied = (*implied, Forbidden)
        return (*implied, *(error for error in self.errors if error not in implied))


def reading(path: str, operation: Operation) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """A GET route (and HEAD, which the edge turns into GET)."""
    return get(path, name=operation.id, opt={OPERATION: operation}, include_in_schema=False)


def acting(path: str, operation: Operation) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """A POST route. Its body is read by `read_body`, up to `BODY_LIMIT_BYTES`."""
    return post(
        path,
        name=operation.id,
        opt={OPERATION: operation},
        include_in_schema=False,
        status_code=min(operation.successes),
        request_max_body_size=BODY_LIMIT_BYTES,
    )
