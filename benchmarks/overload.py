"""Twice as many new questions as can be computed: what is refused, how ready answers fare, what memory does."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.machine import milliseconds, percentile, print_table, tell
from benchmarks.servers import HOST, supportapi

if TYPE_CHECKING:
    from benchmarks.servers import Running

_CONNECTIONS: Final = 600
_FIRST_SECONDS: Final = 5
_READY_EVERY_SECONDS: Final = 0.02
_MEMORY_EVERY_SECONDS: Final = 2.0
_READY: Final = "/api/metrics?range=30d"
_COLUMNS: Final = (
    "capacity",
    "seconds",
    "asked",
    "answered",
    "503",
    "other",
    "ready p50",
    "ready p99",
    "alone p99",
    "MiB before",
    "after",
    "most",
)
_NOTES: Final = (
    "`supportapi dev`, sample data. Every question is one that nobody asked before (`/api/metrics` of 90 days with a "
    f"target of its own). Capacity is what 16 clients get answered in {_FIRST_SECONDS} s, each after the other; then "
    f"twice as many are asked each second, answered or not, over at most {_CONNECTIONS} connections. Beside them a "
    "ready answer is asked for every 20 ms; alone is before the flood. Memory is what all processes share with nobody. "
    "The client runs on the same cores."
)


class Client:
    """One connection."""

    async def open(self, port: int) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(HOST, port)

    async def get(self, path: str) -> int:
        """The status; the body is read and thrown away. A 503 must say when to come again."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\naccept-encoding: gzip\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        status = int(head.split()[1])
        if status == 503 and (b"retry-after:" not in head or b"OVERLOADED" not in body):
            raise SystemExit(f"A 503 that is none of ours: {head!r} {body!r}")
        return status

    def close(self) -> None:
        """End the connection."""
        self._writer.close()


def run(*, quick: bool) -> None:
    """Print the table."""
    with (
        tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place,
        supportapi(Path(place), {"AUTH_ENABLED": "false"}) as ours,
    ):
        row = asyncio.run(_measured(ours, 5 if quick else 300))
    print_table("Overload", _COLUMNS, [row], _NOTES)


async def _measured(ours: Running, seconds: int) -> list[str]:
    clients = [Client() for _ in range(_CONNECTIONS)]
    for client in clients:
        await client.open(ours.port)
    ready = Client()
    await ready.open(ours.port)
    numbers = count()
    alone = await _ready(ready, _FIRST_SECONDS)
    tell("overload: capacity")
    most_answered = await capacity(clients[:16], numbers)
    tell(f"overload: {2 * most_answered:.0f} questions a second for {seconds} s")
    before = ours.mebibytes()
    flood, waits, most = await asyncio.gather(
        _flood(clients, numbers, 2 * most_answered, seconds), _ready(ready, seconds), _memory(ours, seconds)
    )
    after = ours.mebibytes()
    for client in (*clients, ready):
        client.close()
    answered, refused = flood.count(200), flood.count(503)
    return [
        f"{most_answered:.0f}/s", str(seconds), f"{len(flood) / seconds:.0f}/s", f"{answered / seconds:.0f}/s",
        f"{refused / seconds:.0f}/s", str(len(flood) - answered - refused),
        *(milliseconds(percentile(*each)) for each in ((waits, 0.5), (waits, 0.99), (alone, 0.99))),
        f"{before:.0f}", f"{after:.0f}", f"{most:.0f}",
    ]  # fmt: skip


def _question(number: int) -> str:
    """A question that no other number asks: everything of 90 days, and a target that only insights look at."""
    return f"/api/metrics?range=90d&target={number / 100_000:.5f}"


async def capacity(clients: list[Client], numbers: count[int]) -> float:
    """How many new questions a second `clients` get answered, each after the other."""
    answered = 0
    ends = time.monotonic() + _FIRST_SECONDS

    async def ask(client: Client) -> None:
        nonlocal answered
        while time.monotonic() < ends:
            status = await client.get(_question(next(numbers)))
            answered += status == 200

    await asyncio.gather(*map(ask, clients))
    return answered / _FIRST_SECONDS


async def _flood(clients: list[Client], numbers: count[int], rate: float, seconds: int) -> list[int]:
    """Ask at `rate`, whether or not earlier ones are answered, while a connection is free."""
    # In turns: the server closes a connection that is idle for half a minute.
    free, statuses, under_way = deque(clients), list[int](), set[asyncio.Task[None]]()

    async def ask(client: Client) -> None:
        statuses.append(await client.get(_question(next(numbers))))
        free.append(client)

    began, asked = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        while asked < elapsed * rate and free:
            task = asyncio.create_task(ask(free.popleft()))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            asked += 1
        await asyncio.sleep(0.005)
    await asyncio.gather(*under_way)
    return statuses


async def _ready(client: Client, seconds: int) -> list[float]:
    waits: list[float] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.perf_counter()
        if await client.get(_READY) != 200:
            raise SystemExit("A ready answer was refused.")
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(_READY_EVERY_SECONDS)
    return waits


async def _memory(ours: Running, seconds: int) -> float:
    most = 0.0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        most = max(most, ours.mebibytes())
        await asyncio.sleep(_MEMORY_EVERY_SECONDS)
    return most
