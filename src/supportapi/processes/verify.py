"""What is wrong with this machine, all of it at once, each with its remedy."""

from __future__ import annotations

import tempfile
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final

from supportapi.access.users import UserFile
from supportapi.errors import StartRefused, StoreDenied, StoreUnavailable, SupportApiError
from supportapi.processes.port import reachable_host, refuse_taken_port
from supportapi.processes.problem import Problem
from supportapi.processes.redis_settings import LOOPBACK, TIMEOUT_SECONDS, redis_problems
from supportapi.processes.store import source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from supportapi.calls.manifest import ManifestFile
    from supportapi.settings import Settings

_STORE_REMEDY: Final = "Mend S3_BUCKET, S3_ENDPOINT_URL, AWS_REGION or the credentials (docs/s3.md)."


def find_problems(settings: Settings, *, listens: bool) -> list[Problem]:
    """Everything that is wrong around these settings, which are valid in themselves.

    `listens` asks for the port as well. Takes milliseconds, and seconds when Redis does not answer.
    """
    return [problem for check in checks(listens=listens).values() for problem in check(settings)]


def checks(*, listens: bool) -> Mapping[str, Callable[[Settings], Iterator[Problem]]]:
    """Every look that `find_problems` takes, by what it is about."""
    return _CHECKS | (_OF_A_LISTENER if listens else {})


def is_serving(settings: Settings) -> bool:
    """Whether an API of ours answers where these settings say."""
    host = reachable_host(settings.host)
    try:
        connection = HTTPConnection(host, settings.port, timeout=TIMEOUT_SECONDS)
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
    if settings.is_local and open_door and settings.host not in LOOPBACK:
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


_CHECKS: Final = {"home": _home, "users": _users, "redis": redis_problems, "dataset": _dataset}
_OF_A_LISTENER: Final = {"port": _port, "sample users": _exposed}
