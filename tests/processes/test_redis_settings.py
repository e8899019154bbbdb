"""Redis as operators run it: with users, TLS, Sentinel, and the queue in a database of its own."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import trustme
from redis import Redis

from supportapi.dataset.sample import make_sample
from supportapi.errors import ShelfUnavailable
from supportapi.processes.redis_server import find_server_binary
from supportapi.processes.redis_settings import redis_problems
from supportapi.settings import Settings, load_settings
from supportapi.snapshots.client import connect, connect_async, reaching_redis
from supportapi.snapshots.shelf import Shelf
from tests.processes.machine import SOURCES, free_port, until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

DEPLOY = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text()


@pytest.fixture
def user_of(redis: Redis, redis_url: str) -> Iterator[Callable[[str], str]]:
    """Makes the user `supportapi` by the words of an ACL; gives the address with that user."""

    def make(rules: str) -> str:
        redis.execute_command("ACL", "SETUSER", "supportapi", *rules.split())
        return redis_url.replace("unix://", "unix://supportapi:PASSWORD@")

    yield make
    redis.execute_command("ACL", "DELUSER", "supportapi")


def settings_for(url: str, folder: Path, **environ: str) -> Settings:
    return load_settings({"REDIS_URL": url, "SUPPORTAPI_HOME": str(folder), **environ}, folder / ".env")


def found(settings: Settings) -> str:
    return " ".join(f"{problem.what} {problem.remedy}" for problem in redis_problems(settings))


def test_a_user_with_the_documented_rights_is_enough_with_the_queue_in_a_database_of_its_own(
    user_of: Callable[[str], str], redis: Redis, tmp_path: Path
) -> None:
    make_sample(500, 1, tmp_path / "data")
    rules = re.search(r"^ACL SETUSER supportapi (.+)$", DEPLOY, re.MULTILINE)
    assert rules is not None
    url = user_of(rules[1])
    environ = {
        "PYTHONPATH": SOURCES, "REDIS_URL": url, "QUEUE_REDIS_URL": f"{url}?db=1", "AUDIT_QUERIES": "1",
        "SUPPORTAPI_HOME": str(tmp_path / "home"), "MANIFEST_PATH": str(tmp_path / "data" / "manifest.json"),
    }  # fmt: skip
    shelf = Shelf(redis)

    with running(["watcher", "worker"], environ, tmp_path) as log:
        until(shelf.current)
        until(lambda: [beat.job for beat in shelf.workers()] == [None])

    assert found(settings_for(url, tmp_path)) == ""
    assert "permission" not in log.read_text().lower()
    assert redis.keys("rq:*") == []


def test_a_user_without_a_right_that_is_needed_is_found_by_the_name_of_the_command(
    user_of: Callable[[str], str], tmp_path: Path
) -> None:
    url = user_of("on >PASSWORD allkeys +@all -eval")

    said = found(settings_for(url, tmp_path))

    assert "'eval'" in said
    assert "docs/deploy.md" in said
    assert "PASSWORD" not in said


def test_a_replica_is_refused_by_name(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        said = found(settings_for(redis_url, tmp_path))
    finally:
        redis.execute_command("REPLICAOF", "NO", "ONE")

    assert "replica" in said


def test_a_redis_that_is_nearly_full_is_found_before_a_publish_fails(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    used = int(redis.info("memory")["used_memory"])  # type: ignore[index]  # pyright: ignore[reportIndexIssue] - sync
    before = redis.config_get("maxmemory")["maxmemory"]  # type: ignore[index]  # pyright: ignore[reportIndexIssue] - sync
    redis.config_set("maxmemory", used + 100_000)
    try:
        said = found(settings_for(redis_url, tmp_path))
    finally:
        redis.config_set("maxmemory", str(before))

    assert "of its memory" in said


@pytest.mark.parametrize(
    ("url", "problems"),
    [
        ("redis://127.0.0.2:1/0", {"encrypted", "password"}),
        ("rediss://127.0.0.2:1/0", {"password"}),
        ("rediss://user:word@127.0.0.2:1/0", set[str]()),
        ("redis://127.0.0.1:1/0", set[str]()),
        ("redis+sentinel://user:word@127.0.0.2:1,127.0.0.3:1/service", {"encrypted"}),
    ],
)
def test_outside_of_local_an_open_address_is_called_a_problem(url: str, problems: set[str], tmp_path: Path) -> None:
    settings = msgspec.structs.replace(settings_for(url, tmp_path), app_env="production")

    said = found(settings)

    assert {word for word in ("encrypted", "password:") if word in said} == {
        {"password": "password:"}.get(word, word) for word in problems
    }
    assert "word@" not in said


def test_a_queue_address_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="QUEUE_REDIS_URL is of no use without REDIS_URL"):
        load_settings({"QUEUE_REDIS_URL": "redis://h/1"}, tmp_path / ".env")


def test_both_clients_speak_tls_and_trust_only_the_authority_that_they_are_given(
    redis_url: str, tmp_path: Path
) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    stranger.cert_pem.write_to_path(tmp_path / "stranger.pem")

    with tls_in_front(redis_url, authority, tmp_path) as port:
        url = f"rediss://localhost:{port}/0?ssl_ca_certs={tmp_path}/ca.pem"
        sync = connect(url).ping()
        later = asyncio.run(_ping(url))
        with pytest.raises(ShelfUnavailable), reaching_redis():
            connect(url.replace("ca.pem", "stranger.pem")).ping()

    assert (sync, later) == (True, True)


def test_both_clients_find_the_primary_that_sentinel_names(tmp_path: Path) -> None:
    binary, primary, sentinel = find_server_binary(), free_port(), free_port()
    (tmp_path / "sentinel.conf").write_text(f"port {sentinel}\nsentinel monitor numbers 127.0.0.1 {primary} 1\n")
    servers = [["--port", str(primary), "--save", ""], [str(tmp_path / "sentinel.conf"), "--sentinel"]]
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel}/numbers/3"
    started = [subprocess.Popen([binary, *words], cwd=tmp_path, stdout=subprocess.DEVNULL) for words in servers]
    try:
        with connect(url) as client, Redis(port=primary, db=3) as named:
            until(lambda: _written(client), 20)

            held, later = named.get("name"), asyncio.run(_ping(url))
            for asked in client.connection_pool.sentinel_manager.sentinels:  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownVariableType] - what redis-py never closes
                asked.close()
    finally:
        for process in started:
            process.kill()
            process.wait()

    assert (held, later) == (b"value", True)


def _written(client: Redis) -> bool:
    with suppress(ShelfUnavailable), reaching_redis():
        return bool(client.set("name", "value"))
    return False


async def _ping(url: str) -> Any:
    client = connect_async(url)
    try:
        return await client.ping()
    finally:
        await client.aclose()
        manager: Any = getattr(client.connection_pool, "sentinel_manager", None)
        for asked in manager.sentinels if manager else ():  # which redis-py never closes
            await asked.aclose()


@contextmanager
def running(names: list[str], environ: dict[str, str], folder: Path) -> Generator[Path]:
    """These processes of ours; killed on leaving."""
    log = folder / "log"
    with log.open("w") as said:
        started = [
            subprocess.Popen([sys.executable, "-m", "supportapi.cli", name], cwd=folder, env=environ, stderr=said)
            for name in names
        ]
    try:
        yield log
    finally:
        for process in started:
            process.kill()
            process.wait()


@contextmanager
def tls_in_front(url: str, authority: trustme.CA, folder: Path) -> Generator[int]:
    """A port that speaks TLS, in front of the server at `url`."""
    port, certificate = free_port(), folder / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
    words = [str(Path(__file__).with_name("tls_proxy.py")), str(port), str(certificate), url.removeprefix("unix://")]
    with subprocess.Popen([sys.executable, *words], stderr=subprocess.DEVNULL) as proxy:
        until(lambda: _listens(port), 20)
        yield port
        proxy.kill()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("localhost", port)) == 0
