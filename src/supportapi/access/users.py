"""Who there is: users of the environment, users of a file, and two samples where nobody else is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import structlog

from supportapi.access.passwords import hash_password, password_fits, sample_hash
from supportapi.access.principal import Role
from supportapi.environment import LIMITED_ADMIN, is_limited_admin, is_username
from supportapi.errors import NotFound, SettingsInvalid, Unauthenticated, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

_LOG: Final = structlog.get_logger()
FILE_NAME: Final = "users.json"
_MIN_PASSWORD: Final = 8

Origin = Literal["environment", "file", "sample"]
"""Where somebody is kept."""


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody who may sign in."""

    username: str
    role: Role
    password_hash: str
    regions: tuple[str, ...] | None = None
    """The regions whose calls they may see (keys of members: `null` stands for calls of no known region); None: all."""

    def __repr__(self) -> str:
        return f"User({self.username!r}, {self.role!r})"


class UserFile:
    """The users that `supportapi users` keeps: a file that is replaced whole, and read again when it was."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE_NAME
        self._seen: tuple[int, int, int] | None = None
        self.last: dict[str, User] = {}
        """What it held when it was last read."""

    def read(self) -> dict[str, User]:
        """The users by name; none when there is no file. Raises `SettingsInvalid` when it cannot be read."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._seen, self.last = None, {}
            return self.last
        except OSError as cause:
            raise _unreadable(self.path, cause) from cause
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._seen:
            try:
                users = msgspec.json.decode(self.path.read_bytes(), type=list[User])
            except (OSError, msgspec.MsgspecError) as cause:
                raise _unreadable(self.path, cause) from cause
            if limited := [user.username for user in users if is_limited_admin(user.role, user.regions)]:
                raise SettingsInvalid([f"{self.path} limits '{limited[0]}' to regions. {LIMITED_ADMIN}"])
            self._seen, self.last = seen, {user.username: user for user in users}
        return self.last

    def add(self, username: str, role: Role, password: str, regions: tuple[str, ...] | None = None) -> None:
        """Add a user, or give one a new role, password and rule.

        Raises `ValidationFailed`, `SettingsInvalid`, `OSError`.
        """
        refuse_unusable(username, password, role, regions)
        with self._changing() as users:
            users[username] = User(username, role, hash_password(password), regions)

    def remove(self, username: str) -> None:
        """Remove a user. Raises `NotFound`, `SettingsInvalid`, `OSError`."""
        with self._changing() as users:
            if users.pop(username, None) is None:
                raise NotFound(f"There is no user '{username}' in {self.path}.", username=username)

    @contextlib.contextmanager
    def _changing(self) -> Generator[dict[str, User]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Two commands at once: the second begins with what the first has written.
        with self.path.with_name(".users.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = dict(self.read())
            yield users
            _replace(self.path, msgspec.json.format(msgspec.json.encode(sorted(users.values(), key=_name)), indent=2))


class Users:
    """Everybody. The environment's go before the file's; `samples` exist only while there is nobody else."""

    def __init__(self, seeded: Iterable[User], file: UserFile, *, samples: bool) -> None:
        self._seeded = {user.username: user for user in seeded}
        self._file = file
        self._samples = samples

    def everybody(self) -> dict[str, User]:
        """The users by name, as they are now. A file that became unreadable counts as it last was."""
        try:
            kept = self._file.read()
        except SettingsInvalid as cause:
            _LOG.error("users.unreadable", reason=cause.message)
            kept = self._file.last
        found = {**kept, **self._seeded}
        return found or (sample_users() if self._samples else {})

    def listed(self) -> list[tuple[User, Origin]]:
        """Everybody by name, and where each is kept."""
        everybody = self.everybody()
        origins: dict[str, Origin] = {
            **dict.fromkeys(self._file.last, "file"),
            **dict.fromkeys(self._seeded, "environment"),
        }
        return [(everybody[name], origins.get(name, "sample")) for name in sorted(everybody)]

    def samples(self) -> dict[str, User]:
        """The sample users, while they are all there is; else none."""
        return sample_users() if self._samples and self.everybody() == sample_users() else {}

    def sign_in(self, username: str, password: str) -> User:
        """The user of these credentials.

        Raises `Unauthenticated`, in the same words and after the same work whether there is such a user or not.
        """
        user = self.everybody().get(username)
        if not password_fits(user.password_hash if user else None, password) or user is None:
            raise Unauthenticated("Username or password is wrong.", reason="credentials")
        return user


def refuse_unusable(username: str, password: str, role: Role, regions: tuple[str, ...] | None = None) -> None:
    """Raises `ValidationFailed` when these cannot be a user's."""
    problems: list[dict[str, object]] = []
    if not is_username(username):
        message = "A username has 1 to 64 letters, digits, '.', '_', '@' or '-', and begins with a letter or digit."
        problems.append({"field": "username", "message": message})
    if len(password) < _MIN_PASSWORD:
        problems.append({"field": "password", "message": f"A password has at least {_MIN_PASSWORD} characters."})
    if is_limited_admin(role, regions):
        problems.append({"field": "regions", "message": LIMITED_ADMIN})
    if problems:
        raise ValidationFailed(problems)


def sample_users() -> dict[str, User]:
    """`admin`, `viewer`, and `europe`, who may see some regions of the sample data; all with the password `dev`."""
    samples = (
        User("admin", "admin", sample_hash()),
        User("viewer", "viewer", sample_hash()),
        User("europe", "viewer", sample_hash(), ("Central Europe", "Southern Europe", "UK & Ireland")),
    )
    return {user.username: user for user in samples}


def _name(user: User) -> str:
    return user.username


def _unreadable(path: Path, cause: Exception) -> SettingsInvalid:
    # Not the decoder's whole message: it may quote what the file holds.
    why = cause.strerror if isinstance(cause, OSError) else "not the JSON that 'supportapi users' writes"
    return SettingsInvalid(
        [f"The users in {path} cannot be read ({why}). Mend or remove the file, and add them again."]
    )


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as output:
            output.write(content)
            output.flush()
            os.fsync(output.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
