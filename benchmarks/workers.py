"""Answers that must be computed: what a second API worker adds."""

from __future__ import annotations

import asyncio
import tempfile
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.machine import print_table, ratio, tell
from benchmarks.overload import Client, capacity
from benchmarks.servers import supportapi

if TYPE_CHECKING:
    from benchmarks.servers import Running

_CONNECTIONS: Final = 64
_COLUMNS: Final = ("new answers", "one worker", "two workers", "ratio")
_NOTES: Final = (
    f"Two `supportapi dev` with sample data, of one and of two API workers, all cores. {_CONNECTIONS} connections ask "
    "what nobody asked before (`/api/metrics` of 90 days with a target of its own), each as soon as it has its answer; "
    "rounds of 5 s alternate, the ratio is the median of rounds. The client runs on the same cores."
)


def run(*, quick: bool) -> None:
    """Print the table."""
    with (
        tempfile.TemporaryDirectory(prefix="supportapi-bench-") as one,
        tempfile.TemporaryDirectory(prefix="supportapi-bench-") as two,
        supportapi(Path(one), {"AUTH_ENABLED": "false"}) as single,
        supportapi(Path(two), {"AUTH_ENABLED": "false", "API_WORKERS": "2"}) as double,
    ):
        asyncio.run(_compared(single, double, 1 if quick else 7))


async def _compared(single: Running, double: Running, rounds: int) -> None:
    numbers = count()
    answered: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        tell(f"workers: round {number + 1} of {rounds}")
        for workers, server in ((1, single), (2, double)):
            clients = [Client() for _ in range(_CONNECTIONS)]
            for client in clients:
                await client.open(server.port)
            answered[workers].append(await capacity(clients, numbers))
            for client in clients:
                client.close()
    one, two = answered[1], answered[2]
    row = ["a dashboard of 90 days", f"{median(one):.0f}/s", f"{median(two):.0f}/s", f"{ratio(two, one):.2f}"]
    print_table("Two API workers", _COLUMNS, [row], _NOTES)
