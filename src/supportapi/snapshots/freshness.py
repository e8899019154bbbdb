"""When what is served was not the newest data, and why: one turn for each change, as the watcher saw it."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.snapshots.pointer import Pointer
    from supportapi.snapshots.sightings import ManifestSighting

TURNS_KEPT: Final = 256
TURN: Final = b"turn"
"""The field of the stream in which one is written."""
_SILENT_INTERVALS: Final = 3
_SILENT_GRACE_SECONDS: Final = 10.0

Behind = Literal["manifest_unreadable", "manifest_changed", "build_failed", "rolled_back"]
StaleCause = Literal[Behind, "watcher_silent"]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What is served became stale for `cause` at `at`, or fresh again (None). `version` is the one that is wanted."""

    at: datetime
    cause: StaleCause | None
    version: str | None = None


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which what was served was stale for one cause; `ended_at` is None while it lasts."""

    cause: StaleCause
    version: str | None
    began_at: datetime
    ended_at: datetime | None


def silence_allowed(interval_seconds: float) -> float:
    """After how many seconds without a word a watcher has missed several of its own intervals."""
    return _SILENT_INTERVALS * interval_seconds + _SILENT_GRACE_SECONDS


def why_behind(sighting: ManifestSighting, pointer: Pointer | None, served: str | None) -> Behind | None:
    """Why `served` is not the version that the manifest asks for; None when it is."""
    if sighting.version is None:
        return "manifest_unreadable"
    if sighting.version == served:
        return None
    if pointer is not None and pointer.holds_off(sighting.version):
        return "rolled_back"
    return "build_failed" if sighting.error_job is not None else "manifest_changed"


def spells(turns: Iterable[Turn]) -> list[Spell]:
    """The stale times that `turns` (the oldest first) tell of, the newest first.

    A turn that says what the one before it said is none: a watcher that starts does not know what another one told.
    """
    told = [next(same) for _, same in groupby(turns, key=lambda turn: (turn.cause, turn.version))]
    found = [
        Spell(cause=turn.cause, version=turn.version, began_at=turn.at, ended_at=following.at if following else None)
        for turn, following in zip_longest(told, told[1:])
        if turn is not None and turn.cause is not None
    ]
    return found[::-1]
