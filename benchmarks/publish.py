"""From a publish until each API process shows it to a client."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.machine import milliseconds, percentile, print_table, tell
from benchmarks.servers import HOST, supportapi
from supportapi.dataset.sample import make_sample
from supportapi.processes.redis_server import embedded_redis
from supportapi.snapshots.client import connect
from supportapi.snapshots.shelf import Shelf

PROCESSES: Final = 3
CALLS: Final = 200_000
PROMISED_SECONDS: Final = 0.25
_PAUSE_SECONDS: Final = 0.002
_PATIENCE_SECONDS: Final = 60.0
_COLUMNS: Final = ("publishes, processes", "p50", "p95", "slowest", "within 250 ms")
_NOTES: Final = (
    f"`supportapi dev` with {PROCESSES} API processes, each asked over a connection that it has accepted. Two datasets "
    f"of {CALLS:,} calls take turns in the manifest: both are built once, later the worker points at what is on the "
    "shelf. From `published_at`, which Redis says, until an answer of the process names the version. All cores."
)


class _Process:
    """One API process, over a connection of its own."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=10)
        self.name = self.serves = ""
        self.look()

    def look(self) -> float:
        """Ask which version it serves; when the answer was here."""
        self._connection.request("GET", "/api/settings/manifest")
        answer = self._connection.getresponse()
        self.serves = json.loads(answer.read())["data"]["served_version"]
        # Each process numbers its requests under a name of its own.
        self.name = (answer.getheader("x-request-id") or "").rpartition("-")[0]
        return time.time()


def run(*, quick: bool) -> None:
    """Print the table."""
    publishes = 20 if quick else 200
    with tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place, embedded_redis(Path(place)) as redis:
        data = Path(place) / "data"
        manifests = [dataset(data, name, seed) for name, seed in (("one", 1), ("other", 2))]
        put(data, manifests[0])
        environ = {"REDIS_URL": redis.url, "API_WORKERS": str(PROCESSES), "AUTH_ENABLED": "false"}
        with supportapi(Path(place), environ) as ours:
            tell(f"publish: {publishes} publishes, {PROCESSES} processes")
            shelf, processes = Shelf(connect(redis.url)), _each(ours.port)
            waits = [
                wait
                for number in range(1, publishes + 1)
                for wait in _published(data, manifests[number % 2], shelf, processes)
            ]
    within = sum(wait <= PROMISED_SECONDS for wait in waits) / len(waits)
    told = [milliseconds(percentile(waits, share)) for share in (0.5, 0.95)]
    row = [f"{publishes}, {PROCESSES}", *told, milliseconds(max(waits)), f"{within:.1%}"]
    print_table("A new version in every API process", _COLUMNS, [row], _NOTES)


def dataset(data: Path, name: str, seed: int) -> bytes:
    """Make a dataset below `data`; the manifest that makes it the live one."""
    made = make_sample(CALLS, seed, data / name)
    return json.dumps({"path": f"{name}/{made.path}", "hash": made.hash}).encode()


def put(data: Path, manifest: bytes) -> None:
    """Make the dataset of `manifest` the live one."""
    fresh = data / "manifest.next"
    fresh.write_bytes(manifest)
    fresh.replace(data / "manifest.json")


def _each(port: int) -> list[_Process]:
    """A connection to every process: the kernel deals them out, so ask until each has one."""
    found: dict[str, _Process] = {}
    patience_ends = time.monotonic() + _PATIENCE_SECONDS
    while len(found) < PROCESSES:
        process = _Process(port)
        found.setdefault(process.name, process)
        if time.monotonic() > patience_ends:
            raise SystemExit(f"Only {len(found)} of {PROCESSES} API processes answer.")
    return list(found.values())


def _published(data: Path, manifest: bytes, shelf: Shelf, processes: list[_Process]) -> list[float]:
    """Make the other dataset the live one; how long after its publish each of the processes showed it."""
    before = processes[0].serves
    put(data, manifest)
    shown: dict[str, float] = {}
    patience_ends = time.monotonic() + _PATIENCE_SECONDS
    while len(shown) < len(processes):
        for process in processes:
            at = process.look()
            if process.serves != before:
                shown.setdefault(process.name, at)
        if time.monotonic() > patience_ends:
            raise SystemExit("A version was not shown by every API process.")
        time.sleep(_PAUSE_SECONDS)
    pointer = shelf.current()
    if pointer is None:
        raise SystemExit("Nothing is published any more.")
    return [at - pointer.published_at.timestamp() for at in shown.values()]
