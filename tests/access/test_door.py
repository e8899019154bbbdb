from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from supportapi.access.door import PER_ACCOUNT, PER_ADDRESS, WINDOW_SECONDS, Attempts, Door
from supportapi.access.tokens import Tokens
from supportapi.access.users import UserFile, Users
from supportapi.errors import RateLimited, Unauthenticated

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def file(tmp_path: Path) -> UserFile:
    kept = UserFile(tmp_path)
    kept.add("ann", "admin", "correct horse")
    return kept


@pytest.fixture
def door(file: UserFile) -> Door:
    tokens = Tokens("a key that nobody knows", 3600, time.time)
    return Door(Users([], file, samples=False), tokens, Attempts(time.monotonic))


def test_credentials_become_a_token_and_a_token_a_principal(door: Door) -> None:
    principal, expires = door.verify(door.issue(door.sign_in("ann", "correct horse")))

    assert (principal.username, principal.role, principal.expires_at) == ("ann", "admin", expires)


def test_a_removed_user_is_refused_although_their_token_has_not_expired(door: Door, file: UserFile) -> None:
    token = door.issue(door.sign_in("ann", "correct horse"))
    file.remove("ann")

    with pytest.raises(Unauthenticated) as caught:
        door.verify(token)

    assert caught.value.facts["reason"] == "unknown_user"


def test_a_role_that_was_taken_away_is_gone_from_tokens_as_well(door: Door, file: UserFile) -> None:
    token = door.issue(door.sign_in("ann", "correct horse"))

    file.add("ann", "viewer", "correct horse")

    assert door.verify(token)[0].role == "viewer"


def test_who_guesses_too_often_waits_until_the_window_is_over() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(PER_ACCOUNT):
        attempts.allow("ann", "10.0.0.1")

    clock.seconds = 20.0
    with pytest.raises(RateLimited) as caught:
        attempts.allow("ann", "10.0.0.1")
    clock.seconds = WINDOW_SECONDS
    attempts.allow("ann", "10.0.0.1")

    assert caught.value.facts["retry_after_seconds"] == 40


def test_nobody_can_lock_an_account_from_another_address() -> None:
    attempts = Attempts(Clock())
    for _ in range(PER_ACCOUNT):
        attempts.allow("ann", "10.0.0.1")

    attempts.allow("ann", "10.0.0.2")


def test_an_address_that_tries_many_accounts_waits() -> None:
    attempts = Attempts(Clock())
    for number in range(PER_ADDRESS):
        attempts.allow(f"user-{number}", "10.0.0.1")

    with pytest.raises(RateLimited):
        attempts.allow("one-more", "10.0.0.1")


def test_who_knows_the_password_may_sign_in_as_often_as_they_like() -> None:
    attempts = Attempts(Clock())

    for _ in range(PER_ADDRESS - 1):
        attempts.allow("ann", "10.0.0.1")
        attempts.succeeded("ann")


def test_the_memory_of_attempts_is_bounded() -> None:
    attempts = Attempts(Clock())

    for number in range(12_000):
        attempts.allow("ann", f"10.0.{number // 256}.{number % 256}")

    assert len(attempts._counts) <= 10_000  # pyright: ignore[reportPrivateUsage] - nothing else shows it
