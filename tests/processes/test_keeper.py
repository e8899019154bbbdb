from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from supportapi.errors import StartRefused
from supportapi.processes.keeper import Backoff, Command, Keeper, RedisKeeper
from supportapi.processes.supervisor import only_instance, supervise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

SLEEPER = "import time; time.sleep(60)"


def python(name: str, program: str, grace_seconds: float = 5.0) -> Command:
    return Command(name, (sys.executable, "-c", program), grace_seconds)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def stubborn(ready: Path) -> str:
    """A program that does not listen to SIGTERM; it makes the file `ready` when it has got that far."""
    return (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    )


def run(commands: Sequence[Sequence[Command]], beside: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(supervise(commands, os.environ, None, beside))


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_that_dies_is_started_again() -> None:
    async def scenario() -> tuple[int, int]:
        keeper = Keeper(python("child", SLEEPER), os.environ)
        keeping = asyncio.create_task(keeper.keep())
        await until(lambda: keeper.pid)
        first = keeper.pid or 0
        os.kill(first, signal.SIGKILL)
        await until(lambda: keeper.pid not in {None, first})
        second = keeper.pid or 0
        await keeper.stop()
        await keeping
        return first, second

    first, second = asyncio.run(scenario())

    assert first != second
    assert gone(first)
    assert gone(second)


def test_waits_between_starts_grow_and_are_bounded() -> None:
    backoff = Backoff()

    waits = [backoff.ended() for _ in range(8)]

    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_child_that_does_not_listen_is_ended_after_its_grace(tmp_path: Path) -> None:
    ready = tmp_path / "ready"

    async def scenario() -> tuple[int, float]:
        keeper = Keeper(python("stubborn", stubborn(ready), grace_seconds=0.3), os.environ)
        keeping = asyncio.create_task(keeper.keep())
        await until(ready.exists)
        pid, began = keeper.pid or 0, time.monotonic()
        await keeper.stop()
        await keeping
        return pid, time.monotonic() - began

    pid, seconds = asyncio.run(scenario())

    assert gone(pid)
    assert 0.3 <= seconds < 30


def test_what_a_child_has_started_ends_with_it(tmp_path: Path) -> None:
    left = tmp_path / "pid"
    program = (
        "import pathlib, subprocess, sys, time;"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]);"
        f"pathlib.Path({str(left)!r}).write_text(str(child.pid)); time.sleep(60)"
    )

    async def scenario() -> None:
        keeper = Keeper(python("parent", program), os.environ)
        keeping = asyncio.create_task(keeper.keep())
        await until(lambda: left.exists() and left.read_text())
        await keeper.stop()
        await keeping
        await until(lambda: gone(int(left.read_text())))

    asyncio.run(scenario())


def test_a_child_that_refuses_to_start_ends_everything(tmp_path: Path) -> None:
    other = tmp_path / "pid"
    writing = f"import os, pathlib, time; pathlib.Path({str(other)!r}).write_text(str(os.getpid())); time.sleep(60)"
    waiting = f"import os, sys, time\nwhile not os.path.exists({str(other)!r}): time.sleep(0.01)\nsys.exit(78)"

    async def nothing() -> None:
        await asyncio.sleep(60)

    with pytest.raises(StartRefused, match="'refusing' refused to start"):
        run([[python("steady", writing)], [python("refusing", waiting)]], nothing)

    assert gone(int(other.read_text()))


def test_children_are_ended_stage_after_stage(tmp_path: Path) -> None:
    log = tmp_path / "log"
    template = (
        "import pathlib, signal, sys, time\n"
        f"log = pathlib.Path({str(log)!r})\n"
        "def leave(*_):\n    time.sleep(0.2)\n    log.open('a').write(sys.argv[1] + ' ended\\n')\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "log.open('a').write(sys.argv[1] + ' began\\n')\n"
        "time.sleep(60)\n"
    )
    commands = [Command(name, (sys.executable, "-c", template, name), 5.0) for name in ("watcher", "api", "worker")]

    async def stop_when_all_run() -> None:
        await until(lambda: log.exists() and log.read_text().count("began") == 3)
        stop()

    run([commands[:1], commands[1:]], stop_when_all_run)

    ended = [line for line in log.read_text().splitlines() if line.endswith("ended")]
    assert ended[0] == "watcher ended"
    assert sorted(ended[1:]) == ["api ended", "worker ended"]


def test_a_second_signal_ends_everything_at_once(tmp_path: Path) -> None:
    ready = tmp_path / "ready"

    async def stop_twice() -> None:
        await until(ready.exists)
        asyncio.get_running_loop().call_later(0.3, stop)
        stop()

    began = time.monotonic()
    run([[python("stubborn", stubborn(ready), grace_seconds=30.0)]], stop_twice)

    assert time.monotonic() - began < 10


def test_a_redis_that_dies_alone_is_started_again_at_the_same_address(tmp_path: Path) -> None:
    async def scenario() -> tuple[str, str]:
        keeper = RedisKeeper(tmp_path)
        keeping = asyncio.create_task(keeper.keep())
        first = keeper.server
        assert first.process is not None
        first.process.kill()
        await until(lambda: keeper.server is not first and keeper.server.alive())
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        keeper.stop()
        return first.url, keeper.server.url

    first, second = asyncio.run(scenario())

    assert first == second


def test_a_second_instance_is_told_who_holds_the_home(tmp_path: Path) -> None:
    held = f"process {os.getpid()} at http://127.0.0.1:8000"

    with (
        only_instance(tmp_path, "http://127.0.0.1:8000"),
        pytest.raises(StartRefused, match=held),
        only_instance(tmp_path, "http://127.0.0.1:8001"),
    ):
        pass

    with only_instance(tmp_path, "http://127.0.0.1:8001"):
        assert (tmp_path / "dev.lock").read_text() == f"process {os.getpid()} at http://127.0.0.1:8001"
