"""`supportapi dev`: everything on one machine with one command, and nothing left when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import structlog

from supportapi.access.users import UserFile
from supportapi.errors import StartRefused, SupportApiError
from supportapi.processes.keeper import RedisKeeper, our_command
from supportapi.processes.port import reachable_host
from supportapi.processes.start import begin
from supportapi.processes.store import source_of
from supportapi.processes.supervisor import only_instance, supervise
from supportapi.processes.web import LONGEST_REQUEST_SECONDS
from supportapi.refresh.parentage import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from supportapi.processes.keeper import Command
    from supportapi.settings import Settings

SAMPLE_CALLS: Final = 200_000
SAMPLE_SEED: Final = 1
STAGES: Final[tuple[tuple[Command, ...], ...]] = (
    (our_command("watcher"),),
    (our_command("api", LONGEST_REQUEST_SECONDS + 2.0), our_command("worker")),
)
"""The children, in the order in which they are ended: who asks for work goes first."""
_LOOK_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 60.0
_LOG: Final = structlog.get_logger()


def run_dev() -> None:
    """Start Redis (when none is configured), sample data (when there is none), api, watcher and worker.

    Prints where, when all is ready; returns when a signal has ended it. Raises `SettingsInvalid` or `StartRefused`
    before anything was started, or after everything was ended.
    """
    began = time.monotonic()
    with _signals_as_exits():
        settings = begin("dev", listens=True)
        with only_instance(settings.supportapi_home, address_of(settings)), _redis(settings) as (environ, redis):
            _make_data(settings, environ)
            greeting = _Greeting(settings, began)
            asyncio.run(supervise(STAGES, environ, redis, greeting.when_ready))


def address_of(settings: Settings) -> str:
    """Where a browser on this machine finds the API."""
    host = reachable_host(settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


@contextlib.contextmanager
def _redis(settings: Settings) -> Generator[tuple[dict[str, str], RedisKeeper | None]]:
    """The environment of the children, and the keeper of their Redis when it is ours."""
    if settings.redis_url is not None:
        yield dict(os.environ), None
        return
    redis = RedisKeeper(settings.supportapi_home)
    try:
        # The same address for its whole life: a server that is started again takes the same socket.
        yield {**os.environ, "REDIS_URL": redis.server.url}, redis
    finally:
        redis.stop()


def _make_data(settings: Settings, environ: dict[str, str]) -> None:
    """A dataset in a folder that has none: from `raw/` if something lies there, else a sample. No bucket is written."""
    if settings.data_source != "local" or settings.manifest_path.exists():
        return
    if settings.parquet_path.exists():
        remedy = f"Run 'supportapi ingest {settings.parquet_path}', which writes one."
        raise StartRefused(f"There are calls in {settings.parquet_path}, but no manifest beside them. {remedy}")
    raw = settings.data_folder / "raw"
    words = ["sample", "--calls", str(SAMPLE_CALLS), "--seed", str(SAMPLE_SEED)]
    if raw.is_dir() and any(_is_raw(entry) for entry in raw.iterdir()):
        words = ["ingest"]
    _LOG.info("dev.makes_data", command=" ".join(["supportapi", *words]))
    child = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "supportapi.cli", *words],
        env=environ,
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 - calls only into a library that is loaded before the fork
    )
    try:
        status = child.wait()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if status != 0:
        raise StartRefused(f"'supportapi {' '.join(words)}' failed; it has said why.", status=status)


def _is_raw(entry: Path) -> bool:
    return entry.is_file() and not entry.name.startswith(".") and entry.suffix.lower() not in (".toml", ".md")


class _Greeting:
    """Says where everything is, once it is ready."""

    def __init__(self, settings: Settings, began: float) -> None:
        self._settings = settings
        self._began = began

    async def when_ready(self) -> None:
        """Wait for the API and print the banner; say so when that takes long."""
        patience_ends = time.monotonic() + _PATIENCE_SECONDS
        while (status := await _readiness(self._settings)) != 200:  # noqa: PLR2004 - HTTP's OK
            if time.monotonic() > patience_ends:
                _LOG.warning("dev.not_ready_yet", status=status, look_at=f"{address_of(self._settings)}/api/readyz")
                patience_ends += _PATIENCE_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
        print(self._banner(), flush=True)  # noqa: T201 - what the person who started it waits for

    def _banner(self) -> str:
        address = address_of(self._settings)
        rows = {
            "Dashboard": address,
            "Docs": f"{address}/docs",
            "Sign in": self._who(),
            "Dataset": self._what(),
        }
        lines = [f"  {name:<9}  {text}" for name, text in rows.items()]
        title = f"supportapi is ready ({time.monotonic() - self._began:.1f} s). Ctrl-C ends it."
        return "\n".join(["", title, "", *lines, ""])

    def _who(self) -> str:
        if not self._settings.auth_enabled:
            return "not needed: AUTH_ENABLED=false makes everybody an admin"
        if self._settings.supportapi_users or UserFile(self._settings.supportapi_home).read():
            return "as one of your users ('supportapi users list')"
        return "admin / dev, viewer / dev, or europe / dev (samples, on this machine only)"

    def _what(self) -> str:
        source = source_of(self._settings)
        try:
            manifest = source.read()
        except SupportApiError as cause:
            return cause.message
        rows = "" if manifest.row_count is None else f", {manifest.row_count:,} calls"
        return f"{source.location}{rows}"


async def _readiness(settings: Settings) -> int | None:
    """The status of `/api/readyz`, or None while nobody answers."""
    host = reachable_host(settings.host)
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, settings.port)
            writer.write(b"GET /api/readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return int((await reader.readline()).split()[1])
    except (OSError, TimeoutError, IndexError, ValueError):
        return None
    finally:
        if writer is not None:
            writer.close()


@contextlib.contextmanager
def _signals_as_exits() -> Generator[None]:
    """Until the supervisor listens itself: a signal unwinds us, so that what was started is ended."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, leave) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
