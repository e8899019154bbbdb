"""Addresses of a Redis that is found by Sentinel, which redis-py itself does not read.

    redis+sentinel://user:password@host1:26379,host2:26379/service/0?sentinel_password=...
    rediss+sentinel://...                          the same with TLS, to Sentinel and to Redis

User and password are those of Redis; Sentinel's own, where it has any, are in the query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORT: Final = 26379
_OF_SENTINEL: Final = "sentinel_"


class Sentinels(msgspec.Struct, frozen=True, kw_only=True):
    """Who knows where Redis is, what it is called there, and how each of them is spoken to."""

    hosts: list[tuple[str, int]]
    service: str
    to_redis: dict[str, Any]
    to_sentinel: dict[str, Any]


def sentinels_of(url: str) -> Sentinels | None:
    """The Sentinels of an address that names some, else None."""
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if kind != "sentinel":
        return None
    credentials, _, places = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    options = dict(parse_qsl(parts.query))
    tls: dict[str, Any] = {"ssl": True} if scheme == "rediss" else {}
    secure = {name: value for name, value in options.items() if name.startswith("ssl_")}
    named = {"username": unquote(user) or None, "password": unquote(password) or None, "db": int(database or 0)}
    return Sentinels(
        hosts=[_place(place) for place in places.split(",")],
        service=service,
        to_redis={**named, **tls, **secure},
        to_sentinel={**_own(options), **tls, **secure},
    )


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if ":" in text and not text.endswith("]") else (text, "", "")
    return host.strip("[]"), int(port or _PORT)


def _own(options: Mapping[str, str]) -> dict[str, Any]:
    names = ("username", "password")
    return {name: options[_OF_SENTINEL + name] for name in names if _OF_SENTINEL + name in options}
