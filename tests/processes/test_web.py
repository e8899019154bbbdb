"""`supportapi api` for real, without watcher, worker or data."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.processes.machine import Api, all_gone, until, worker_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def serving(api: Api) -> str:
    """The worker that answers now."""
    return worker_of(api.ask("GET", "/api/healthz")[1])


@pytest.fixture
def api(tmp_path: Path, redis_url: str) -> Iterator[Api]:
    running = Api(tmp_path, REDIS_URL=redis_url)
    yield running
    running.end()


def test_it_lives_before_there_is_any_data_and_says_that_it_is_not_ready(api: Api) -> None:
    status, _, body = api.ask("GET", "/api/readyz")
    missing, _, problem = api.ask("GET", "/api/nothing")

    assert (status, body["data"]["status"]) == (503, "not_ready")
    assert (missing, problem["error"]["code"]) == (404, "NOT_FOUND")


def test_the_sample_users_sign_in_and_nobody_else(api: Api) -> None:
    _, headers, signed = api.ask("POST", "/api/auth/sign-in", {"username": "admin", "password": "dev"})
    refused, _, problem = api.ask("POST", "/api/auth/sign-in", {"username": "admin", "password": "prod"})
    token = signed["data"]["access_token"]

    assert api.ask("GET", "/api/auth/me", authorization=f"Bearer {token}")[2]["data"]["role"] == "admin"
    assert api.ask("GET", "/api/auth/me", cookie=headers["set-cookie"].split(";")[0])[0] == 200
    assert (refused, problem["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert token not in api.log.read_text()


def test_no_secret_gets_into_its_log_or_an_answer(tmp_path: Path, redis_url: str) -> None:
    secrets = {
        "SECRET_KEY": "a key of these tests, and of nobody else",
        "SECRET_KEY_PREVIOUS": "the key that was before it",
    }
    api = Api(tmp_path, REDIS_URL=redis_url, LOG_LEVEL="DEBUG", **secrets)
    try:
        _, _, signed = api.ask("POST", "/api/auth/sign-in", {"username": "admin", "password": "dev"})
        token = signed["data"]["access_token"]
        answers = [
            api.ask("GET", f"/api/nothing?access_token={token}&password=hunter2"),
            api.ask("POST", "/api/auth/sign-in", {"username": "admin", "password": "hunter2-hunter2"}),
            api.ask("POST", "/api/auth/sign-in", {"username": ["hunter2-hunter2"], "password": 7}),
            api.ask("GET", "/api/auth/me", authorization=f"Bearer {token}x"),
            api.ask("GET", "/openapi.json"),
        ]
        until(lambda: '"/openapi.json"' in api.log.read_text())
    finally:
        api.end()

    written = api.log.read_text() + str([body for _, _, body in answers])
    assert [word for word in (*secrets.values(), token, "hunter2", "$argon2", redis_url) if word in written] == []


def test_it_ends_in_seconds_when_asked_to_and_leaves_nobody(api: Api) -> None:
    workers = api.process.children(recursive=True)

    api.process.send_signal(signal.SIGTERM)

    assert api.process.wait(20) == 0
    assert not any(worker.is_running() for worker in workers)


def test_told_to_end_it_finishes_what_it_was_asked_and_tells_those_who_listen(tmp_path: Path, redis_url: str) -> None:
    api = Api(tmp_path, REDIS_URL=redis_url, AUTH_ENABLED="false")
    body = b'{"username": "admin", "password": "dev"}'
    head = (
        b"POST /api/auth/sign-in HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    with (
        socket.create_connection(("127.0.0.1", api.port), timeout=20) as asking,
        socket.create_connection(("127.0.0.1", api.port), timeout=20) as listening,
    ):
        listening.sendall(b"GET /api/events HTTP/1.1\r\nHost: here\r\n\r\n")
        greeting = listening.recv(4096)
        asking.sendall(head % len(body) + body[:10])
        time.sleep(0.5)  # until its head has been read; nothing outside of the process shows that

        api.process.send_signal(signal.SIGTERM)
        told = b"".join(iter(lambda: listening.recv(4096), b""))
        asking.sendall(body[10:])
        answer = b"".join(iter(lambda: asking.recv(4096), b""))

    assert api.process.wait(20) == 0
    assert b"200 OK" in greeting
    assert b'event: stream.closing\ndata: {"reason":"shutdown"}\n\n' in told
    assert told.endswith(b"0\r\n\r\n")
    assert b"HTTP/1.1 200 OK" in answer
    assert b'"access_token"' in answer


def test_killed_it_leaves_no_worker_that_still_serves(api: Api) -> None:
    workers = api.process.children(recursive=True)

    api.process.kill()
    api.process.wait(20)

    until(lambda: all_gone(workers), 20)
    assert api.status("/api/healthz") == 0


def test_a_second_one_on_the_same_port_is_refused(api: Api) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "supportapi.cli", "api"],
        env=api.environ, cwd=api.log.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert second.returncode == 78
    assert "cannot be used" in second.stderr
    assert api.status("/api/healthz") == 200


def test_of_several_workers_one_that_dies_is_replaced_while_the_others_serve(tmp_path: Path, redis_url: str) -> None:
    api = Api(tmp_path, REDIS_URL=redis_url, API_WORKERS="2")
    try:
        until(lambda: len({serving(api) for _ in range(10)}) == 2)
        victim = next(child for child in api.process.children() if "cli" in " ".join(child.cmdline()))

        victim.kill()
        # Its main process is told when the last of its threads is gone; until then its listener may still be chosen.
        until(lambda: not victim.is_running())
        answers = {api.status("/api/healthz") for _ in range(20)}
        survivor = {serving(api) for _ in range(10)}
        until(lambda: len({serving(api) for _ in range(10)}) == 2)

        assert answers == {200}
        assert len(survivor) == 1
    finally:
        api.end()


def test_without_a_redis_it_starts_all_the_same_and_names_what_is_missing(tmp_path: Path) -> None:
    api = Api(tmp_path, REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
    try:
        status, _, body = api.ask("GET", "/api/readyz")

        assert status == 503
        assert "REDIS_UNAVAILABLE" in json.dumps(body)
        assert "hunter2" not in json.dumps(body) + api.log.read_text()
    finally:
        api.end()


def test_a_redis_of_its_own_ends_with_it(tmp_path: Path) -> None:
    api = Api(tmp_path)
    redis = next(child for child in api.process.children() if "unixsocket" in " ".join(child.cmdline()))

    api.process.send_signal(signal.SIGTERM)

    assert api.process.wait(20) == 0
    assert not redis.is_running()
