"""A prepared answer over HTTP, against a bare ASGI callable that sends the same bytes from the same server."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.bare import REPLY, Reply
from benchmarks.machine import ROOT, cores, print_table, ratio, tell
from supportapi.refresh.parentage import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

HOST: Final = "127.0.0.1"
PATH: Final = "/api/metrics?range=30d"
CONNECTIONS: Final = 32
_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 30.0
_OF_THE_SERVER: Final = ("date", "server", "transfer-encoding", "connection")
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_COLUMNS: Final = ("prepared answer", "bytes", "ours", "bare", "ratio", "p99 ours", "p99 bare")
_NOTES: Final = (
    f"`GET {PATH}` with a token, {CONNECTIONS} connections, wrk. Ours is `supportapi dev` with its own Redis, watcher "
    "and worker, access log, counters and request ids. Bare is granian with the same settings and the same headers and "
    "bytes, kept ready. Servers on core 0, wrk on core 1; rounds alternate, the ratio is the median of rounds."
)


class _Round(msgspec.Struct, frozen=True):
    rps: float
    p99: float


def run(*, quick: bool) -> None:
    """Print the table; leave the group out, and say so, where wrk is missing."""
    if shutil.which("wrk") is None:
        print(
            "\n### Serving\n\nLeft out: `wrk` is not installed. It is in the package `wrk` of Debian, Ubuntu, Homebrew."
        )
        return
    rounds, seconds = (2, 1) if quick else (5, 2)
    with tempfile.TemporaryDirectory(prefix="supportapi-bench-") as place, contextlib.ExitStack() as stack:
        folder = Path(place)
        tell("serve: starting supportapi dev")
        ours = stack.enter_context(_supportapi(folder))
        asked = {"authorization": f"Bearer {_token(ours)}"}
        etag = dict(_fetch(ours, asked).headers)[b"etag"].decode()
        forms = {
            "identity": asked,
            "gzip": {**asked, "accept-encoding": "gzip"},
            "304": {**asked, "if-none-match": etag},
        }
        rows = [_compared(name, headers, ours, folder, rounds, seconds) for name, headers in forms.items()]
    print_table("A prepared answer", _COLUMNS, rows, _NOTES)


def _compared(name: str, headers: Mapping[str, str], port: int, folder: Path, rounds: int, seconds: int) -> list[str]:
    reply = _fetch(port, headers)
    tell(f"serve: {name}, {rounds} rounds")
    ours: list[_Round] = []
    bare: list[_Round] = []
    with _bare(folder, reply) as bare_port:
        for each in (port, bare_port):
            _wrk(each, headers, 1)  # warm
        for _ in range(rounds):
            bare.append(_wrk(bare_port, headers, seconds))
            ours.append(_wrk(port, headers, seconds))
    both = [[each.rps for each in either] for either in (ours, bare)]
    return [
        name,
        f"{len(reply.body):,}",
        *(f"{median(rps):,.0f}/s" for rps in both),
        f"{ratio(*both):.2f}",
        *(f"{median(each.p99 for each in either):.2f} ms" for either in (ours, bare)),
    ]


@contextlib.contextmanager
def _supportapi(folder: Path) -> Generator[int]:
    """The port of the whole system, with sample data of its own, once it has published them."""
    environ = {
        "SUPPORTAPI_HOME": str(folder / "home"),
        "MANIFEST_PATH": str(folder / "data" / "manifest.json"),
    }
    with _server(["supportapi.cli", "dev"], environ, folder, "/api/readyz") as port:
        yield port


@contextlib.contextmanager
def _bare(folder: Path, reply: Reply) -> Generator[int]:
    """The port of the bare application that sends `reply`."""
    file = folder / "reply"
    file.write_bytes(msgspec.msgpack.encode(reply))
    # An address that nobody connects to: the server is to start no Redis for this one.
    environ = {"SUPPORTAPI_HOME": str(folder / "bare"), "REDIS_URL": f"redis://{HOST}:1", REPLY: str(file)}
    with _server(["benchmarks.bare"], environ, folder, None) as port:
        yield port


@contextlib.contextmanager
def _server(words: list[str], environ: Mapping[str, str], folder: Path, ready: str | None) -> Generator[int]:
    """Run `python -m <words>` on core 0 while the context lasts; it ends with us, however we end."""
    port = _free_port()
    # The settings of this folder's `.env` and of whoever measures are not those that are measured.
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    }
    own = {"APP_ENV": "local", "HOST": HOST, "PORT": str(port), "API_WORKERS": "1", "LOG_FORMAT": "json"}
    log = folder / f"{words[0]}.log"
    with log.open("ab") as said, _on_core(0):
        child = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**kept, **own, **environ},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # Ctrl-C is ours: we end it, in order
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - calls only into a library that is loaded
        )
    try:
        _wait(child, port, ready, log)
        yield port
    finally:
        _end(child)


def _wait(child: subprocess.Popen[bytes], port: int, ready: str | None, log: Path) -> None:
    patience_ends = time.monotonic() + _READY_SECONDS
    while time.monotonic() < patience_ends and child.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _get(port, ready or PATH, {}).status == 200 or ready is None:
                return
        time.sleep(0.1)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
    raise SystemExit(f"The server did not become ready on port {port}. It said:\n{tail}")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_END_SECONDS)
    except BaseException:
        # Too slow, or asked to end a second time: its children end with it.
        child.kill()
        child.wait()
        raise


@contextlib.contextmanager
def _on_core(core: int) -> Generator[None]:
    """What is started within runs on `core` alone, where the system can do that and has several."""
    if sys.platform != "linux" or cores() < 2:
        yield
        return
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(usual)[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def _wrk(port: int, headers: Mapping[str, str], seconds: int) -> _Round:
    """One round of wrk on core 1. Raises `SystemExit` when a response was none that was asked for."""
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    with _on_core(1):
        said = subprocess.run(
            [*words, f"http://{HOST}:{port}{PATH}"], capture_output=True, text=True, check=True
        ).stdout
    rps = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", said)
    # wrk counts 304 among neither: only 4xx and 5xx are "Non-2xx or 3xx".
    if rps is None or p99 is None or "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"wrk met failures:\n{said}")
    return _Round(float(rps[1]), float(p99[1]) * _UNITS[p99[2]])


def _fetch(port: int, headers: Mapping[str, str]) -> Reply:
    found = _get(port, PATH, headers)
    if found.status not in (200, 304):
        raise SystemExit(f"GET {PATH} answered {found.status}: {found.body[:300]!r}")
    return found


def _get(port: int, path: str, headers: Mapping[str, str]) -> Reply:
    return _exchange(port, "GET", path, headers, None)


def _exchange(port: int, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        head = [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in response.getheaders()
            if name.lower() not in _OF_THE_SERVER
        ]
        return Reply(response.status, head, response.read())
    finally:
        connection.close()


def _token(port: int) -> str:
    """What a user of the sample gets who signs in."""
    credentials = json.dumps({"username": "viewer", "password": "dev"}).encode()
    answer = _exchange(port, "POST", "/api/auth/sign-in", {"content-type": "application/json"}, credentials)
    return str(json.loads(answer.body)["data"]["access_token"])


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])
