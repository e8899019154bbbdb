"""`/api/auth`: come in, go out, who am I."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.access.passwords import SAMPLE_PASSWORD
from supportapi.access.principal import regions_of
from supportapi.api.body import read_body
from supportapi.api.doors import doors_of
from supportapi.api.gate import COOKIE, bearer_of, cookie_of
from supportapi.api.operation import Operation, Role, Success, acting, reading
from supportapi.api.plain import json_response
from supportapi.api.trace import trace_of
from supportapi.errors import Overloaded, RateLimited, ShelfUnavailable, Unauthenticated

if TYPE_CHECKING:
    from supportapi.access.principal import Principal


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who says that they are whom."""

    username: Annotated[str, Doc(min_length=1, max_length=200, examples=["viewer"])]
    password: Annotated[str, Doc(min_length=1, max_length=1_000, examples=["dev"])]


Regions = Annotated[
    tuple[str, ...] | None,
    Doc(
        description="The regions whose calls may be seen, and no others: every answer is that of a dataset without "
        "them. `null` among them stands for calls of no known region. Null when all calls may be seen.",
        examples=[["north"]],
    ),
]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A principal."""

    username: str
    role: Role
    regions: Regions


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session: send the token as `Authorization: Bearer`, or let the browser send its cookie."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: Annotated[int, Doc(description="Seconds.")]
    user: User


class SignInAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A session."""

    data: SignedIn


class SignedOut(msgspec.Struct, frozen=True, kw_only=True):
    """The cookie is gone, and its token is good for nothing."""

    signed_out: Literal[True]


class SignOutAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """No session."""

    data: SignedOut


class MeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks."""

    data: User


class SampleUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user that exists on a developer's machine only."""

    username: str
    password: str
    role: Role
    regions: Regions


class SampleUsersAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The sample users; none outside of `APP_ENV=local`, and none beside users of one's own."""

    data: tuple[SampleUser, ...]


_SCHEME: Final = "bearer"
_COOKIE_HEADER: Final = {"Set-Cookie": f"`{COOKIE}`: HttpOnly, SameSite=Lax, and Secure outside of local."}
SIGN_IN: Final = Operation(
    id="signIn",
    tag="auth",
    summary="Come in",
    role=None,
    body=Credentials,
    successes={
        200: Success(description="A token, in the body and as a cookie.", body=SignInAnswer, headers=_COOKIE_HEADER)
    },
    errors=(Unauthenticated, RateLimited, Overloaded),
)
SIGN_OUT: Final = Operation(
    id="signOut",
    tag="auth",
    summary="Go out",
    description="Ends the session of the token that comes with it (as a header, as the cookie, or both) and takes the "
    "cookie away. Needs no session, so that an ended one can be left as well. A 503 says that the session has not "
    "ended: the other processes could not be told.",
    role=None,
    successes={200: Success(description="The session has ended.", body=SignOutAnswer, headers=_COOKIE_HEADER)},
    errors=(ShelfUnavailable,),
)
ME: Final = Operation(
    id="getMe",
    tag="auth",
    summary="Who am I?",
    reach="nothing",
    successes={200: Success(description="The principal of the token.", body=MeAnswer)},
)


SAMPLES: Final = Operation(
    id="listSampleUsers",
    tag="auth",
    summary="Sample users",
    description="Whom a sign-in page may offer on a developer's machine. Empty wherever there is anything to protect.",
    role=None,
    successes={200: Success(description="The sample users, or none.", body=SampleUsersAnswer)},
)


@acting("/api/auth/sign-in", SIGN_IN)
async def sign_in(request: Request[Any, Any, Any]) -> ASGIApp:
    """A token for right credentials.

    Raises `Unauthenticated`, which does not say whether there is such a user, and `RateLimited`.
    """
    credentials = await read_body(request, Credentials)
    doors = doors_of(request)
    door, username = doors.door, credentials.username
    address = _address(request, doors.proxies_in_front)
    await door.attempts.allow(username, address)
    # Hashing a password takes its time, which the loop does not have, and its memory, which is why few are at it.
    principal = await doors.sign_in_desk.run(lambda: door.sign_in(username, credentials.password))
    await door.attempts.succeeded(username, address)
    trace_of(request.scope).principal = principal
    token = door.issue(principal)
    signed = SignedIn(access_token=token, token_type=_SCHEME, expires_in=door.seconds, user=_user(principal))
    cookie = _cookie(token, door.seconds, secure=doors.secure_cookie)
    return json_response(SignInAnswer(data=signed), headers={"set-cookie": cookie})


@acting("/api/auth/sign-out", SIGN_OUT)
async def sign_out(request: Request[Any, Any, Any]) -> ASGIApp:
    """End the session of every token that comes with it, and take the cookie away. Raises `ShelfUnavailable`."""
    doors, sent = doors_of(request), trace_of(request.scope).headers
    await doors.sessions.end(token for token in (bearer_of(sent), cookie_of(sent)) if token is not None)
    headers = {"set-cookie": _cookie("", 0, secure=doors.secure_cookie)}
    return json_response(SignOutAnswer(data=SignedOut(signed_out=True)), headers=headers)


@reading("/api/auth/me", ME)
async def me(request: Request[Any, Any, Any]) -> ASGIApp:
    """The principal."""
    principal = trace_of(request.scope).principal
    if principal is None:
        raise Unauthenticated("Sign in first.")
    return json_response(MeAnswer(data=_user(principal)))


@reading("/api/auth/samples", SAMPLES)
async def samples(request: Request[Any, Any, Any]) -> ASGIApp:
    """The sample users, where there are any."""
    # The first one to ask may wait for their password to be hashed.
    users = await asyncio.to_thread(doors_of(request).door.samples)
    found = (
        SampleUser(username=user.username, password=SAMPLE_PASSWORD, role=user.role, regions=user.regions)
        for user in users
    )
    return json_response(SampleUsersAnswer(data=tuple(found)))


def _user(principal: Principal) -> User:
    return User(username=principal.username, role=principal.role, regions=regions_of(principal.scope))


def _address(request: Request[Any, Any, Any], proxies_in_front: int) -> str:
    """Who sends `request`: whoever connects, or whom the outermost proxy of ours says that it forwards.

    What stands further left in `X-Forwarded-For` was written by the client itself.
    """
    connected = request.client.host if request.client else ""
    hops = [hop.strip() for line in request.headers.getall("x-forwarded-for", []) for hop in line.split(",")]
    return hops[-proxies_in_front] if 0 < proxies_in_front <= len(hops) else connected


def _cookie(token: str, seconds: int, *, secure: bool) -> str:
    """The `Set-Cookie` of a token; with 0 seconds it takes the cookie away."""
    return f"{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
