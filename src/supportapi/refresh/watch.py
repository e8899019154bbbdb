"""Is the version that the manifest asks for the one that is published? If not, somebody must build it.

The manifest is compared with the *published pointer*, never with the last file seen: missed events, an emptied Redis,
a failed build and a restart are all healed by the same comparison.
"""

from __future__ import annotations

import contextlib
import os
import time
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import structlog
from watchfiles import watch

from supportapi.calls.manifest import Manifest
from supportapi.errors import ShelfUnavailable, SupportApiError
from supportapi.refresh.freshness_log import FreshnessLog
from supportapi.refresh.retry import is_due
from supportapi.snapshots.keys import FORMAT
from supportapi.snapshots.sightings import ManifestSighting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from supportapi.dataset.source import Source
    from supportapi.refresh.queue import BuildQueue
    from supportapi.refresh.records import JobRecord, Records
    from supportapi.snapshots.pointer import Pointer
    from supportapi.snapshots.shelf import Shelf

_LOG: Final = structlog.get_logger()
_TICK_SECONDS: Final = 1.0
_DEBOUNCE_MS: Final = 200
_STEP_MS: Final = 20
_LONGEST_PAUSE_SECONDS: Final = 2.0
# Builds that wait already: a manifest that is replaced faster than it can be built must not fill the queue.
_WAITING_MAX: Final = 4
REQUESTED_BY: Final = "watcher"
NEWER_RELEASE: Final = "NEWER_RELEASE"


class Watcher:
    """Looks at the manifest on every event in its folder and every `interval_seconds`, and asks for builds.

    `manifest_path` is None for a source without a folder (then the timer looks, and whenever there is `news`). `wanted`
    names the version that a manifest asks for.
    """

    def __init__(
        self,
        *,
        source: Source,
        manifest_path: Path | None,
        shelf: Shelf,
        records: Records,
        queue: BuildQueue,
        wanted: Callable[[Manifest], str],
        interval_seconds: float,
        name: str,
    ) -> None:
        self._source = source
        self._manifest_path = manifest_path
        self._shelf = shelf
        self._records = records
        self._queue = queue
        self._freshness = FreshnessLog(shelf)
        self._wanted = wanted
        self._interval_seconds = interval_seconds
        self._name = name
        self.news = Event()
        """Set it when something may have changed: where no folder is watched, the manifest is looked at then."""
        self._seen: Manifest | SupportApiError | None = None
        self._looked_at = 0.0
        self._polling = False
        self._away_since: float | None = None
        self._pause_until = 0.0
        self._told: tuple[str | None, str | None] | None = None

    def run(self, stop: Event) -> None:
        """Watch until `stop` is set."""
        _LOG.info("watcher.started", manifest=self._source.location, interval_seconds=self._interval_seconds)
        self.tick(look=True)
        while not stop.is_set():
            if self._manifest_path is None:
                heard = self.news.wait(min(_TICK_SECONDS, self._interval_seconds))
                self.news.clear()  # before the look: news that come during it are news
                self.tick(look=heard)
                continue
            try:
                self._watch(self._manifest_path, stop)
            except OSError as cause:  # a folder went away between the look and the watch, or may not be watched
                self._give_way(cause)
                stop.wait(_STEP_MS / 1000)
            except Exception as cause:
                if type(cause).__name__ != "WatchfilesRustInternalError" or self._polling:
                    raise
                self._give_way(cause)
        _LOG.info("watcher.stopped")

    def tick(self, *, look: bool = False) -> None:
        """One turn: look at the manifest if something happened or it is time, then compare. Waits for nobody.

        While Redis is away it is asked again after a growing pause; nothing is forgotten, for nothing is remembered.
        """
        now = time.monotonic()
        if look or self._seen is None or now - self._looked_at >= self._interval_seconds:
            self._look()
            self._looked_at = now
        if now < self._pause_until:
            return
        try:
            self.reconcile()
        except ShelfUnavailable as cause:
            if self._away_since is None:
                self._away_since = now
                _LOG.warning("watcher.redis_lost", reason=cause.message)
            away = time.monotonic() - self._away_since
            self._pause_until = time.monotonic() + min(0.1 + away, _LONGEST_PAUSE_SECONDS)
        else:
            if self._away_since is not None:
                _LOG.info("watcher.redis_back", seconds=round(now - self._away_since, 1))
            self._away_since = None

    def reconcile(self) -> None:
        """Compare the manifest with the published pointer, ask for what is missing, and say what was seen."""
        if self._seen is None:
            self._look()
        self._queue.sweep()
        sighting = self._sighting()
        if isinstance(self._seen, SupportApiError) or sighting.version is None or sighting.dataset_hash is None:
            self._tell(sighting, None)
            return
        current = self._shelf.current()
        failed: JobRecord | None = None
        newer = current is not None and current.format > FORMAT
        held_off = current is not None and current.holds_off(sighting.version)
        if not newer and not held_off and (current is None or current.version != sighting.version):
            record = self._records.latest(sighting.version)
            if is_due(record, self._records.clock(), min(_TICK_SECONDS, self._interval_seconds), self._last_write):
                if self._queue.length() < _WAITING_MAX:
                    self._queue.request_build(sighting.version, sighting.dataset_hash, REQUESTED_BY)
            elif record is not None and record.state == "failed":
                failed = record
        self._tell(self._sighting(failed, newer=newer), current)

    def _tell(self, sighting: ManifestSighting, current: Pointer | None) -> None:
        self._freshness.note(sighting, current)
        self._shelf.see_manifest(sighting)

    def _look(self) -> None:
        try:
            self._seen = self._source.read()
        except SupportApiError as cause:
            self._seen = cause
        told = (getattr(self._seen, "hash", None), getattr(self._seen, "code", None))
        if told != self._told:
            self._told = told
            _LOG.info("manifest.seen", location=self._source.location, dataset_hash=told[0], code=told[1])

    def _last_write(self) -> datetime | None:
        if self._manifest_path is None or not isinstance(self._seen, Manifest):
            return None
        # The change of the entry: a copy may bring the time of its bytes along from elsewhere.
        written: list[float] = []
        for file in self._seen.files:
            with contextlib.suppress(OSError):
                written.append((self._manifest_path.parent / file.path).stat().st_ctime)
        return datetime.fromtimestamp(max(written), UTC) if written else None

    def _sighting(self, failed: JobRecord | None = None, *, newer: bool = False) -> ManifestSighting:
        about: dict[str, Any] = {
            "location": self._source.location,
            "seen_at": self._records.clock(),
            "watcher": self._name,
            "interval_seconds": self._interval_seconds,
        }
        seen = self._seen
        if isinstance(seen, SupportApiError):
            return ManifestSighting(**about, error_code=seen.code, error_message=seen.message)
        if seen is None:
            return ManifestSighting(**about)
        if failed is not None and failed.reason is not None:
            about |= {
                "error_code": failed.reason.code,
                "error_message": failed.reason.message,
                "error_job": failed.id,
                "next_attempt_at": failed.next_attempt_at,
            }
        elif newer:
            about |= {"error_code": NEWER_RELEASE, "error_message": "A newer release has published; this one waits."}
        return ManifestSighting(
            **about,
            dataset_hash=seen.hash,
            version=self._wanted(seen),
            size_bytes=seen.size_bytes,
            row_count=seen.row_count,
            rejected_rows=seen.rejected_rows,
            updated_at=seen.updated_at,
            min_started_at=seen.min_started_at,
            max_started_at=seen.max_started_at,
        )

    def _watch(self, manifest_path: Path, stop: Event) -> None:
        """Follow the folders that matter until one of them is another folder than it was."""
        folders = _folders(manifest_path)
        armed = _identities(folders)
        matters = _Matters(manifest_path)
        first = True  # what happened before the watch was armed made no event
        for changes in watch(
            *folders,
            recursive=False,
            watch_filter=None,  # what it leaves out would put off its time-out, and with it our timer, for ever
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=int(min(_TICK_SECONDS, self._interval_seconds) * 1000),
            yield_on_timeout=True,
            stop_event=stop,
            force_polling=self._polling or None,
            raise_interrupt=False,
        ):
            self.tick(look=first or any(matters(path) for _, path in changes))
            first = False
            if _identities(_folders(manifest_path)) != armed:
                self.tick(look=True)
                return

    def _give_way(self, cause: Exception) -> None:
        if not isinstance(cause, FileNotFoundError) and not self._polling:
            _LOG.warning("watcher.polling", reason=str(cause)[:200])
            self._polling = True
        self.tick(look=True)


class _Matters:
    """Which events matter: everything beside the manifest, and what replaces one of the folders on the way to it."""

    def __init__(self, manifest_path: Path) -> None:
        self._folders = {str(manifest_path.parent), str(manifest_path.resolve().parent)}
        self._way = {str(path) for path in (manifest_path, *manifest_path.parents)}

    def __call__(self, path: str) -> bool:
        return path in self._way or os.path.dirname(path) in self._folders  # noqa: PTH120 - for each event


def _folders(manifest_path: Path) -> list[Path]:
    """What to watch: the nearest folder there is, the one that holds it (it may be swapped), and where links lead."""
    root = next((path for path in manifest_path.parents if path.is_dir()), manifest_path.parents[-1])
    return sorted({root, root.parent, *(path for path in (manifest_path.resolve().parent,) if path.is_dir())})


def _identities(folders: Iterable[Path]) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    for folder in folders:
        try:
            status = folder.stat()
        except OSError:
            continue
        found.append((str(folder), status.st_dev, status.st_ino))
    return found
