"""`GET /api/settings/freshness`: when what was served was not the newest data, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp
from msgspec import Meta as Doc

from supportapi.answers.query_string import decode
from supportapi.api.doors import doors_of
from supportapi.api.envelope import Envelope
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import json_response
from supportapi.api.versions import NoQuery
from supportapi.errors import ShelfUnavailable, ValidationFailed
from supportapi.snapshots.freshness import Spell, StaleCause, spells


class StaleTime(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which what was served may not have been the newest data, for one cause."""

    cause: Annotated[
        StaleCause,
        Doc(
            description="`manifest_changed`: a version was being built, so that its length is how long that dataset "
            "took to be published; `watcher_silent`: nobody looked, or Redis was away. The others as `stale_reason`."
        ),
    ]
    version: Annotated[str | None, Doc(description="The version that was wanted; null where nobody knew.")]
    began_at: Annotated[datetime, Doc(description="When it began.")]
    ended_at: Annotated[datetime | None, Doc(description="When it ended; null while it lasts.")]
    seconds: Annotated[float, Doc(ge=0, description="How long it lasted, or lasts until now.")]


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of staleness."""

    since: Annotated[datetime | None, Doc(description="Nothing is known of the time before; null: of any time.")]
    until: Annotated[datetime, Doc(description="Now.")]
    stale_seconds: Annotated[float, Doc(ge=0, description="All stale times together.", examples=[41.2])]
    stale: Annotated[list[StaleTime], Doc(description="The stale times, the newest first; of all others it was fresh.")]


class FreshnessAnswer(Envelope[Freshness], frozen=True, kw_only=True):
    """Staleness over time."""


OPERATION: Final = Operation(
    id="getFreshness",
    tag="settings",
    summary="Staleness over time",
    description="When what was served was not the newest data, why, and for how long, as the watcher saw it: the last "
    "256 changes, as long as Redis keeps its data. A dataset that was published without a fault is one time, from "
    "the moment when its manifest was seen until it was in force.",
    role="admin",
    query=NoQuery,
    successes={200: Success(description="What is remembered.", body=FreshnessAnswer)},
    errors=(ValidationFailed, ShelfUnavailable),
)


@reading("/api/settings/freshness", OPERATION)
async def freshness(request: Request[Any, Any, Any]) -> ASGIApp:
    """Read from the shelf, where the watcher notes it. Raises `ShelfUnavailable`."""
    decode(request.scope["query_string"], NoQuery)
    doors = doors_of(request)
    turns, now = await doors.shelf.turns(), doors.now()
    stale = [_stale_time(spell, now) for spell in spells(turns)]
    return json_response(
        FreshnessAnswer(
            data=Freshness(
                since=turns[0].at if turns else None,
                until=now,
                stale_seconds=sum(time.seconds for time in stale),
                stale=stale,
            )
        )
    )


def _stale_time(spell: Spell, now: datetime) -> StaleTime:
    seconds = ((spell.ended_at or now) - spell.began_at).total_seconds()
    return StaleTime(
        cause=spell.cause,
        version=spell.version,
        began_at=spell.began_at,
        ended_at=spell.ended_at,
        seconds=max(seconds, 0.0),  # clocks are set back
    )
