"""Notes each time when what is served becomes stale or fresh again, so that an operator sees it later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportapi.snapshots.freshness import Turn, silence_allowed, why_behind

if TYPE_CHECKING:
    from supportapi.snapshots.pointer import Pointer
    from supportapi.snapshots.shelf import Shelf
    from supportapi.snapshots.sightings import ManifestSighting


class FreshnessLog:
    """What one watcher tells of freshness. Raises `ShelfUnavailable` as the shelf does; call it again then."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._seen: ManifestSighting | None = None
        self._told: Turn | None = None

    def note(self, sighting: ManifestSighting, current: Pointer | None) -> None:
        """Note what has changed. Call it before `sighting` takes the place of the one before it on the shelf.

        A time in which nobody watched is noted afterwards, from the last sighting on: who came back knows of it.
        """
        before = self._seen or self._shelf.manifest()
        if before is not None and _silence(before, sighting) > silence_allowed(before.interval_seconds):
            self._tell(Turn(at=before.seen_at, cause="watcher_silent"))
        cause = why_behind(sighting, current, current.version if current else None)
        self._tell(Turn(at=sighting.seen_at, cause=cause, version=sighting.version if cause else None))
        self._seen = sighting

    def _tell(self, turn: Turn) -> None:
        told = self._told
        if told is None or (told.cause, told.version) != (turn.cause, turn.version):
            self._shelf.note_turn(turn)
            self._told = turn


def _silence(before: ManifestSighting, sighting: ManifestSighting) -> float:
    return (sighting.seen_at - before.seen_at).total_seconds()
