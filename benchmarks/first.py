"""First answers: after a start, after a publish, and with more questions in circulation than are remembered."""

from __future__ import annotations

import http.client
import random
import re
import tempfile
import time
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.machine import SEED, milliseconds, percentile, print_table, tell
from benchmarks.publish import CALLS, dataset, put
from benchmarks.serve import PATH
from benchmarks.servers import HOST, supportapi
from supportapi.processes.redis_server import embedded_redis
from supportapi.snapshots.client import connect
from supportapi.snapshots.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREPARED: Final = "/api/metrics?range=30d"
_SERVED: Final = "/api/settings/manifest"
_POPULAR: Final = 100
_HOT_CACHE_MB: Final = 64
_PATIENCE_SECONDS: Final = 60.0
_HOT: Final = re.compile(rb'^supportapi_request_duration_seconds_count\{[^}]*memory="hot"[^}]*\} (\d+)', re.MULTILINE)
_FIRST: Final = ("", "prepared", "again", "asked before", "again", "never asked", "again")
_FIRST_NOTES: Final = (
    f"`supportapi dev` with {CALLS:,} calls, one client, nothing else asked; medians. A start is that of the whole "
    "system, and over when it is ready. A publish is that of the other of two datasets; the question `asked before` "
    "was answered by the version before. All cores."
)
_CIRCULATION: Final = (
    "questions", "asked", "hot", "popular: p50", "p99", "others: p50", "p99", "MiB before", "after", "most",
)  # fmt: skip
_CIRCULATION_NOTES: Final = (
    f"`HOT_CACHE_MB={_HOT_CACHE_MB}`, one client. Every question is a row of cards (8 KB) with a target of its own; "
    f"{_POPULAR} popular ones are every second request, the others come in turns, so that each is forgotten before it "
    "comes again where all of them need more than the cache has. Hot is the share of requests that were answered from"
    " it. Memory is what all processes share with nobody."
)


class _Client:
    """One connection that takes the time."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=30)

    def get(self, path: str) -> bytes:
        """The body. Raises `SystemExit` for a failure."""
        self._connection.request("GET", path, headers={"accept-encoding": "gzip"})
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise SystemExit(f"GET {path} answered {answer.status}: {body[:300]!r}")
        return body

    def seconds(self, path: str) -> float:
        """How long the answer takes."""
        began = time.perf_counter()
        self.get(path)
        return time.perf_counter() - began


def run(*, quick: bool) -> None:
    """Print the tables."""
    starts, publishes, questions, rounds = (1, 5, 1_000, 2) if quick else (5, 30, 10_000, 2)
    rows = [_row("a start", [_started() for _ in range(starts)]), _row("a publish", _published(publishes))]
    print_table("The first answer after ...", _FIRST, rows, _FIRST_NOTES)
    print_table("Many questions in circulation", _CIRCULATION, [_circulated(questions, rounds)], _CIRCULATION_NOTES)


def _row(name: str, times: list[list[float]]) -> list[str]:
    return [name, *(milliseconds(median(each)) for each in zip(*times, strict=True))]


def _thrice(client: _Client, number: int) -> list[float]:
    """First and again: a prepared answer, a question that was asked before if any was, one that nobody asked."""
    paths = (_PREPARED, _question(0), _question(number))
    return [client.seconds(path) for path in chain.from_iterable((path, path) for path in paths)]


def _started() -> list[float]:
    tell("first: a start")
    with (
        tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place,
        supportapi(Path(place), {"AUTH_ENABLED": "false"}) as ours,
    ):
        return _thrice(_Client(ours.port), 1)


def _published(publishes: int) -> list[list[float]]:
    with tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place, embedded_redis(Path(place)) as redis:
        data = Path(place) / "data"
        manifests = [dataset(data, name, seed) for name, seed in (("one", 1), ("other", 2))]
        put(data, manifests[0])
        with supportapi(Path(place), {"REDIS_URL": redis.url, "AUTH_ENABLED": "false"}) as ours:
            tell(f"first: {publishes} publishes")
            client, shelf = _Client(ours.port), Shelf(connect(redis.url))
            client.get(_question(0))
            found: list[list[float]] = []
            for number in range(1, publishes + 1):
                _publish(data, manifests[number % 2], client, shelf)
                found.append(_thrice(client, number))
            return found


def _publish(data: Path, manifest: bytes, client: _Client, shelf: Shelf) -> None:
    """Return when the process serves the other version."""
    before = shelf.current()
    put(data, manifest)
    patience_ends = time.monotonic() + _PATIENCE_SECONDS
    while (now := shelf.current()) is None or now == before or now.version.encode() not in client.get(_SERVED):
        if time.monotonic() > patience_ends:
            raise SystemExit("A version was not published.")
        time.sleep(0.005)


def _circulated(questions: int, rounds: int) -> list[str]:
    environ = {"AUTH_ENABLED": "false", "HOT_CACHE_MB": str(_HOT_CACHE_MB)}
    with tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place, supportapi(Path(place), environ) as ours:
        client = _Client(ours.port)
        client.get(_question(0))
        before, hot, most = ours.mebibytes(), _answered_hot(client), 0.0
        waits: dict[bool, list[float]] = {True: [], False: []}
        for asked, number in enumerate(_numbers(questions, rounds)):
            waits[number < _POPULAR].append(client.seconds(_question(number)))
            if asked % 500 == 0:
                most = max(most, ours.mebibytes())
        after, count = ours.mebibytes(), sum(map(len, waits.values()))
        return [
            f"{questions:,}", f"{count:,}", f"{(_answered_hot(client) - hot) / count:.0%}",
            *(milliseconds(percentile(waits[popular], share)) for popular in (True, False) for share in (0.5, 0.99)),
            *(f"{each:.0f}" for each in (before, after, most)),
        ]  # fmt: skip


def _numbers(questions: int, rounds: int) -> Iterator[int]:
    draw = random.Random(SEED)  # noqa: S311 - which question comes next is no secret
    for _ in range(rounds):
        for number in range(_POPULAR, questions):
            yield draw.randrange(_POPULAR)
            yield number


def _question(number: int) -> str:
    """A row of cards, and a target that only insights look at: the same work, and another question."""
    return f"{PATH}&target={number / 1e6:.6f}"


def _answered_hot(client: _Client) -> int:
    return sum(int(count) for count in _HOT.findall(client.get("/metrics")))
