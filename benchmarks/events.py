"""Who listens to `/api/events`: what a thousand cost while nothing happens, how soon they hear of a publish."""

from __future__ import annotations

import asyncio
import json
import resource
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.machine import milliseconds, percentile, print_table, tell
from benchmarks.publish import CALLS, dataset, put
from benchmarks.serve import viewer_token
from benchmarks.servers import HOST, supportapi

if TYPE_CHECKING:
    from benchmarks.servers import Running

_AT_ONCE: Final = 50
_FILES_BESIDE: Final = 200
_PATIENCE_SECONDS: Final = 60.0
_EVENT: Final = b"event: version.published"
_COLUMNS: Final = ("listeners", "memory", "a listener", "idle CPU", "before", "publishes", "p50", "p95", "slowest")
_NOTES: Final = (
    f"`supportapi dev`, two datasets of {CALLS:,} calls take turns in the manifest; viewers listen. Memory is what "
    "they added to the processes' own; idle CPU is the share of a core that all processes took while nothing was "
    "published, heartbeats included, and before anybody listened. Times are from `published_at`, which Redis says, "
    "until each listener has the event, our client's own time included. All cores."
)


class _Listener:
    """One open stream. `heard` are the seconds from each publish until it was told of it."""

    def __init__(self) -> None:
        self.heard: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def open(self, port: int, token: str) -> None:
        """Connect, and listen from now on."""
        reader, writer = await asyncio.open_connection(HOST, port)
        asked = f"GET /api/events HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\n\r\n"
        writer.write(asked.encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise SystemExit(f"A listener was answered with {status!r}.")
        await reader.readuntil(b"retry: 2000")
        self._task = asyncio.create_task(self._listen(reader, writer))

    async def close(self) -> None:
        """Go away."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                if line.startswith(_EVENT):
                    await reader.readline()
                    told = json.loads((await reader.readline()).removeprefix(b"data: "))
                    self.heard.append(time.time() - datetime.fromisoformat(told["published_at"]).timestamp())
        finally:
            writer.close()


def run(*, quick: bool) -> None:
    """Print the table."""
    listeners, publishes, idle_seconds = (100, 5, 16) if quick else (1_000, 50, 32)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2 * listeners + _FILES_BESIDE, hard), hard))
    with tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place:
        data = Path(place) / "data"
        manifests = [dataset(data, name, seed) for name, seed in (("one", 1), ("other", 2))]
        put(data, manifests[0])
        with supportapi(Path(place), {}) as ours:
            row = asyncio.run(_measured(ours, data, manifests, listeners, publishes, idle_seconds))
    print_table("Who listens to events", _COLUMNS, [row], _NOTES)


async def _measured(
    ours: Running, data: Path, manifests: list[bytes], listeners: int, publishes: int, idle_seconds: int
) -> list[str]:
    # Both versions are built first, and everything that is made once is made.
    (first,) = everybody = await _opened(ours.port, 1)
    for number in (1, 2):
        await _published(data, manifests[number % 2], everybody, number)
    await first.close()
    tell(f"events: idle for {idle_seconds} s, without listeners and with {listeners}")
    alone = await _idle(ours, idle_seconds)
    before = ours.mebibytes()
    everybody = await _opened(ours.port, listeners)
    idle = await _idle(ours, idle_seconds)
    added = ours.mebibytes() - before
    tell(f"events: {publishes} publishes")
    for number in range(1, publishes + 1):
        await _published(data, manifests[number % 2], everybody, number)
    waits = [wait for each in everybody for wait in each.heard]
    await asyncio.gather(*(each.close() for each in everybody))
    return [
        f"{listeners:,}",
        f"{added:.1f} MiB",
        f"{added * 1024 / listeners:.1f} KiB",
        f"{idle:.2%}",
        f"{alone:.2%}",
        str(publishes),
        *(milliseconds(percentile(waits, share)) for share in (0.5, 0.95)),
        milliseconds(max(waits)),
    ]


async def _opened(port: int, count: int) -> list[_Listener]:
    found, token = [_Listener() for _ in range(count)], viewer_token(port)
    for start in range(0, count, _AT_ONCE):
        await asyncio.gather(*(each.open(port, token) for each in found[start : start + _AT_ONCE]))
    return found


async def _idle(ours: Running, seconds: int) -> float:
    """The share of a core that the server takes while nothing happens."""
    spent, began = ours.cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds)
    return (ours.cpu_seconds() - spent) / (time.monotonic() - began)


async def _published(data: Path, manifest: bytes, listeners: list[_Listener], number: int) -> None:
    put(data, manifest)
    patience_ends = time.monotonic() + _PATIENCE_SECONDS
    while any(len(each.heard) < number for each in listeners):
        if time.monotonic() > patience_ends:
            raise SystemExit("Not every listener was told of a publish.")
        await asyncio.sleep(0.05)
