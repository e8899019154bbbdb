"""The key that a developer's machine makes for itself."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Final

from supportapi.errors import SettingsInvalid

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "secret-key"


def kept_secret(home: Path) -> str:
    """The secret in `home`, made (0600) when there is none yet; the same for processes that ask at the same moment.

    Raises `SettingsInvalid` when it can neither be read nor made.
    """
    path = home / FILE_NAME
    try:
        home.mkdir(parents=True, exist_ok=True)
        secret = _read(path) or _make(path)
    except OSError as cause:
        remedy = "Make the folder writable, or set SUPPORTAPI_HOME or SECRET_KEY."
        raise SettingsInvalid([f"The secret in {path} cannot be read or made ({cause.strerror}). {remedy}"]) from cause
    if not secret:
        raise SettingsInvalid([f"The secret in {path} is empty. Remove the file, so that a new one is made."])
    return secret


def _read(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    return ""


def _make(path: Path) -> str:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(secrets.token_urlsafe(48))
    try:
        # A link, unlike a rename, never replaces: of several processes the first one's secret stays.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(beside)
    finally:
        beside.unlink()
    return path.read_text().strip()
