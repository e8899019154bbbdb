from __future__ import annotations

import asyncio
import json
from typing import Any

import polars as pl
import pytest

from supportapi.api.broadcast import Feed
from supportapi.snapshots.keys import index_key
from tests.api.world import Api, World, serving, settle, some_calls

pytestmark = pytest.mark.anyio


class Listener:
    """A client of the event stream that hangs on until it is told to go."""

    def __init__(self, api: Api, who: str = "viewer", **headers: str) -> None:
        self.text = ""
        self.status = 0
        self.ended = False
        self._gone = asyncio.Event()
        given = api.bearer(who) | {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/events",
            "raw_path": b"/api/events",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 1),
            "server": ("test", 80),
        }
        self.task = asyncio.get_running_loop().create_task(api.edge(scope, self._receive, self._send))

    def events(self) -> list[tuple[str, str, Any]]:
        """Name, id and data of each event so far."""
        found: list[tuple[str, str, Any]] = []
        for block in self.text.split("\n\n"):
            fields = dict(
                line.split(": ", 1) for line in block.splitlines() if line.startswith(("event", "id", "data"))
            )
            if "data" in fields:
                found.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
        return found

    def leave(self) -> None:
        self._gone.set()

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.text += message["body"].decode()
        self.ended = not message["more_body"]


def publish_calls(world: World, days: int) -> str:
    world.write(some_calls(days))
    return world.publish()


async def test_a_publish_is_told_to_who_listens_with_what_it_changed(api: Api, world: World) -> None:
    before = api.doors.follower.current.snapshot.card.version
    listener = Listener(api)
    await settle(lambda: listener.text)
    world.write(some_calls(22).filter(pl.col("call_id") != "c-003-a"))

    version = world.publish()
    await settle(listener.events)

    ((name, _, data),) = listener.events()
    assert (listener.status, name) == (200, "version.published")
    assert (data["version"], data["since"]) == (version, before)
    assert data["days"] == [{"from": "2026-01-08", "to": "2026-01-09"}, {"from": "2026-01-25", "to": "2026-01-27"}]
    assert data["sections"] == ["metrics", "agents", "options", "calls"]
    listener.leave()
    await listener.task


async def test_what_a_release_without_digests_has_published_is_not_compared(api: Api, world: World) -> None:
    listener = Listener(api)
    await settle(lambda: listener.text)
    index = index_key(world.shelf.current().version)  # type: ignore[union-attr]
    world.redis.hdel(index, "days")
    world.write(some_calls(22))

    world.publish()
    await settle(listener.events)

    ((_, _, data),) = listener.events()
    assert (data["days"], data["sections"]) == (None, None)
    listener.leave()
    await listener.task


async def test_who_comes_back_hears_each_publish_that_was_missed(api: Api, world: World) -> None:
    first = Listener(api)
    await settle(lambda: first.text)
    versions = [publish_calls(world, days) for days in (21, 22, 23)]
    await settle(lambda: len(first.events()) == 3)

    missed = Listener(api, last_event_id=first.events()[0][1])
    up_to_date = Listener(api, last_event_id=first.events()[2][1])
    await settle(lambda: missed.events() and up_to_date.text)

    assert [data["version"] for _, _, data in first.events()] == versions
    assert missed.events() == first.events()[1:]
    assert up_to_date.events() == []
    for listener in (first, missed, up_to_date):
        listener.leave()
        await listener.task


async def test_what_was_missed_is_known_to_a_process_that_started_later(api: Api, world: World) -> None:
    first = Listener(api)
    await settle(lambda: first.text)
    versions = [publish_calls(world, days) for days in (21, 22)]
    await settle(lambda: len(first.events()) == 2)
    async with serving(world) as other:
        await settle(lambda: other.doors.follower.current.snapshot is not None)

        back = Listener(other, last_event_id=first.events()[0][1])
        new = Listener(other)
        await settle(lambda: back.events() and new.text)

        assert [data["version"] for _, _, data in back.events()] == versions[1:]
        assert new.events() == []
        for listener in (first, back, new):
            listener.leave()
            await listener.task


@pytest.mark.parametrize("last_id", ["0-0", "7", "no id at all"])
async def test_who_was_away_too_long_is_told_to_ask_for_everything(api: Api, last_id: str) -> None:
    listener = Listener(api, last_event_id=last_id)

    await settle(listener.events)

    ((name, event_id, data),) = listener.events()
    assert (name, data) == ("reset", {"version": api.doors.follower.current.snapshot.card.version})
    assert event_id not in {"", last_id}
    listener.leave()
    await listener.task


async def test_admins_hear_what_jobs_do_and_viewers_do_not(api: Api, world: World) -> None:
    admin, viewer = Listener(api, "admin"), Listener(api)
    await settle(lambda: admin.text and viewer.text)
    await asyncio.sleep(0.05)

    version = await asyncio.to_thread(publish_calls, world, 21)
    await settle(lambda: [data for _, _, data in admin.events() if data.get("state") == "succeeded"])

    jobs = [data for name, _, data in admin.events() if name == "job.progress"]
    assert {job["version"] for job in jobs} == {version}
    assert jobs[0]["state"] == "queued"
    assert [job["progress"] for job in jobs] == sorted(job["progress"] for job in jobs)
    assert {"states", "audit", "publish"} <= {job["stage"] for job in jobs}
    await settle(viewer.events)
    assert {name for name, _, _ in viewer.events()} == {"version.published"}
    for listener in (admin, viewer):
        listener.leave()
        await listener.task


async def test_who_goes_is_forgotten(api: Api) -> None:
    listener = Listener(api)
    await settle(lambda: api.doors.broadcast.listeners == 1)

    listener.leave()
    await listener.task

    assert api.doors.broadcast.listeners == 0


async def test_streams_end_when_the_process_does(world: World) -> None:
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        listener = Listener(api)
        await settle(lambda: listener.text)

    await listener.task
    assert listener.ended


async def test_one_listener_too_many_is_refused(world: World) -> None:
    async with serving(world, event_listeners_max=1) as api:
        first = Listener(api)
        await settle(lambda: api.doors.broadcast.listeners == 1)

        second = Listener(api)
        await second.task

        assert (second.status, '"code":"OVERLOADED"' in second.text) == (503, True)
        first.leave()
        await first.task


def test_a_feed_knows_the_newest_events_only_and_says_so() -> None:
    feed = Feed()
    for number in range(300):
        feed.add(b"%d " % number)

    assert feed.after(300) == b""
    assert feed.after(298) == b"298 299 "
    assert feed.after(43) is None
