from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import msgspec
import pytest

from supportapi.errors import StartRefused
from supportapi.processes.port import reachable_host, refuse_taken_port
from supportapi.processes.verify import find_problems, is_serving
from supportapi.settings import Settings, load_settings
from tests.processes.machine import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    environ = {
        "SUPPORTAPI_HOME": str(tmp_path / "home"),
        "MANIFEST_PATH": str(tmp_path / "data" / "manifest.json"),
        "REDIS_URL": redis_url,
        "PORT": str(free_port()),
    }
    return load_settings(environ, tmp_path / ".env")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def write_dataset(settings: Settings, size: int = 4) -> None:
    settings.data_folder.mkdir(parents=True)
    settings.parquet_path.write_bytes(b"PAR1")
    document = {"path": settings.parquet_path.name, "hash": "0" * 64, "size_bytes": size}
    settings.manifest_path.write_bytes(msgspec.json.encode(document))


def test_a_machine_in_order_has_no_problem(settings: Settings) -> None:
    write_dataset(settings)

    assert find_problems(settings, listens=True) == []


def test_everything_that_is_wrong_is_found_at_once(settings: Settings, tmp_path: Path, taken: int) -> None:
    (tmp_path / "file").write_text("")
    broken = msgspec.structs.replace(
        settings, supportapi_home=tmp_path / "file", redis_url="redis://:hunter2@127.0.0.1:1/0", port=taken
    )

    problems = find_problems(broken, listens=True)

    assert [(problem.about, problem.blocks) for problem in problems] == [
        ("home", True), ("users", True), ("redis", False), ("dataset", False), ("port", True),
    ]  # fmt: skip
    assert "hunter2" not in str(problems)
    assert "set SUPPORTAPI_HOME" in problems[0].remedy
    assert "supportapi sample" in problems[3].remedy


def test_a_file_that_is_not_what_the_manifest_says_is_found(settings: Settings) -> None:
    write_dataset(settings, size=5)

    [problem] = find_problems(settings, listens=False)

    assert "has 4 bytes instead of 5" in problem.what


def test_a_redis_that_may_evict_is_found(settings: Settings, redis: Redis) -> None:
    write_dataset(settings)
    redis.config_set("maxmemory-policy", "allkeys-lru")

    try:
        [problem] = find_problems(settings, listens=False)
    finally:
        redis.config_set("maxmemory-policy", "noeviction")

    assert (problem.about, problem.blocks) == ("redis", False)
    assert "allkeys-lru" in problem.what
    assert "noeviction" in problem.remedy


def test_sample_users_on_an_open_address_are_found(settings: Settings) -> None:
    write_dataset(settings)

    problems = find_problems(msgspec.structs.replace(settings, host="0.0.0.0"), listens=True)  # noqa: S104 - the point

    assert [problem.about for problem in problems] == ["sample users"]


def test_a_production_without_users_is_found(settings: Settings) -> None:
    write_dataset(settings)

    problems = find_problems(msgspec.structs.replace(settings, app_env="production"), listens=False)

    assert [problem.about for problem in problems] == ["users"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may listen anywhere")
def test_a_port_of_the_system_is_refused() -> None:
    with pytest.raises(StartRefused, match="set PORT"):
        refuse_taken_port("127.0.0.1", 80)


def test_a_taken_port_is_refused_although_it_is_shared(taken: int) -> None:
    with pytest.raises(StartRefused, match=f"Port {taken} of 127.0.0.1 cannot be used"):
        refuse_taken_port("127.0.0.1", taken)


def test_an_address_of_nobody_is_refused() -> None:
    with pytest.raises(StartRefused, match="Set HOST"):
        refuse_taken_port("no-such-host.invalid", 8000)


def test_a_free_port_stays_free() -> None:
    port = free_port()

    refuse_taken_port("127.0.0.1", port)
    refuse_taken_port("127.0.0.1", port)


def test_a_server_on_all_addresses_is_found_on_the_loopback() -> None:
    assert [reachable_host(host) for host in ("0.0.0.0", "::", "10.0.0.1")] == ["127.0.0.1", "::1", "10.0.0.1"]  # noqa: S104 - the point


def test_whoever_else_listens_is_not_taken_for_us(settings: Settings) -> None:
    assert not is_serving(settings)
