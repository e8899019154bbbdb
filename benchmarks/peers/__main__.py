"""`python -m benchmarks.peers [--quick]`: supportapi beside what a user would write instead, on the same calls.

`make bench-peers` makes the environment of the peers first. Each peer must answer what we answer before it is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import shutil
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from benchmarks.machine import ROOT, describe, load, print_table, ratio, sample, tell
from benchmarks.peers.numbers import DIMENSIONS, METRICS, differences, numbers
from benchmarks.peers.sql import question
from benchmarks.serve import viewer_token
from benchmarks.servers import Running, exchange, get, on_core, peer, supportapi
from benchmarks.wrk import Round, wrk
from supportapi.processes.redis_server import embedded_redis

CALLS: Final = 1_000_000
READY_CONNECTIONS: Final = 32
COMPUTING_CONNECTIONS: Final = 4
"""More would only wait for one another, and still be waiting in the next round."""
PYTHON: Final = ROOT / ".venv-peers" / "bin" / "python"
_OURS: Final = f"&include=kpis,series,breakdowns&metrics={','.join(METRICS)}&by={','.join(DIMENSIONS)}"
_PEERS: Final = {
    "FastAPI, Pydantic, pandas": ("by_pandas", ""),
    "FastAPI, Pydantic, DuckDB": ("by_duckdb", ""),
    "FastAPI, Pydantic, Polars": ("by_polars", ""),
    "ROAPI": ("roapi", ""),
    "the one with Polars, answers in Redis": ("by_polars", "redis"),
    "the one with Polars, answers in an LRU of bytes": ("by_polars", "lru"),
}
_WINDOWS: Final = (
    (date(2026, 9, 1), date(2026, 10, 1)),
    (date(2026, 7, 1), date(2026, 9, 29)),
    (date(2025, 12, 30), date(2026, 1, 6)),
)
"""The first is the one that is measured."""
_COLUMNS: Final = (
    "", "bytes", "answers", "CPU each", "p99", "asked before: ours is", "by CPU", "new: ours is", "by CPU", "MiB",
)  # fmt: skip
_NOTES: Final = (
    f"{CALLS:,} calls: cards with the value before, daily series and three breakdowns of six metrics for 30 days, as "
    f"JSON. wrk on core 1, over {READY_CONNECTIONS} connections where answers are ready and {COMPUTING_CONNECTIONS} "
    "where they are computed, as a browser with `accept-encoding: gzip`; every server on core 0, in turns, in "
    "alternating rounds; ratios are medians of rounds. Ours is `supportapi dev` with token, access log, request ids, "
    "counters, its Redis, watcher and worker; its answers hold more (deltas, intervals, trends, links) and go out as "
    "gzip. A peer keeps the needed columns in memory, in time order; no token, no log; granian and uvloop with our "
    "settings; Redis over a socket, on core 1. New: a question that nobody asked before. By CPU is processor time for"
    " each answer, of all processes: what can be trusted when others use the machine, too. Before, each peer gave our"
    f" numbers for {len(_WINDOWS)} windows (to 1e-9)."
)
_NEW: Final = """
local n = os.time() % 100000 * 10000
request = function() n = n + 1; return wrk.format("GET", wrk.path .. "&target=" .. string.format("%.9f", n / 1e9)) end
"""
"""Only insights look at a target, and none are asked for: the same work for each question, and none is remembered."""


class _Contestant(msgspec.Struct, frozen=True):
    """A server, what it is asked, and what each round found."""

    name: str
    server: Running
    path: str
    headers: dict[str, str]
    script: Path | None
    connections: int
    rounds: list[Round]

    def answer(self, start: date, end: date) -> bytes:
        """Its answer for the days from `start` until `end`."""
        if self.path == "/api/sql":
            found = exchange(self.server.port, "POST", self.path, {}, question(start, end).encode())
        else:
            path = self.path.replace(_span(*_WINDOWS[0]), _span(start, end))
            found = get(
                self.server.port, path, {key: self.headers[key] for key in self.headers if key != "accept-encoding"}
            )
        if found.status != http.client.OK:
            raise SystemExit(f"{self.name} answered {found.status}: {found.body[:300]!r}")
        return found.body


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that it works")
    rounds, seconds = (1, 3) if parser.parse_args().quick else (5, 3)
    for needed, remedy in ((shutil.which("wrk"), "Install wrk."), (PYTHON.exists(), "Run: make bench-peers")):
        if not needed:
            raise SystemExit(remedy)
    print(f"{describe()}, load {load():.1f}")
    with tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place, contextlib.ExitStack() as until_the_end:
        everyone = _contestants(Path(place), until_the_end)
        hot, new, *peers = everyone
        for each in peers:
            tell(f"peers: comparing the numbers of {each.name}")
            _compare(hot, each)
        for number in range(rounds + 1):
            tell(f"peers: round {number} of {rounds}, load {load():.1f}" if number else "peers: warming")
            for each in everyone:
                found = wrk(each.server, each.path, each.headers, seconds, each.connections, each.script)
                each.answer(*_WINDOWS[0])  # behind all that a slow one has still to answer
                if number:
                    each.rounds.append(found)
        print_table(
            "Beside others", _COLUMNS, [_row(each, hot, new) for each in everyone], f"{_NOTES} Load {load():.1f}."
        )


def _contestants(place: Path, until_the_end: contextlib.ExitStack) -> list[_Contestant]:
    """Ours, asked before and new, then each peer; all of them run until the end."""
    file = sample(CALLS)
    folders = [place / "ours", *(place / str(number) for number in range(len(_PEERS)))]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "data").symlink_to(file.parent)
    tell("peers: starting supportapi dev")
    server = until_the_end.enter_context(supportapi(folders[0]))
    path = f"/api/metrics?{_span(*_WINDOWS[0])}"
    headers = {"authorization": f"Bearer {viewer_token(server.port)}", "accept-encoding": "gzip"}
    script = place / "new.lua"
    script.write_text(_NEW)
    found = [
        _Contestant("supportapi, asked before", server, path + _OURS, headers, None, READY_CONNECTIONS, []),
        _Contestant("supportapi, new", server, path + _OURS, headers, script, COMPUTING_CONNECTIONS, []),
    ]
    with on_core(1):
        redis = until_the_end.enter_context(embedded_redis(place))
    sql = place / "sql.lua"
    sql.write_text(f'wrk.method = "POST"\nwrk.body = [[{question(*_WINDOWS[0])}]]\n')
    for folder, (name, (by, cache)) in zip(folders[1:], _PEERS.items(), strict=True):
        tell(f"peers: starting {name}")
        environ = {
            "PEER": by,
            "PEER_CACHE": redis.url if cache == "redis" else cache,
            "PEER_FILE": str(file),
            "POLARS_MAX_THREADS": "1",
        }
        running = until_the_end.enter_context(peer(folder, PYTHON, environ))
        asked = ("/api/sql", sql) if by == "roapi" else (path, None)
        connections = READY_CONNECTIONS if cache else COMPUTING_CONNECTIONS
        found.append(_Contestant(name, running, asked[0], {"accept-encoding": "gzip"}, asked[1], connections, []))
    return found


def _compare(ours: _Contestant, other: _Contestant) -> None:
    """Raises `SystemExit` when they do not say the same."""
    for window in _WINDOWS:
        found = differences(numbers(ours.answer(*window)), numbers(other.answer(*window)))
        if found:
            raise SystemExit(
                f"{other.name} differs in {len(found)} numbers of {_span(*window)}: {'; '.join(found[:3])}"
            )


def _row(each: _Contestant, hot: _Contestant, new: _Contestant) -> list[str]:
    times = [
        _shown(ratio([getattr(one, of) for one in a], [getattr(one, of) for one in b]))
        for ours in (hot, new)
        for of, a, b in (("rps", ours.rounds, each.rounds), ("cpu", each.rounds, ours.rounds))
    ]
    sent = (
        len(get(each.server.port, each.path, each.headers).body)
        if each.path != "/api/sql"
        else len(each.answer(*_WINDOWS[0]))
    )
    return [
        each.name,
        f"{sent:,}",
        f"{median(one.rps for one in each.rounds):,.0f}/s",
        f"{median(one.cpu for one in each.rounds) * 1000:,.3f} ms",
        f"{median(one.p99 for one in each.rounds):,.1f} ms",
        *times,
        f"{each.server.mebibytes():,.0f}",
    ]


def _shown(times: float) -> str:
    return f"{times:,.0f}" if times >= 10 else f"{times:.2g}"


def _span(start: date, end: date) -> str:
    return f"from={start}&to={end}"


if __name__ == "__main__":
    main()
