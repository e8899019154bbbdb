"""A prepared answer over HTTP, against a bare ASGI callable that sends the same bytes from the same server."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.machine import print_table, ratio, tell
from benchmarks.servers import bare, exchange, get, supportapi
from benchmarks.wrk import Round, wrk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.bare import Reply
    from benchmarks.servers import Running

PATH: Final = (
    "/api/metrics?range=30d&include=kpis&metrics="
    "calls,answer_rate,abandonment_rate,service_level,average_duration,resolution_rate,csat,average_rating,response_rate"
)
"""A row of cards: about 8 KB."""
CONNECTIONS: Final = 32
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
    ours: list[Round] = []
    theirs: list[Round] = []
    with bare(folder, reply) as bare_server:
        for each in (server, bare_server):
            wrk(each, PATH, headers, 1, CONNECTIONS)  # warm
        for _ in range(rounds):
            theirs.append(wrk(bare_server, PATH, headers, seconds, CONNECTIONS))
            ours.append(wrk(server, PATH, headers, seconds, CONNECTIONS))
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
