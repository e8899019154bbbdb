"""`GET /api/versions/{a}...{b}`: what changed between two versions, and how each KPI moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Request
from litestar.types import ASGIApp

from supportapi.answers.query_string import canonical, decode
from supportapi.answers.version_diff import DiffAnswer, DiffQuery, Named, version_diff
from supportapi.api.answer import Answer, tag_of
from supportapi.api.doors import Doors, doors_of
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.trace import trace_of
from supportapi.api.versions import card_of
from supportapi.calls.selection import Selection
from supportapi.errors import (
    DataMissing,
    NotFound,
    Overloaded,
    ShelfUnavailable,
    SnapshotIncomplete,
    ValidationFailed,
    VersionGone,
)

if TYPE_CHECKING:
    from supportapi.calls.changes import Changes
    from supportapi.calls.window import Window
    from supportapi.snapshots.pointer import VersionCard

_ROUTE: Final = "/api/versions/{pair}"

OPERATION: Final = Operation(
    id="compareVersions",
    tag="versions",
    summary="What changed between two versions",
    description="Why did yesterday's number change? Of the calls that the window and the filters choose in either "
    "version: how many were added, removed and changed, by day and by column, a few of each, and how every KPI moved. "
    "Files that both versions have are not read.",
    path_parameters={
        "pair": "Two versions, the older one first: `3f9c1d0a55b2e871...10abb923fed68245`. `previous` and `current` "
        "stand for the two published last."
    },
    query=DiffQuery,
    successes={200: Success(description="What differs.", body=DiffAnswer)},
    errors=(ValidationFailed, NotFound, VersionGone, ShelfUnavailable, SnapshotIncomplete, DataMissing, Overloaded),
    cached=True,
)


@reading("/api/versions/{pair:str}", OPERATION)
async def compare_versions(request: Request[Any, Any, Any]) -> ASGIApp:
    """Computed once: what two versions are never changes. Raises as the operation says."""
    scope = request.scope
    doors, current = doors_of(request), trace_of(scope).current
    hot = current.hot
    query = decode(scope["query_string"], DiffQuery)
    first, dots, second = request.path_params["pair"].partition("...")
    if not dots:
        raise NotFound(f"Name two versions: '{first[:100]}...current', or its audit: '{first[:100]}/audit'.")
    kept = await doors.shelf.history()
    before, after = card_of(first, kept), card_of(second, kept)
    path, spelled = f"/api/versions/{before.version}...{after.version}", canonical(query)
    key = (current.scope, path, spelled.encode())
    found = hot.find(key)
    if found is None:
        old, new = await _named(doors, before), await _named(doors, after)

        def work() -> Answer:
            def compare(window: Window, zone: str) -> Changes:
                return _compared(doors, before, after, query, window, zone)

            body = msgspec.json.encode(version_diff(old, new, query, compare))
            tag = tag_of(current.scope, path, None, path, spelled)
            return Answer(body, tag, route=_ROUTE, source="scan", version=after.version)

        found = await doors.calls_desk.run_once(key, work)
        hot.keep(key, found)
    hot.alias(key, (current.scope, scope["path"], scope["query_string"]))
    return found


async def _named(doors: Doors, card: VersionCard) -> Named:
    """The version of `card`, its arrays loaded, or made where this machine has none."""
    aggregates = await doors.machine.load_or_make(doors.shelf, card)
    files = frozenset(file.hash for file in card.files)
    return Named(card.version, card.dataset_hash, card.built_at, card.as_of, files, aggregates)


def _compared(
    doors: Doors, before: VersionCard, after: VersionCard, query: DiffQuery, window: Window, zone: str
) -> Changes:
    from supportapi.calls.comparison import changes  # noqa: PLC0415 - Polars, which the start of the API does without
    from supportapi.calls.listing import selected  # noqa: PLC0415 - see above

    chosen = Selection(window=window, zone=zone, filter=query.filter)
    old, new = (
        selected(doors.machine.calls(_only(card, other)), chosen) for card, other in ((before, after), (after, before))
    )
    return changes(old, new, zone)


def _only(card: VersionCard, other: VersionCard) -> VersionCard:
    """`card` with the files that `other` does not have. Files are named by their content."""
    shared = {file.hash for file in other.files}
    return msgspec.structs.replace(card, files=tuple(file for file in card.files if file.hash not in shared))
