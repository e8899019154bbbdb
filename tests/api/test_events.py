from __future__ import annotations

import asyncio
from typing import Any

import pytest

from supportapi.api.events import Broadcast
from tests.api.world import Api, World, serving, settle, some_calls

pytestmark = pytest.mark.anyio


class Listener:
    """A client of the event stream that hangs on until it is told to go."""

    def __init__(self, api: Api, **headers: str) -> None:
        self.text = ""
        self.status = 0
        self.ended = False
        self._gone = asyncio.Event()
        given = api.bearer() | {name.replace("_", "-"): value for name, value in headers.items()}
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


async def test_a_publish_is_told_to_who_listens(api: Api, world: World) -> None:
    listener = Listener(api)
    await settle(lambda: listener.text)
    world.write(some_calls(25))

    version = world.publish()
    await settle(lambda: "event:" in listener.text)

    assert listener.status == 200
    assert "event: version.published\nid: 2\n" in listener.text
    assert f'"version":"{version}"' in listener.text
    listener.leave()
    await listener.task


async def test_who_comes_back_hears_what_was_missed(api: Api) -> None:
    missed, heard = Listener(api, last_event_id="0"), Listener(api, last_event_id="1")

    await settle(lambda: "event:" in missed.text and heard.text)

    assert "event:" not in heard.text
    missed.leave()
    heard.leave()
    await asyncio.gather(missed.task, heard.task)


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


def test_who_was_slow_gets_the_newest_only() -> None:
    broadcast = Broadcast(1)

    assert broadcast.since(0) == b": heartbeat\n\n"
