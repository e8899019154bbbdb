"""A thousand publishes under full load: errors, bodies of two versions, and how long answers take meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.machine import milliseconds, percentile, print_table, tell
from benchmarks.publish import CALLS, dataset, put
from benchmarks.servers import HOST, supportapi
from supportapi.processes.redis_server import embedded_redis
from supportapi.snapshots.client import connect
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Awaitable

_PATH: Final = "/api/metrics?range=30d"
_CHECKERS: Final = 4
_PAUSE_SECONDS: Final = 0.2
_USUAL_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 60.0
_COLUMNS: Final = ("publishes", "answers", "versions", "errors", "mixed", "p50", "p99", "p99 usually", "ratio")
_NOTES: Final = (
    f"`supportapi dev`, two datasets of {CALLS:,} calls that take turns in the manifest: both are built once, later "
    f"the worker points at what is on the shelf; {_PAUSE_SECONDS * 1000:.0f} ms later the next one is wanted. "
    f"Meanwhile wrk asks for `{_PATH}` over 16 connections as fast as it can, and {_CHECKERS} more clients read every "
    "answer: one is mixed when its `data` is not that of the version in its `meta`. Usually is without publishes, "
    "under the same load. All cores."
)


class _Checker:
    """One connection that reads what it is sent."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.seen: dict[bytes, set[bytes]] = {}
        self.errors = 0

    async def ask(self, port: int, until: asyncio.Event) -> None:
        """Ask again and again."""
        reader, writer = await asyncio.open_connection(HOST, port)
        while not until.is_set():
            began = time.perf_counter()
            writer.write(f"GET {_PATH} HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            body = await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
            self.waits.append(time.perf_counter() - began)
            if b" 200 " not in head[:20]:
                self.errors += 1
                continue
            data, _, meta = body.rpartition(b'"meta":{"version":"')
            self.seen.setdefault(meta[:16], set()).add(hashlib.sha256(data).digest())
        writer.close()


def run(*, quick: bool) -> None:
    """Print the table; leave the group out, and say so, where wrk is missing."""
    if shutil.which("wrk") is None:
        print("\n### Publishing under load\n\nLeft out: `wrk` is not installed.")
        return
    publishes = 100 if quick else 1_000
    with tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place, embedded_redis(Path(place)) as redis:
        data = Path(place) / "data"
        manifests = [dataset(data, name, seed) for name, seed in (("one", 1), ("other", 2))]
        put(data, manifests[0])
        with supportapi(Path(place), {"REDIS_URL": redis.url, "AUTH_ENABLED": "false"}) as ours:
            shelf = Shelf(connect(redis.url))
            put(data, manifests[1])
            _wait_for_both(shelf)
            words = ["wrk", "-t1", "-c16", "-d3600s", f"http://{HOST}:{ours.port}{_PATH}"]
            load = subprocess.Popen(words, stdout=subprocess.DEVNULL)
            try:
                row = asyncio.run(_measured(ours.port, _publish(data, shelf, manifests, publishes), publishes))
            finally:
                load.kill()
                load.wait()
    print_table("Publishing under load", _COLUMNS, [row], _NOTES)


def _wait_for_both(shelf: Shelf) -> None:
    patience_ends = time.monotonic() + _PATIENCE_SECONDS
    while len(shelf.history()) < 2:
        if time.monotonic() > patience_ends:
            raise SystemExit("The second version was not published.")
        time.sleep(0.1)


async def _measured(port: int, publishing: Awaitable[None], publishes: int) -> list[str]:
    tell("swap: without publishes")
    usual, _ = await _checked(port, asyncio.sleep(_USUAL_SECONDS))
    tell(f"swap: {publishes} publishes")
    waits, checkers = await _checked(port, publishing)
    seen: dict[bytes, set[bytes]] = {}
    for checker in checkers:
        for version, bodies in checker.seen.items():
            seen.setdefault(version, set()).update(bodies)
    p99, before = percentile(waits, 0.99), percentile(usual, 0.99)
    return [
        f"{publishes:,}",
        f"{len(waits):,}",
        str(len(seen)),
        str(sum(checker.errors for checker in checkers)),
        str(sum(len(bodies) - 1 for bodies in seen.values())),
        milliseconds(percentile(waits, 0.5)),
        milliseconds(p99),
        milliseconds(before),
        f"{p99 / before:.1f}",
    ]


async def _checked(port: int, work: Awaitable[None]) -> tuple[list[float], list[_Checker]]:
    """How long each answer took while `work` went on, and who asked."""
    until, checkers = asyncio.Event(), [_Checker() for _ in range(_CHECKERS)]
    asking = [asyncio.create_task(checker.ask(port, until)) for checker in checkers]
    await work
    until.set()
    await asyncio.gather(*asking)
    return [wait for checker in checkers for wait in checker.waits], checkers


async def _publish(data: Path, shelf: Shelf, manifests: list[bytes], publishes: int) -> None:
    for number in range(publishes):
        before = shelf.current()
        put(data, manifests[number % 2])
        patience_ends = time.monotonic() + _PATIENCE_SECONDS
        while (now := await asyncio.to_thread(shelf.current)) is None or now == before:
            if time.monotonic() > patience_ends:
                raise SystemExit(f"Publish {number} did not come.")
            await asyncio.sleep(0.01)
        await asyncio.sleep(_PAUSE_SECONDS)
