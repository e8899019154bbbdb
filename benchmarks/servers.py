"""Servers that are measured: the whole system and the bare application, on a core of their own, ended with us."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import msgspec
import psutil

from benchmarks.bare import REPLY, Reply
from benchmarks.machine import ROOT, cores
from supportapi.refresh.parentage import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

HOST: Final = "127.0.0.1"
_READY_SECONDS: Final = 120.0
_END_SECONDS: Final = 30.0
_OF_THE_SERVER: Final = ("date", "server", "transfer-encoding", "connection")


class Running(msgspec.Struct, frozen=True):
    """A server that answers: where, and the process that began it."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time of all its processes."""
        first = psutil.Process(self.pid)
        spent = 0.0
        for process in (first, *first.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent += times.user + times.system
        return spent

    def mebibytes(self) -> float:
        """Memory that its processes share with nobody."""
        first = psutil.Process(self.pid)
        return sum(each.memory_full_info().uss for each in (first, *first.children(recursive=True))) / (1 << 20)


@contextlib.contextmanager
def supportapi(folder: Path, environ: Mapping[str, str] | None = None) -> Generator[Running]:
    """The whole system, with the data in `folder` or sample data of its own, once it has published them.

    With an `environ` it is another system than the usual one, and has all cores.
    """
    places = {
        "SUPPORTAPI_HOME": str(folder / "home"),
        "MANIFEST_PATH": str(folder / "data" / "manifest.json"),
    }
    core = 0 if environ is None else None
    with _server(["supportapi.cli", "dev"], places | dict(environ or {}), folder, "/api/readyz", core) as running:
        yield running


@contextlib.contextmanager
def bare(folder: Path, reply: Reply) -> Generator[Running]:
    """The bare application that sends `reply`."""
    file = folder / "reply"
    file.write_bytes(msgspec.msgpack.encode(reply))
    # An address that nobody connects to: the server is to start no Redis for this one.
    environ = {"SUPPORTAPI_HOME": str(folder / "bare"), "REDIS_URL": f"redis://{HOST}:1", REPLY: str(file)}
    with _server(["benchmarks.bare"], environ, folder, None) as running:
        yield running


@contextlib.contextmanager
def peer(folder: Path, python: Path, environ: Mapping[str, str]) -> Generator[Running]:
    """The peer that `environ` names, run by the `python` of the peers."""
    with _server(["benchmarks.peers.server"], environ, folder, None, python=str(python)) as running:
        yield running


@contextlib.contextmanager
def _server(
    words: list[str],
    environ: Mapping[str, str],
    folder: Path,
    ready: str | None,
    core: int | None = 0,
    *,
    python: str = sys.executable,
) -> Generator[Running]:
    """Run `python -m <words>` on `core` while the context lasts; it ends with us, however we end."""
    port = _free_port()
    # In a folder without `.env`, and without what whoever measures has set: defaults are measured.
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    }
    own = {
        "PYTHONPATH": str(ROOT),
        "APP_ENV": "local",
        "HOST": HOST,
        "PORT": str(port),
        "API_WORKERS": "1",
        "LOG_FORMAT": "json",
    }
    log = folder / f"{words[0]}.log"
    with log.open("ab") as said, on_core(core):
        child = subprocess.Popen(
            [python, "-m", *words],
            cwd=folder,
            env={**kept, **own, **environ},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # Ctrl-C is ours: we end it, in order
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - calls only into a library that is loaded
        )
    try:
        _wait(child, port, ready, log)
        yield Running(port, child.pid)
    finally:
        _end(child)


def _wait(child: subprocess.Popen[bytes], port: int, ready: str | None, log: Path) -> None:
    patience_ends = time.monotonic() + _READY_SECONDS
    while time.monotonic() < patience_ends and child.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if get(port, ready or "/", {}).status == 200 or ready is None:
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
def on_core(core: int | None) -> Generator[None]:
    """What is started within runs on `core` alone, where one is named and the system can do that and has several."""
    if core is None or sys.platform != "linux" or cores() < 2:
        yield
        return
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(usual)[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def get(port: int, path: str, headers: Mapping[str, str]) -> Reply:
    return exchange(port, "GET", path, headers, None)


def exchange(port: int, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
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


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])
