"""A prepared answer over HTTP, against a bare ASGI callable that sends the same bytes from the same server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.machine import print_table, ratio, tell
from benchmarks.servers import HOST, Running, bare, exchange, get, on_core, supportapi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.bare import Reply

PATH: Final = "/api/metrics?range=30d"
CONNECTIONS: Final = 32
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_COLUMNS: Final = (
    "prepared answer",
    "bytes",
    "ours",
    "bare",
    "ratio",
    "CPU ours",
    "CPU bare",
    "ratio",
    "p99 ours",
    "p99 bare",
)
_NOTES: Final = (
    f"`GET {PATH}` with a token, {CONNECTIONS} connections, wrk. Ours is `supportapi dev` with its own Redis, watcher "
    "and worker, access log, counters and request ids. Bare is granian with the same settings and the same headers and "
    "bytes, kept ready. Servers on core 0, wrk on core 1; rounds alternate, ratios are medians of rounds. "
    "CPU is processor time for each request, of all processes of either: its ratio (bare / ours) is what can be "
    "trusted on a machine that others use too."
)


class _Round(msgspec.Struct, frozen=True):
    rps: float
    p99: float
    cpu: float
    """Seconds of processor time for each request."""


def run(*, quick: bool) -> None:
    """Print the table; leave the group out, and say so, where wrk is missing."""
    if shutil.which("wrk") is None:
        print(
            "\n### Serving\n\nLeft out: `wrk` is not installed. It is in the package `wrk` of Debian, Ubuntu, Homebrew."
        )
        return
    rounds, seconds = (2, 1) if quick else (15, 1)
    tell("serve: starting supportapi dev")
    with tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place, supportapi(Path(place)) as ours:
        asked = {"authorization": f"Bearer {viewer_token(ours.port)}"}
        etag = dict(_fetch(ours.port, asked).headers)[b"etag"].decode()
        forms = {
            "identity": asked,
            "gzip": {**asked, "accept-encoding": "gzip"},
            "304": {**asked, "if-none-match": etag},
        }
        rows = [_compared(name, headers, ours, Path(place), rounds, seconds) for name, headers in forms.items()]
    print_table("A prepared answer", _COLUMNS, rows, _NOTES)


def _compared(
    name: str, headers: Mapping[str, str], server: Running, folder: Path, rounds: int, seconds: int
) -> list[str]:
    reply = _fetch(server.port, headers)
    tell(f"serve: {name}, {rounds} rounds")
    ours: list[_Round] = []
    theirs: list[_Round] = []
    with bare(folder, reply) as bare_server:
        for each in (server, bare_server):
            _wrk(each, headers, 1)  # warm
        for _ in range(rounds):
            theirs.append(_wrk(bare_server, headers, seconds))
            ours.append(_wrk(server, headers, seconds))
    cpu = [[each.cpu for each in either] for either in (ours, theirs)]
    both = [[each.rps for each in either] for either in (ours, theirs)]
    return [
        name,
        f"{len(reply.body):,}",
        *(f"{median(rps):,.0f}/s" for rps in both),
        f"{ratio(*both):.2f}",
        *(f"{median(spent) * 1e6:,.0f} us" for spent in cpu),
        f"{ratio(cpu[1], cpu[0]):.2f}",
        *(f"{median(each.p99 for each in either):.2f} ms" for either in (ours, theirs)),
    ]


def _wrk(server: Running, headers: Mapping[str, str], seconds: int) -> _Round:
    """One round of wrk on core 1. Raises `SystemExit` when a response was none that was asked for."""
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    spent = server.cpu_seconds()
    with on_core(1):
        said = subprocess.run(
            [*words, f"http://{HOST}:{server.port}{PATH}"], capture_output=True, text=True, check=True
        ).stdout
    spent = server.cpu_seconds() - spent
    requests = re.search(r"(\d+) requests in", said)
    rps = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", said)
    # wrk counts 304 among neither: only 4xx and 5xx are "Non-2xx or 3xx".
    if requests is None or rps is None or p99 is None or "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"wrk met failures:\n{said}")
    return _Round(float(rps[1]), float(p99[1]) * _UNITS[p99[2]], spent / max(int(requests[1]), 1))


def _fetch(port: int, headers: Mapping[str, str]) -> Reply:
    found = get(port, PATH, headers)
    if found.status not in (200, 304):
        raise SystemExit(f"GET {PATH} answered {found.status}: {found.body[:300]!r}")
    return found


def viewer_token(port: int) -> str:
    """What the viewer of the samples gets who signs in."""
    credentials = json.dumps({"username": "viewer", "password": "dev"}).encode()
    answer = exchange(port, "POST", "/api/auth/sign-in", {"content-type": "application/json"}, credentials)
    return str(json.loads(answer.body)["data"]["access_token"])
