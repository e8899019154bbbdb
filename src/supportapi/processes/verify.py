"""What is wrong with this machine, all of it at once, each with its remedy."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final, Literal

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from supportapi.access.users import UserFile
from supportapi.errors import ShelfUnavailable, StartRefused, StoreDenied, StoreUnavailable, SupportApiError
from supportapi.processes.port import reachable_host, refuse_taken_port
from supportapi.processes.redis_server import find_server_binary
from supportapi.processes.store import source_of
from supportapi.snapshots.client import memory_problem, reaching_redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supportapi.calls.manifest import ManifestFile
    from supportapi.settings import Settings

OLDEST_REDIS: Final = (6, 2)
_TIMEOUT_SECONDS: Final = 2.0
_STORE_REMEDY: Final = "Mend S3_BUCKET, S3_ENDPOINT_URL, AWS_REGION or the credentials (docs/s3.md)."
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Problem:
    """Something that is wrong. One that `blocks` must be mended before a process starts; the others may heal."""

    about: Literal["home", "users", "redis", "dataset", "port", "sample users"]
    what: str
    remedy: str
    blocks: bool


def find_problems(settings: Settings, *, listens: bool) -> list[Problem]:
    """Everything that is wrong around these settings, which are valid in themselves.

    `listens` asks for the port as well. Takes milliseconds, and seconds when Redis does not answer.
    """
    checks = [_home, _users, _redis, _dataset, *([_port, _exposed] if listens else [])]
    return [problem for check in checks for problem in check(settings)]


def is_serving(settings: Settings) -> bool:
    """Whether an API of ours answers where these settings say."""
    host = reachable_host(settings.host)
    try:
        connection = HTTPConnection(host, settings.port, timeout=_TIMEOUT_SECONDS)
        connection.request("GET", "/api/healthz")
        answer = connection.getresponse()
        return answer.status == HTTPStatus.OK and b'"alive"' in answer.read(1000)
    except (OSError, HTTPException):
        return False


def _home(settings: Settings) -> Iterator[Problem]:
    if reason := _unwritable(settings.supportapi_home):
        remedy = "Make it writable for this user, or set SUPPORTAPI_HOME to a folder that is."
        yield Problem(
            "home", f"The folder {settings.supportapi_home} cannot be written ({reason}).", remedy, blocks=True
        )


def _users(settings: Settings) -> Iterator[Problem]:
    try:
        kept = UserFile(settings.supportapi_home).read()
    except SupportApiError as cause:
        yield Problem("users", cause.message, "", blocks=True)
        return
    if settings.auth_enabled and not settings.is_local and not kept and not settings.supportapi_users:
        remedy = "Add one with 'supportapi users add NAME', or set SUPPORTAPI_USERS."
        yield Problem("users", "There are no users, so that nobody can sign in.", remedy, blocks=False)


def _redis(settings: Settings) -> Iterator[Problem]:
    if settings.redis_url is None:
        try:
            find_server_binary()
        except StartRefused as cause:
            yield Problem("redis", cause.message, "", blocks=True)
        return
    retry = Retry(NoBackoff(), 0)
    limits: dict[str, Any] = {"socket_timeout": _TIMEOUT_SECONDS, "socket_connect_timeout": _TIMEOUT_SECONDS}
    with Redis.from_url(settings.redis_url, retry=retry, **limits) as redis:
        try:
            with reaching_redis():
                server: dict[str, Any] = redis.info("server")  # pyright: ignore[reportAssignmentType] - sync client, so no awaitable
            policy = memory_problem(redis)
        except ShelfUnavailable as cause:
            remedy = "Start it, or mend REDIS_URL (host, port, password)."
            yield Problem("redis", f"The Redis of REDIS_URL cannot be used. {cause.message}", remedy, blocks=False)
            return
    release = str(server.get("redis_version", "0"))
    if tuple(int(part) for part in release.split(".")[:2] if part.isdigit()) < OLDEST_REDIS:
        yield Problem("redis", f"Redis {release} is too old.", "Use Redis 6.2 or later, or Valkey.", blocks=True)
    if policy is not None:
        yield Problem("redis", policy, "", blocks=False)


def _dataset(settings: Settings) -> Iterator[Problem]:
    source = source_of(settings)
    try:
        files = source.read().files
    except (StoreUnavailable, StoreDenied) as cause:
        yield Problem("dataset", cause.message, _STORE_REMEDY, blocks=False)
        return
    except SupportApiError as cause:
        remedy = "Make one with 'supportapi ingest FILE --mapping MAPPING', or 'supportapi sample'."
        yield Problem("dataset", cause.message, remedy, blocks=False)
        return
    for file in files if settings.data_source == "local" else ():
        if reason := _unreadable(settings.data_folder, file):
            remedy = "Ingest again, so that files and manifest fit."
            yield Problem("dataset", f"{file.path}, which {source.location} names, {reason}.", remedy, blocks=False)


def _port(settings: Settings) -> Iterator[Problem]:
    try:
        refuse_taken_port(settings.host, settings.port)
    except StartRefused as cause:
        yield Problem("port", cause.message, "", blocks=True)


def _exposed(settings: Settings) -> Iterator[Problem]:
    open_door = not settings.auth_enabled or not (settings.supportapi_users or _has_users(settings))
    if settings.is_local and open_door and settings.host not in _LOOPBACK:
        what = f"HOST={settings.host} lets others in, and everybody knows the sample users."
        remedy = "Add users with 'supportapi users add NAME', set APP_ENV, or listen on 127.0.0.1."
        yield Problem("sample users", what, remedy, blocks=False)


def _has_users(settings: Settings) -> bool:
    try:
        return bool(UserFile(settings.supportapi_home).read())
    except SupportApiError:
        return True


def _unwritable(folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as cause:
        return cause.strerror or type(cause).__name__


def _unreadable(folder: Path, file: ManifestFile) -> str | None:
    path = folder / file.path
    try:
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as cause:
        return f"cannot be read ({cause.strerror})"
    if file.size_bytes is not None and file.size_bytes != size:
        return f"has {size} bytes instead of {file.size_bytes}"
    return None
