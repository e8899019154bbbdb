"""`supportapi doctor`: every check of a machine and of the system that it belongs to, each with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supportapi.errors import SupportApiError
from supportapi.processes.problem import Problem
from supportapi.processes.system import document, look
from supportapi.processes.verify import checks, is_serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportapi.processes.system import Standing
    from supportapi.settings import Settings


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """One check. `what` and `remedy` are null where nothing is wrong; `blocks` is what no process starts with."""

    check: str
    ok: bool
    what: str | None = None
    remedy: str | None = None
    blocks: bool = False


def examine(settings: Settings) -> list[Examined]:
    """Everything that `verify` looks at, and whether the processes do what they are for."""
    serving = is_serving(settings)  # our own API may hold the port
    found = [
        each for name, check in checks(listens=not serving).items() for each in _examined(name, [*check(settings)])
    ]
    nobody = Problem("api", f"No API answers at {settings.host}:{settings.port}.", "Start 'supportapi api'.")
    found += _examined("api", [] if serving else [nobody])
    try:
        standing = look(settings)
    except SupportApiError as cause:
        return [
            *found,
            *_examined("system", [Problem("system", cause.message, "Start 'supportapi dev', or see redis.")]),
        ]
    for name, problem in _of_the_system(standing):
        found += _examined(name, [] if problem is None else [Problem(name, *problem)])
    return found


def shown(found: list[Examined], *, as_json: bool) -> str:
    """The checks for a program, or for people: what is well in a line, what is not with its remedy."""
    return document(found) if as_json else "\n".join(_lines(found))


def _lines(found: list[Examined]) -> Iterator[str]:
    for each in found:
        if each.ok:
            yield f"ok      {each.check}"
            continue
        yield f"{'REFUSED' if each.blocks else 'FAILS  '} {each.check}: {each.what}"
        if each.remedy:
            yield f"        -> {each.remedy}"


def _of_the_system(standing: Standing) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """What each part of the running system lacks, and the remedy."""
    watcher = standing.watcher
    silent = watcher is None or watcher.silent
    told = "No watcher has looked at the dataset lately: new data is not noticed."
    yield "watcher", (told, "Start 'supportapi watcher'; its log says why it ended.") if silent else None
    told = "No worker lives: new data is not built."
    yield "worker", None if standing.workers else (told, "Start 'supportapi worker'; its log says why it ended.")
    waiting = standing.queued > len(standing.workers)
    told = f"{standing.queued} jobs wait for {len(standing.workers)} workers."
    yield "queue", (told, "Wait, or start another worker.") if waiting else None
    wrong = watcher.error_code if watcher is not None else None
    if watcher is not None and wrong is not None:
        remedy = "Mend the dataset, and ingest again; 'supportapi status' lists the failures."
        yield "manifest", (f"{wrong}: {watcher.error_message}", remedy)
    else:
        yield "manifest", None
    if standing.served is None:
        yield "version", ("No version is published yet.", "It is, a moment after watcher and worker find a dataset.")
    elif standing.stale:
        remedy = "It heals by itself once the other checks are well; a rollback is ended by a refresh."
        yield "version", (f"What is served may not be the newest: {standing.stale_reason}.", remedy)
    else:
        yield "version", None


def _examined(name: str, problems: list[Problem]) -> list[Examined]:
    if not problems:
        return [Examined(check=name, ok=True)]
    return [
        Examined(check=name, ok=False, what=each.what, remedy=each.remedy or None, blocks=each.blocks)
        for each in problems
    ]
