"""wrk, on core 1: a round of requests as fast as a server on core 0 answers them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.servers import HOST, on_core

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.servers import Running

_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_TIMEOUT: Final = "60s"


class Round(msgspec.Struct, frozen=True):
    """What one round found."""

    rps: float
    p99: float
    """Milliseconds."""
    cpu: float
    """Seconds of processor time for each request, of all processes of the server."""


def wrk(
    server: Running, path: str, headers: Mapping[str, str], seconds: int, connections: int, script: Path | None = None
) -> Round:
    """Ask for `path`, or for what `script` (Lua) makes of it. Raises `SystemExit` when an answer is a failure."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", _TIMEOUT]
    words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    words += [] if script is None else ["-s", str(script)]
    spent = server.cpu_seconds()
    with on_core(1):
        ended = subprocess.run(
            [*words, f"http://{HOST}:{server.port}{path}"], capture_output=True, text=True, check=False
        )
    spent = server.cpu_seconds() - spent
    said = ended.stdout + ended.stderr
    requests = re.search(r"(\d+) requests in", said)
    rps = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", said)
    # wrk counts 304 among neither: only 4xx and 5xx are "Non-2xx or 3xx".
    if requests is None or rps is None or p99 is None or "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"wrk met failures:\n{said}")
    # One that answered none in time is taken for having answered one.
    return Round(max(float(rps[1]), 1 / seconds), float(p99[1]) * _UNITS[p99[2]], spent / max(int(requests[1]), 1))
