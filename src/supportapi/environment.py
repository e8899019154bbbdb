"""From the words of an environment to typed values. Knows how to read a word, not which variables there are."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("0", "false", "no", "off")
_USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_ARGON2: Final = re.compile(r"\$argon2(id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_REDIS_SCHEMES: Final = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
_SENTINEL_PATH: Final = re.compile(r"/[^/]+(/\d*)?")
LIMITED_ADMIN: Final = "An admin administrates, and so sees, all data: give the role 'viewer', or name no regions."

SeededUser = tuple[str, str, str, tuple[str, ...] | None]
"""Username, role, hash of the password, and the regions that may be seen."""

_SHORT_NAME: Final = 6
_LONG_NAME: Final = 11
_OUR_PREFIX: Final = "SUPPORTAPI_"


# -- one word -----------------------------------------------------------------------------------------------------


def text(word: str) -> str | None:
    """The word, or None when it is empty."""
    return word or None


def flag(word: str) -> bool:
    """A yes or a no."""
    if word.lower() in _YES:
        return True
    if word.lower() in _NO:
        return False
    raise ValueError(f"is neither yes ({', '.join(_YES)}) nor no ({', '.join(_NO)})")


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number in `[low, high]`."""

    def read(word: str) -> int:
        try:
            number = int(word)
        except ValueError:
            raise ValueError(f"is not a whole number; it must be from {low} to {high}") from None
        if not low <= number <= high:
            raise ValueError(f"must be from {low} to {high}")
        return number

    return read


def number(low: float, high: float) -> Callable[[str], float]:
    """A number in `[low, high]`."""

    def read(word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            raise ValueError(f"is not a number; it must be from {low:g} to {high:g}") from None
        if not low <= value <= high:  # false for NaN as well
            raise ValueError(f"must be from {low:g} to {high:g}")
        return value

    return read


def choice(*allowed: str, fold: Callable[[str], str] = str.lower) -> Callable[[str], str]:
    """One of `allowed`, in any case."""

    def read(word: str) -> str:
        if fold(word) not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}{_meant(fold(word), allowed)}")
        return fold(word)

    return read


def path(word: str) -> Path:
    """A path of this machine; `~` is a home folder. An empty word is refused by `Path`'s own meaning, "here"."""
    if not word:
        raise ValueError("is empty; name a path or leave it out")
    return Path(word).expanduser()


def optional_path(word: str) -> Path | None:
    """A path, or None when the word is empty."""
    return path(word) if word else None


def optional_flag(word: str) -> bool | None:
    """A yes, a no, or None when the word is empty."""
    return flag(word) if word else None


def redis_url(word: str) -> str | None:
    """An address that redis-py or `snapshots.sentinel` understands, or None when the word is empty."""
    if not word:
        return None
    parts = urlsplit(word)
    if parts.scheme not in _REDIS_SCHEMES:
        # The word itself is not repeated: it may hold a password.
        raise ValueError(f"must begin with {', '.join(f'{scheme}://' for scheme in _REDIS_SCHEMES)}")
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("names no socket; write unix:///path/to/redis.sock")
    if parts.scheme != "unix" and not parts.hostname:
        raise ValueError("names no host; write redis://host:6379/0")
    if parts.scheme.endswith("+sentinel") and not _SENTINEL_PATH.fullmatch(parts.path):
        raise ValueError("names no service; write redis+sentinel://host:26379,host:26379/service/0")
    return word


def web_address(word: str) -> str | None:
    """The address of a server, without a path; None when the word is empty."""
    if word and ("@" in word or not _is_origin(word.rstrip("/"))):
        # The word itself is not repeated: it may hold a password.
        raise ValueError("must be http(s)://host or http(s)://host:port")
    return word.rstrip("/") or None


# -- several words ------------------------------------------------------------------------------------------------


def zones(word: str) -> tuple[str, ...]:
    """Names of time zones, separated by commas; at least one, none twice, all known to the time-zone database."""
    names = tuple(dict.fromkeys(_pieces(word)))
    if not names:
        raise ValueError("is empty; name at least one time zone, such as UTC")
    unknown = [name for name in names if not _is_zone(name)]
    if unknown:
        raise ValueError(
            f"names {_quoted(unknown)}, which the time-zone database does not know (use e.g. Europe/Berlin)"
        )
    return names


def origins(word: str) -> tuple[str, ...]:
    """Web origins, separated by commas: scheme, host and port without a path, or `*`."""
    names = tuple(dict.fromkeys(piece.rstrip("/") for piece in _pieces(word)))
    wrong = [name for name in names if name != "*" and not _is_origin(name)]
    if wrong:
        raise ValueError(f"names {_quoted(wrong)}; an origin is http(s)://host or http(s)://host:port")
    return names


def users(word: str) -> tuple[SeededUser, ...]:
    """`username:role:argon2-hash[:regions]`, separated by spaces or semicolons: (username, role, hash, regions) each.

    Regions have commas between, and are percent-encoded; None is all of them.
    """
    seeded: dict[str, SeededUser] = {}
    for entry in filter(None, re.split(r"[;\s]+", word)):
        user = _seeded(entry)
        if user[0] in seeded:
            raise ValueError(f"names '{user[0]}' twice")
        seeded[user[0]] = user
    return tuple(seeded.values())


def _seeded(entry: str) -> SeededUser:
    # What is wrong is said by the username alone: the rest of the entry is a secret.
    fields = entry.split(":", 3)
    name, role, digest = [*fields, "", ""][:3]
    regions = tuple(map(unquote, fields[3].split(","))) if fields[3:] else None
    if not is_username(name):
        raise ValueError("has an entry whose username is not 1 to 64 letters, digits, '.', '_', '@' or '-'")
    if role not in ("viewer", "admin"):
        raise ValueError(f"gives '{name}' a role other than viewer or admin")
    if not _ARGON2.fullmatch(digest):
        raise ValueError(f"gives '{name}' no argon2 hash (make an entry with 'supportapi users hash {name}')")
    if regions is not None and "" in regions:
        raise ValueError(f"limits '{name}' to a region without a name; without the last colon it is not limited")
    if is_limited_admin(role, regions):
        raise ValueError(f"limits '{name}' to regions. {LIMITED_ADMIN.rstrip('.')}")
    return name, role, digest, regions


def is_limited_admin(role: str, regions: tuple[str, ...] | None) -> bool:
    """Whether these would make an admin who may not see all calls."""
    return role == "admin" and regions is not None


def is_username(name: str) -> bool:
    """Whether `name` may be a username: it must fit between colons, in a log line and in a table."""
    return _USERNAME.fullmatch(name) is not None


# -- names --------------------------------------------------------------------------------------------------------


def nearest(name: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """The known name that `name` most resembles, or None."""
    found = get_close_matches(name.upper(), known, n=1, cutoff=cutoff)
    return found[0] if found else None


def near_miss(name: str, known: Collection[str]) -> str | None:
    """The known name that `name` is almost certainly a misspelling of, or None.

    An environment is full of names that are none of our business (HOSTNAME, HOME, REDIS_HOST): only a name that
    differs by case and underscores, by one or two letters, or that begins with our own prefix counts.
    """
    if name in known:
        return None
    bare = _bare(name)
    for candidate in known:
        if len(candidate) < _SHORT_NAME:
            continue
        allowed = 2 if len(candidate) >= _LONG_NAME else 1
        if bare == _bare(candidate) or (name.isupper() and _distance(name, candidate) <= allowed):
            return candidate
    if name.startswith(_OUR_PREFIX):
        return nearest(name, known, cutoff=0.0)
    return None


def _bare(name: str) -> str:
    return name.replace("_", "").upper()


def _distance(left: str, right: str) -> int:
    """Edits from one to the other: a letter added, dropped or replaced, or two neighbours swapped, count one each."""
    before: list[int] = []
    above = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        row = [i]
        for j, b in enumerate(right, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]


def _pieces(word: str) -> list[str]:
    return [piece.strip() for piece in word.split(",") if piece.strip()]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of the database, such as "Europe"
        return False
    return True


def _is_origin(name: str) -> bool:
    try:
        parts = urlsplit(name)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and name == f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        return False


def _meant(word: str, allowed: Collection[str]) -> str:
    close = get_close_matches(word, allowed, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _quoted(names: Collection[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
