"""Alive, and ready: what an orchestrator and an operator ask."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.meta import StaleReason
from supportapi.api.doors import doors_of
from supportapi.api.follower import Follower
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import json_response


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The process runs and answers."""

    status: Literal["alive"] = "alive"


class AliveAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Liveness."""

    data: Alive


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must hold."""

    name: Literal["version", "redis", "watcher", "worker", "manifest"]
    ok: bool
    code: Annotated[str | None, Doc(description="Stable name of what is wrong.", examples=["REDIS_UNAVAILABLE"])]
    message: str | None
    blocking: Annotated[bool, Doc(description="Whether the process is not ready while this fails.")]


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """`degraded`: answers are served, and something that keeps them fresh is missing."""

    status: Literal["ready", "degraded", "not_ready"]
    version: str | None
    stale: bool
    stale_reason: StaleReason | None
    checks: tuple[Check, ...]


class ReadyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Readiness."""

    data: Readiness


HEALTH: Final = Operation(
    id="getHealth",
    tag="status",
    summary="Is the process alive?",
    description="Says nothing of the data: a process without Redis is alive.",
    role=None,
    successes={200: Success(description="It is.", body=AliveAnswer)},
)
READY: Final = Operation(
    id="getReadiness",
    tag="status",
    summary="Can it answer, and is it kept fresh?",
    description="503 only while there is no version to answer from. Everything else that is wrong is named by code "
    "and makes it `degraded`: the last good version is still served, and called stale where it may be.",
    role=None,
    successes={
        200: Success(description="It can answer.", body=ReadyAnswer),
        503: Success(description="It cannot answer yet.", body=ReadyAnswer),
    },
)


@reading("/api/healthz", HEALTH)
async def healthz() -> ASGIApp:
    """Alive, as long as this is answered at all."""
    return json_response(AliveAnswer(data=Alive()))


@reading("/api/readyz", READY)
async def readyz(request: Request[Any, Any, Any]) -> ASGIApp:
    """What is known here and now; asks nobody."""
    doors = doors_of(request)
    said = readiness(doors.follower)
    return json_response(ReadyAnswer(data=said), status=503 if said.status == "not_ready" else 200)


def readiness(follower: Follower) -> Readiness:
    """Every check, and what follows from them."""
    current = follower.current
    checks = tuple(_checks(follower))
    failing = [check for check in checks if not check.ok]
    blocked = any(check.blocking for check in failing)
    return Readiness(
        status="not_ready" if blocked else "degraded" if failing else "ready",
        version=current.snapshot.card.version if current.snapshot else None,
        stale=current.stale_reason is not None,
        stale_reason=current.stale_reason,
        checks=checks,
    )


def _checks(follower: Follower) -> list[Check]:
    seen, current = follower.seen, follower.current
    problem = seen.load_problem or (current.problem if current.snapshot is None else None)
    checks = [
        _check("version", None if current.snapshot and not problem else _said(problem), blocking=not current.snapshot)
    ]
    if not seen.redis:
        # What the others say of themselves stands in Redis: without it nothing is known of them.
        return [*checks, _check("redis", ("REDIS_UNAVAILABLE", "Redis does not answer."))]
    checks.append(_check("redis", None))
    silent = ("WATCHER_SILENT", "No watcher has looked at the dataset lately.") if seen.watcher_silent else None
    checks.append(_check("watcher", silent))
    checks.append(_check("worker", None if seen.workers else ("WORKER_SILENT", "No worker lives.")))
    manifest = seen.manifest
    wrong = (manifest.error_code, manifest.error_message or "") if manifest and manifest.error_code else None
    checks.append(_check("manifest", wrong))
    return checks


def _said(problem: Any) -> tuple[str, str]:
    return (problem.code, problem.message) if problem is not None else ("WARMING_UP", "No version is loaded yet.")


def _check(
    name: Literal["version", "redis", "watcher", "worker", "manifest"],
    wrong: tuple[str, str] | None,
    *,
    blocking: bool = False,
) -> Check:
    code, message = wrong or (None, None)
    return Check(name=name, ok=wrong is None, code=code, message=message, blocking=blocking)
