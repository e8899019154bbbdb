"""How a process of ours begins: settings, logs, a look at what it needs, a Redis."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec
import structlog

from supportapi import tracing
from supportapi.access.secret_key import kept_secret
from supportapi.errors import StartRefused
from supportapi.processes.logs import configure_logs
from supportapi.processes.runner import end_with_runner
from supportapi.processes.verify import find_problems
from supportapi.settings import Settings, load_settings

_LOG: Final = structlog.get_logger()
DOTENV: Final = Path(".env")


def read_settings() -> Settings:
    """The settings of this process, complete. Raises `SettingsInvalid`."""
    settings = load_settings(os.environ, DOTENV)
    if settings.is_local and not settings.secret_key:
        settings = msgspec.structs.replace(settings, secret_key=kept_secret(settings.supportapi_home))
    return settings


def begin(process: str, *, listens: bool = False, tied: bool = False) -> Settings:
    """Read the settings, configure the logs, and look at everything that the process needs.

    One that is `tied` ends with the program that started it.

    Raises `SettingsInvalid` or `StartRefused` with every problem that must be mended first. What may heal by itself
    (no Redis yet, no dataset yet) is logged: the process waits for it.
    """
    if tied:
        end_with_runner()
    settings = read_settings()
    configure_logs(process, settings)
    if settings.tracing_enabled:
        tracing.refuse_without_extra()
    problems = find_problems(settings, listens=listens)
    if blocking := [problem for problem in problems if problem.blocks]:
        raise StartRefused("\n".join(f"{problem.what} {problem.remedy}" for problem in blocking))
    for problem in problems:
        _LOG.warning("start.problem", about=problem.about, what=problem.what, remedy=problem.remedy)
    return settings
