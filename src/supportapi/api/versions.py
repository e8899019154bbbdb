"""`GET /api/versions`: the snapshots that are kept, the newest publish first."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.query_string import decode
from supportapi.api.doors import doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import json_response
from supportapi.api.trace import trace_of
from supportapi.errors import NotFound, ShelfUnavailable, ValidationFailed, VersionGone
from supportapi.snapshots.keys import FORMAT
from supportapi.snapshots.pointer import Kept, Rollback, VersionCard

if TYPE_CHECKING:
    from collections.abc import Sequence


NAMES: Final = ("current", "previous")
"""What the version that was published last may be called, and the one before it."""

_VERSION: Final = re.compile(r"[0-9a-f]{16}")


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot: which data, computed when and for how long."""

    version: str
    served: Annotated[bool, Doc(description="Whether the process that answers serves it.")]
    sequence: Annotated[int, Doc(description="Orders publishes.")]
    dataset: str | None
    dataset_hash: str
    rows: int
    built_at: datetime
    build_seconds: float
    as_of: datetime | None
    min_started_at: datetime | None
    max_started_at: datetime | None
    files: Annotated[int, Doc(description="Of how many files the dataset was made.")]
    zones: tuple[str, ...]
    audit_queries: Annotated[int, Doc(description="Random questions that were checked against the rows before it.")]


class RolledBack(msgspec.Struct, frozen=True, kw_only=True):
    """That an admin put an older version in force, and which version is held off by that."""

    by: Annotated[str, Doc(description="Who did it.", examples=["admin"])]
    at: Annotated[datetime, Doc(description="When.")]
    over: Annotated[
        str,
        Doc(
            description="The version of the live dataset, which is held off while that stays live.",
            examples=["3f9c1d0a55b2e871"],
        ),
    ]


class VersionsMeta(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are."""

    total: int
    rolled_back: Annotated[RolledBack | None, Doc(description="Null while the newest data is what is published.")]


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    """The kept versions."""

    data: list[Version]
    meta: VersionsMeta


OPERATION: Final = Operation(
    id="listVersions",
    tag="versions",
    summary="The versions that are kept",
    query=NoQuery,
    successes={200: Success(description="The newest publish first.", body=VersionList)},
    errors=(ValidationFailed, ShelfUnavailable),
)


@reading("/api/versions", OPERATION)
async def list_versions(request: Request[Any, Any, Any]) -> ASGIApp:
    """Read from the shelf, where all processes keep them. Raises `ShelfUnavailable`."""
    decode(request.scope["query_string"], NoQuery)
    snapshot = trace_of(request.scope).current.snapshot
    served = snapshot.card.version if snapshot else None
    kept = [_version(entry, served) for entry in await doors_of(request).shelf.history()]
    pointer = doors_of(request).follower.seen.pointer
    rolled_back = rolled_back_of(pointer.rollback if pointer else None)
    return json_response(VersionList(data=kept, meta=VersionsMeta(total=len(kept), rolled_back=rolled_back)))


def rolled_back_of(rollback: Rollback | None) -> RolledBack | None:
    """What a client is shown of a rollback."""
    return None if rollback is None else RolledBack(by=rollback.by, at=rollback.at, over=rollback.over)


def card_of(name: str, kept: Sequence[Kept], names: Sequence[str] = NAMES) -> VersionCard:
    """The card of the version called `name`, of those that are `kept`, the newest publish first.

    `names` are the other names that the newest ones go by. Raises `VersionGone` for what may once have been a version,
    `NotFound` for anything else; both list those there are.
    """
    # What another release has written in another format cannot be read by this one.
    by_name = {entry.card.version: entry.card for entry in kept if entry.card.format == FORMAT}
    there = list(by_name)
    by_name |= dict(zip(names, by_name.values(), strict=False))
    if name in by_name:
        return by_name[name]
    if _VERSION.fullmatch(name):
        raise VersionGone(f"Version '{name}' is not kept any longer, if it ever was.", kept=there)
    raise NotFound(f"There is no version '{name[:100]}'.", kept=there)


def _version(kept: Kept, served: str | None) -> Version:
    card = kept.card
    return Version(
        version=card.version,
        served=card.version == served,
        sequence=kept.sequence,
        dataset=card.dataset,
        dataset_hash=card.dataset_hash,
        rows=card.rows,
        built_at=card.built_at,
        build_seconds=card.build_seconds,
        as_of=card.as_of,
        min_started_at=card.min_started_at,
        max_started_at=card.max_started_at,
        files=len(card.files),
        zones=card.zones,
        audit_queries=card.audit_queries,
    )
