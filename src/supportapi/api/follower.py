"""Keeps the current version in memory, and knows how fresh it is. No request ever waits for Redis."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from supportapi.answers.prepared import PreparedAnswer
from supportapi.api.current import Current, Snapshot, nothing_loaded, ready_answers
from supportapi.api.hot import HotAnswers
from supportapi.errors import ShelfUnavailable, SnapshotIncomplete, SupportApiError, WarmingUp
from supportapi.snapshots.freshness import silence_allowed, why_behind
from supportapi.snapshots.keys import FORMAT
from supportapi.snapshots.pointer import PREPARED
from supportapi.snapshots.shelf import EVENTS_KEPT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from supportapi.answers.meta import StaleReason
    from supportapi.api.machine import ThisMachine
    from supportapi.refresh.totals import AsyncTotals, JobTotals
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.snapshots.follow import AsyncShelf, Memory
    from supportapi.snapshots.pointer import Pointer, Published, VersionCard
    from supportapi.snapshots.sightings import ManifestSighting, WorkerBeat

WAIT_MS: Final = 1_000
_BACKOFF_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0)
_STOP_SECONDS: Final = 0.5
_WORKERS_EVERY_SECONDS: Final = 3.0
_log = structlog.get_logger(__name__)


class Seen:
    """What the follower saw last: for readiness, and for what is told of freshness."""

    __slots__ = (
        "heard_at",
        "load_problem",
        "manifest",
        "memory",
        "pointer",
        "redis",
        "stale_since",
        "totals",
        "watcher_silent",
        "workers",
        "workers_at",
    )

    def __init__(self) -> None:
        self.redis = False
        self.pointer: Pointer | None = None
        self.manifest: ManifestSighting | None = None
        self.watcher_silent = True
        self.heard_at = 0.0
        self.workers: list[WorkerBeat] = []
        self.totals: JobTotals | None = None
        self.memory: Memory | None = None
        self.stale_since: datetime | None = None
        self.workers_at = 0.0
        self.load_problem: SupportApiError | None = None

    def hear(self, sighting: ManifestSighting | None, now: datetime, uptime: float) -> None:
        """What the watcher said last. How long it is silent since tells `uptime`, for clocks differ and jump.

        Only how old the first sighting is, is told by the clocks: `now` is ours.
        """
        if sighting is None:
            self.manifest, self.watcher_silent = None, True
            return
        if self.manifest is None:
            self.heard_at = uptime - max(0.0, (now - sighting.seen_at).total_seconds())
        elif sighting.seen_at != self.manifest.seen_at:
            self.heard_at = uptime
        self.manifest = sighting
        self.watcher_silent = uptime - self.heard_at > silence_allowed(sighting.interval_seconds)


class Follower:
    """Reads the pointer, loads what it points at, swaps one reference, waits for the next event, for ever.

    `announce` is given the publishes of the stream, in order, once the version that the last one tells of (or a newer
    one) is in force here. While Redis is away the last version stays, and says so.
    """

    def __init__(
        self,
        shelf: AsyncShelf,
        totals: AsyncTotals,
        machine: ThisMachine,
        *,
        hot_bytes: int,
        announce: Callable[[Sequence[Published]], None],
        now: Callable[[], datetime],
    ) -> None:
        self._shelf = shelf
        self._totals = totals
        self._machine = machine
        self._hot_bytes = hot_bytes
        self._announce = announce
        self._now = now
        self._fresh = HotAnswers(hot_bytes)
        self._event = "0-0"
        self._untold: list[Published] = []
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.seen = Seen()
        self.current = Current(None, None, HotAnswers(0))

    def start(self) -> None:
        """Begin to follow, in the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._follow(), name="follower")

    async def stop(self) -> None:
        """End, and wait until it has ended."""
        self._stopping = True
        while self._task is not None and not self._task.done():
            # More than once: a client library that is just handling a time-out may swallow a cancellation.
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=_STOP_SECONDS)

    async def look(self) -> None:
        """Read pointer and manifest once, load what is new, and tell of it."""
        # Before the pointer: what is published in between is then an event that is still to come.
        news = await self._shelf.events_after(self._event)
        if news:
            self._event = news[-1].id
            self._untold = [*self._untold, *news][-EVENTS_KEPT:]
        self.seen.pointer = await self._shelf.current()
        sighting = await self._shelf.manifest()
        loop_time = asyncio.get_running_loop().time()
        self.seen.hear(sighting, self._now(), loop_time)
        if loop_time - self.seen.workers_at >= _WORKERS_EVERY_SECONDS or not self.seen.redis:
            self.seen.workers = await self._shelf.workers()
            self.seen.totals = await self._totals.read()
            self.seen.memory = await self._shelf.memory()
            self.seen.workers_at = loop_time
        self.seen.redis = True
        if self.seen.pointer is not None:
            await self._catch_up(self.seen.pointer)
        self._judge()
        if self._untold and self.current.snapshot is not None and self.seen.load_problem is None:
            self._announce(self._untold)
            self._untold = []

    async def _follow(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                await self.look()
                failures = 0
                await self._shelf.wait_for_event(self._event, WAIT_MS)
            except ShelfUnavailable as gone:
                if self.seen.redis or not failures:
                    _log.warning("follower.redis_lost", reason=gone.message)
                self.seen.redis = False
                self._judge()
                failures += 1
                await asyncio.sleep(_BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS)) - 1])
            except Exception as error:  # noqa: BLE001 - see below
                # A follower that ended, or did not judge, would serve one version for ever and call it fresh.
                _log.exception("follower.failed")
                self.seen.load_problem = SupportApiError(f"The follower failed: {type(error).__name__}.")
                self._judge()
                await asyncio.sleep(_BACKOFF_SECONDS[-1])

    async def _catch_up(self, pointer: Pointer) -> None:
        loaded = self.current.snapshot
        if loaded is not None and loaded.card.version == pointer.version:
            self.seen.load_problem = None
            return
        try:
            snapshot = await self._load(pointer)
        except ShelfUnavailable:
            raise
        except SupportApiError as problem:
            if type(problem) is not type(self.seen.load_problem):
                _log.warning("follower.load_failed", version=pointer.version, code=problem.code, reason=problem.message)
            self.seen.load_problem = problem
            return
        self.seen.load_problem = None
        earlier, self._fresh = self._fresh, ready_answers(snapshot, self._hot_bytes)
        self._fresh.learn(earlier)
        self.current = Current(snapshot, None, self._fresh)
        self._judge()
        _log.info("follower.loaded", version=snapshot.card.version, sequence=pointer.sequence)

    async def _load(self, pointer: Pointer) -> Snapshot:
        """The version in force; for a process that has none and cannot have it, the newest kept one that is here."""
        try:
            return await self._in_force(pointer)
        except ShelfUnavailable:
            raise
        except SupportApiError:
            here = None if self.current.snapshot else await self._here()
            if here is None:
                raise
            return here

    async def _in_force(self, pointer: Pointer) -> Snapshot:
        if pointer.format != FORMAT:
            raise WarmingUp(
                f"Version {pointer.version} was published by a release with another format ({pointer.format}); "
                f"this one reads {FORMAT}.",
                reason="other_format",
            )
        card = await self._shelf.card(pointer.version)
        aggregates = await asyncio.to_thread(self._machine.load, card)
        if aggregates is None:
            aggregates = await self._machine.make_from(self._shelf, card)
            await self._tidy(card)
        return await self._snapshot(card, aggregates)

    async def _here(self) -> Snapshot | None:
        for entry in await self._shelf.history():
            if entry.card.format == FORMAT:
                aggregates = await asyncio.to_thread(self._machine.load, entry.card)
                if aggregates is not None:
                    return await self._snapshot(entry.card, aggregates)
        return None

    async def _snapshot(self, card: VersionCard, aggregates: Aggregates) -> Snapshot:
        encoded = (await self._shelf.read(card.version, PREPARED))[PREPARED]
        return Snapshot(card, aggregates, msgspec.msgpack.decode(encoded, type=tuple[PreparedAnswer, ...]))

    async def _tidy(self, card: VersionCard) -> None:
        # What could not be removed now is removed when the next version is made.
        try:
            kept = [entry.card for entry in await self._shelf.history()]
            await asyncio.to_thread(self._machine.retire, [card, *kept])
        except (OSError, SupportApiError) as cause:
            _log.warning("follower.not_tidied", reason=str(cause))

    def _judge(self) -> None:
        """Swap in a `Current` of the freshness that is true now, if it differs."""
        if self.current.snapshot is None:
            seen = self.seen.manifest
            code, message = (seen.error_code, seen.error_message) if seen else (None, None)
            problem = self.seen.load_problem or nothing_loaded(code, message)
            self.current = Current(None, None, self.current.hot, problem)
            return
        reason = stale_reason(self.current.snapshot, self.seen)
        self.seen.stale_since = None if reason is None else self.seen.stale_since or self._now()
        if reason != self.current.stale_reason:
            _log.info("follower.freshness", stale_reason=reason)
            # The answers of the fresh state are kept aside: Redis comes back more often than it goes for good.
            hot = self._fresh if reason is None else HotAnswers(self._hot_bytes)
            self.current = Current(self.current.snapshot, reason, hot)


def stale_reason(snapshot: Snapshot, seen: Seen) -> StaleReason | None:
    """Why the loaded snapshot may not be the newest data; None when it is known to be."""
    if not seen.redis:
        return "redis_unreachable"
    if seen.pointer is None or isinstance(seen.load_problem, SnapshotIncomplete):
        return "version_lost"
    sighting = seen.manifest
    if sighting is None or seen.watcher_silent:
        return "watcher_silent"
    return why_behind(sighting, seen.pointer, snapshot.card.version)
