"""What everybody who listens is sent: a few events kept, and one future that all of them wait on."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta as Doc

from supportapi.snapshots.pointer import DaySpan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from supportapi.snapshots.pointer import Difference, Published

Hearing = Literal["publishes", "changes", "everything"]
"""What one listens for: that there is a new version, also what it changed, or also what jobs do."""

HEARTBEAT_SECONDS: Final = 15.0

_KEPT: Final = 256
_HEARTBEAT: Final = b": heartbeat\n\n"


class VersionPublished(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the event `version.published`."""

    version: str
    dataset_hash: str
    published_at: Annotated[datetime, Doc(description="When it came into force.")]
    since: Annotated[str | None, Doc(description="The version that it is compared with; null: none.")]
    days: Annotated[tuple[DaySpan, ...] | None, Doc(description="Spans of days with other calls; null: not known.")]
    sections: Annotated[
        tuple[str, ...] | None, Doc(description="Kinds of answers that may say something else; null: not known.")
    ]


class Feed:
    """The newest events of one kind. A listener costs a place in it, a number, and no queue."""

    def __init__(self) -> None:
        self._events: deque[bytes] = deque(maxlen=_KEPT)
        self._news: asyncio.Future[None] | None = None
        self.count = 0

    def add(self, event: bytes) -> None:
        """Tell everybody."""
        self._events.append(event)
        self.count += 1
        self.wake()

    def recall(self, event: bytes) -> None:
        """Know an event from before there was anybody to be told: only who asks for what was missed is sent it."""
        self._events.append(event)

    def after(self, heard: int) -> bytes | None:
        """What came after the first `heard` events; None when some of that is not kept any longer."""
        missed = self.count - heard
        kept = len(self._events)
        return None if missed > kept else b"".join(islice(self._events, kept - missed, None))

    def news(self) -> asyncio.Future[None]:
        """Done when there is something to look at."""
        if self._news is None or self._news.done():
            self._news = asyncio.get_running_loop().create_future()
        return self._news

    def wake(self) -> None:
        """Let everybody look."""
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


class Broadcast:
    """The feeds of this process, and who listens: publishes for everybody, changes of jobs for those who may see them.

    `served` says which version is served. `want_jobs` is given the feed of jobs to fill when the first one begins to
    listen to it, and None when the last one has gone.
    """

    def __init__(
        self, listeners_max: int, served: Callable[[], str | None], want_jobs: Callable[[Feed | None], None]
    ) -> None:
        self.listeners_max = listeners_max
        self.listeners = 0
        self.closed = False
        self.versions = Feed()
        self.changes = Feed()
        self.jobs = Feed()
        self._ids: deque[str] = deque(maxlen=_KEPT)
        self._served = served
        self._want_jobs = want_jobs
        self._job_listeners = 0
        self._heart: asyncio.TimerHandle | None = None

    def announce(self, published: Sequence[Published]) -> None:
        """Tell everybody of these publishes; of the first ones ever, which are the history, only of the newest."""
        news = published if self._ids else published[-1:]
        history = len(published) - len(news)
        for number, each in enumerate(published):
            self._ids.append(each.id)
            for feed, told in ((self.versions, _spelled(each)), (self.changes, _spelled(each, each.difference))):
                tell = feed.recall if number < history else feed.add
                tell(told)

    def close(self) -> None:
        """End every stream: a server that shuts down waits for them."""
        self.closed = True
        if self._heart is not None:
            self._heart.cancel()
        self._wake()

    @contextlib.contextmanager
    def listening(self, last_id: str | None, hearing: Hearing) -> Generator[Listener]:
        """A place for one who has heard of everything up to the publish `last_id`, or who comes for the first time."""
        self.listeners += 1
        jobs = int(hearing == "everything")
        self._count_job_listeners(jobs)
        if self._heart is None and not self.closed:
            self._beat()
        try:
            yield Listener(self, last_id, hearing)
        finally:
            self.listeners -= 1
            self._count_job_listeners(-jobs)

    def place_of(self, last_id: str) -> int | None:
        """How many publishes who has heard of `last_id` has heard of; None when that cannot be told any longer."""
        for behind, known in enumerate(reversed(self._ids)):
            if known == last_id:
                return self.versions.count - behind
        return None

    def reset(self) -> bytes:
        """What is sent instead of events that nobody knows any longer."""
        return event("reset", {"version": self._served()}, self._ids[-1] if self._ids else "")

    def _beat(self) -> None:
        self._heart = asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self._beat) if self.listeners else None
        self._wake()

    def _wake(self) -> None:
        for feed in (self.versions, self.changes):
            feed.wake()

    def _count_job_listeners(self, more: int) -> None:
        before, self._job_listeners = self._job_listeners, self._job_listeners + more
        if bool(before) != bool(self._job_listeners):
            self._want_jobs(self.jobs if self._job_listeners else None)


class Listener:
    """How far one who listens has heard."""

    __slots__ = ("_broadcast", "_lost", "_places", "hearing")

    def __init__(self, broadcast: Broadcast, last_id: str | None, hearing: Hearing) -> None:
        self._broadcast = broadcast
        self.hearing: Hearing = hearing
        publishes = broadcast.versions if hearing == "publishes" else broadcast.changes
        feeds = (publishes, broadcast.jobs) if hearing == "everything" else (publishes,)
        self._places = {feed: feed.count for feed in feeds}
        place = None if last_id is None else broadcast.place_of(last_id)
        self._lost = last_id is not None and place is None
        if place is not None:
            self._places[publishes] = place

    def news(self) -> Sequence[asyncio.Future[None]]:
        """The futures of which one is done when there is something to send."""
        return [feed.news() for feed in self._places]

    def missed(self) -> bytes:
        """What was published since the client was here last; nothing for one who is new."""
        if self._lost:
            return self._broadcast.reset()
        return self._next()

    def heard(self) -> bytes:
        """What there is to send now: events, or a heartbeat."""
        return self._next() or _HEARTBEAT

    def _next(self) -> bytes:
        found = {feed: feed.after(place) for feed, place in self._places.items()}
        self._places = {feed: feed.count for feed in found}
        return b"".join(self._broadcast.reset() if events is None else events for events in found.values())


def _spelled(published: Published, difference: Difference | None = None) -> bytes:
    told = VersionPublished(
        version=published.version,
        dataset_hash=published.dataset_hash,
        published_at=published.published_at,
        since=published.difference.since,
        days=difference and difference.days,
        sections=difference and difference.sections,
    )
    return event("version.published", told, published.id)


def event(name: str, data: object, event_id: str | None = None) -> bytes:
    """One event as it is sent. Without an id the client keeps the one that it has."""
    spelled = b"" if event_id is None else b"id: %b\n" % event_id.encode()
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), spelled, msgspec.json.encode(data))
