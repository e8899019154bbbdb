"""Is what is published what the manifest asks for, and if not, why not? Pure: given what was seen, and an instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from supportapi.answers.meta import StaleReason
    from supportapi.snapshots.pointer import Pointer
    from supportapi.snapshots.sightings import ManifestSighting

_SILENT_INTERVALS: Final = 3
_SILENT_GRACE: Final = timedelta(seconds=10)


def watcher_is_silent(sighting: ManifestSighting | None, now: datetime) -> bool:
    """Whether the watcher has missed several of its own intervals."""
    if sighting is None:
        return True
    return now - sighting.seen_at > _SILENT_INTERVALS * timedelta(seconds=sighting.interval_seconds) + _SILENT_GRACE


def stale_reason(
    served: str, pointer: Pointer | None, sighting: ManifestSighting | None, now: datetime
) -> StaleReason | None:
    """Why the version `served` may not be the newest data; None when it is known to be."""
    if pointer is None:
        return "version_lost"
    if sighting is None or watcher_is_silent(sighting, now):
        return "watcher_silent"
    if sighting.version is None:
        return "manifest_unreadable"
    return None if sighting.version == served else _why_not(sighting.version, pointer, sighting)


def _why_not(wanted: str, pointer: Pointer, sighting: ManifestSighting) -> StaleReason:
    """Why the version that the manifest asks for is not the one in force."""
    if pointer.holds_off(wanted):
        return "rolled_back"
    return "build_failed" if sighting.error_code is not None else "manifest_changed"
