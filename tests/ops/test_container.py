"""The container files, beyond what their linters know (`make lint`): that they fit this repository and its settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from supportapi.cli import main
from supportapi.settings import NAMES

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
SENT = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.dev.yml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "supportapi:dev"}


def test_the_image_runs_as_a_user_who_is_not_root_and_asks_its_own_health() -> None:
    user = re.search(r"^USER (\d+):(\d+)$", LAST_STAGE, re.MULTILINE)

    assert user is not None
    assert "0" not in user.groups()
    assert "/api/healthz" in LAST_STAGE
    assert "pip" not in LAST_STAGE


def test_what_is_copied_is_sent_to_the_build_and_is_there() -> None:
    copied = set(re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE))

    assert copied == SENT
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_every_variable_of_the_image_is_a_setting_or_pythons_own() -> None:
    named = set(re.findall(r"^(?:ENV|   ) ([A-Z_]+)=", LAST_STAGE, re.MULTILINE))

    assert named - {"PATH", "PYTHONDONTWRITEBYTECODE"} <= set(NAMES)
    assert "SUPPORTAPI_HOME" in named


def test_compose_runs_the_three_processes_on_a_redis_that_evicts_nothing() -> None:
    commands = {word for service in OURS.values() for word in service["command"] if word in main.commands}

    assert {"api", "watcher", "worker"} <= commands
    assert "noeviction" in COMPOSE["services"]["redis"]["command"]
    assert COMPOSE["services"]["frontend"]["profiles"] == ["frontend"]


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_has_a_read_only_root_no_rights_and_known_settings(name: str) -> None:
    service = OURS[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service["environment"]) <= set(NAMES)
