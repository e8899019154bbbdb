from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from supportapi.access.secret_key import kept_secret
from supportapi.errors import SettingsInvalid

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"

    first, second = kept_secret(home), kept_secret(home)

    assert first == second
    assert len(first.encode()) >= 32
    assert (home / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in home.iterdir()] == ["secret-key"]


def test_whoever_asks_at_the_same_moment_gets_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(kept_secret, [tmp_path] * 64))

    assert len(secrets) == 1


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("\n")

    with pytest.raises(SettingsInvalid, match="is empty"):
        kept_secret(tmp_path)


def test_a_home_that_is_a_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")

    with pytest.raises(SettingsInvalid, match="set SUPPORTAPI_HOME or SECRET_KEY"):
        kept_secret(home)
