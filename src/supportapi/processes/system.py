"""`supportapi status`: the whole system as it stands in Redis. Asks no API, and starts nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.answers.meta import StaleReason
from supportapi.errors import ShelfUnavailable
from supportapi.processes.redis_server import running_redis
from supportapi.refresh.queue import BuildQueue
from supportapi.refresh.records import Records
from supportapi.snapshots.client import connect
from supportapi.snapshots.freshness import silence_allowed, why_behind
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportapi.refresh.records import JobRecord
    from supportapi.settings import Settings
    from supportapi.snapshots.pointer import Pointer, VersionCard
    from supportapi.snapshots.sightings import ManifestSighting

_FAILURES: Final = 5
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """The published version."""

    version: str
    dataset_hash: str
    published_at: datetime
    built_at: datetime | None
    age_seconds: float | None
    rows: int | None
    as_of: datetime | None


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """What the watcher said last. `error_code` is why the live dataset cannot be read, or why its build failed."""

    name: str
    location: str
    seen_seconds_ago: float
    silent: bool
    wanted_version: str | None
    error_code: str | None
    error_message: str | None


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that lives, and its job."""

    name: str
    job: str | None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A job that failed, and whether it is tried again by itself."""

    job: str
    ended_at: datetime | None
    code: str
    message: str
    next_attempt_at: datetime | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the system. `stale` is null while nothing is published."""

    served: Served | None
    stale: bool | None
    stale_reason: StaleReason | None
    watcher: Watching | None
    workers: tuple[Working, ...]
    queued: int
    running: int
    failures: tuple[Failure, ...]

    @property
    def well(self) -> bool:
        """Whether the newest data is served, and somebody sees to it that it stays so."""
        watched = self.watcher is not None and not self.watcher.silent
        return self.stale is False and watched and bool(self.workers)


def look(settings: Settings) -> Standing:
    """The state of the system of these settings. Raises `ShelfUnavailable`."""
    redis_url = settings.redis_url or running_redis(settings.supportapi_home)
    if redis_url is None:
        told = "No Redis runs for this SUPPORTAPI_HOME, and REDIS_URL is not set: nothing of the system runs here."
        raise ShelfUnavailable(told, home=str(settings.supportapi_home))
    redis, now = connect(redis_url), datetime.now(UTC)
    shelf, records = Shelf(redis, settings.snapshots_kept), Records(redis, clock=lambda: now)
    queue = BuildQueue(connect(settings.queue_url(redis_url)), records, shelf, settings.job_timeout_seconds)
    pointer, sighting, jobs = shelf.current(), shelf.manifest(), records.list()
    cards = {kept.card.version: kept.card for kept in shelf.history()}
    served = _served(pointer, cards.get(pointer.version), now) if pointer else None
    watcher = _watching(sighting, now) if sighting else None
    reason = _stale_reason(pointer, sighting, watcher) if pointer else None
    return Standing(
        served=served,
        stale=None if pointer is None else reason is not None,
        stale_reason=reason,
        watcher=watcher,
        workers=tuple(Working(name=beat.name, job=beat.job) for beat in shelf.workers()),
        queued=queue.length(),
        running=sum(record.state == "running" for record in jobs),
        failures=tuple(_failures(jobs))[:_FAILURES],
    )


def shown(standing: Standing, *, as_json: bool) -> str:
    """The state for a program, or for people: a line for each thing."""
    return document(standing) if as_json else "\n".join(_lines(standing))


def document(value: object) -> str:
    """JSON as people can read it, too."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _lines(standing: Standing) -> Iterator[str]:
    served, watcher = standing.served, standing.watcher
    if served is None:
        yield "version   none is published yet"
    else:
        rows = "" if served.rows is None else f", {served.rows:,} calls until {served.as_of or 'no call'}"
        yield f"version   {served.version}, built {_ago(served.age_seconds)}{rows}"
        yield f"stale     {f'yes: {standing.stale_reason}' if standing.stale else 'no'}"
    if watcher is None:
        yield "watcher   none has ever looked"
    else:
        silent = " (silent)" if watcher.silent else ""
        yield f"watcher   {watcher.name}, looked {_ago(watcher.seen_seconds_ago)}{silent}"
        wrong = f"; {watcher.error_code}: {watcher.error_message}" if watcher.error_code else ""
        yield f"dataset   {watcher.location} wants version {watcher.wanted_version or 'not known'}{wrong}"
    yield f"queue     {standing.queued} waiting, {standing.running} running"
    names = "; ".join(f"{worker.name} ({worker.job or 'idle'})" for worker in standing.workers)
    yield f"workers   {names or 'none'}"
    for failure in standing.failures:
        again = "" if failure.next_attempt_at is None else f" (again at {failure.next_attempt_at:%H:%M:%S})"
        yield f"failed    {failure.ended_at:%Y-%m-%d %H:%M:%S} {failure.job} {failure.code}: {failure.message}{again}"
    if not standing.failures:
        yield "failed    nothing lately"


def _served(pointer: Pointer, card: VersionCard | None, now: datetime) -> Served:
    # A pointer outlives its card for a moment when Redis is emptied or evicts.
    return Served(
        version=pointer.version,
        dataset_hash=pointer.dataset_hash,
        published_at=pointer.published_at,
        built_at=card.built_at if card else None,
        age_seconds=round((now - card.built_at).total_seconds(), 1) if card else None,
        rows=card.rows if card else None,
        as_of=card.as_of if card else None,
    )


def _watching(sighting: ManifestSighting, now: datetime) -> Watching:
    # By two clocks, for nobody listens here long enough to tell by one (as an API process does).
    ago = (now - sighting.seen_at).total_seconds()
    return Watching(
        name=sighting.watcher,
        location=sighting.location,
        seen_seconds_ago=round(ago, 1),
        silent=ago > silence_allowed(sighting.interval_seconds),
        wanted_version=sighting.version,
        error_code=sighting.error_code,
        error_message=sighting.error_message,
    )


def _stale_reason(pointer: Pointer, sighting: ManifestSighting | None, watcher: Watching | None) -> StaleReason | None:
    if sighting is None or watcher is None or watcher.silent:
        return "watcher_silent"
    return why_behind(sighting, pointer, pointer.version)


def _failures(jobs: list[JobRecord]) -> Iterator[Failure]:
    for record in jobs:
        if record.state == "failed" and record.reason is not None:
            yield Failure(
                job=record.id,
                ended_at=record.ended_at,
                code=record.reason.code,
                message=record.reason.message,
                next_attempt_at=record.next_attempt_at,
            )


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "at a time that is not known"
    for size, word in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word} ago"
    return f"{seconds:.0f} s ago"
