from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from supportapi.access.attempts import Attempts
from supportapi.access.door import Door
from supportapi.access.principal import EVERYTHING, regions_of, scope_of
from supportapi.access.sign_outs import SignedOut, SignOuts
from supportapi.access.tokens import Tokens
from supportapi.access.users import UserFile, Users
from supportapi.errors import Unauthenticated, WarmingUp
from supportapi.snapshots.client import connect_async

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> UserFile:
    kept = UserFile(tmp_path)
    kept.add("ann", "admin", "correct horse")
    return kept


@pytest.fixture
def door(file: UserFile, redis_url: str) -> Door:
    redis = connect_async(redis_url)
    users, tokens = Users([], file, samples=False), Tokens("a key that nobody knows", 3600, time.time)
    opened = Door(
        users, tokens, Attempts(redis, time.monotonic), SignOuts(redis, 3600, time.time), SignedOut(time.time)
    )
    opened.signed_out.loaded = True
    return opened


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


def test_a_token_that_was_signed_out_is_refused_by_name(door: Door) -> None:
    token = door.issue(door.sign_in("ann", "correct horse"))
    other = door.issue(door.sign_in("ann", "correct horse"))

    door.signed_out.add({door.read(token).token_id: time.time() + 60})

    with pytest.raises(Unauthenticated) as caught:
        door.verify(token)
    assert caught.value.facts["reason"] == "signed_out"
    assert door.verify(other)[0].username == "ann"


def test_nobody_comes_in_while_it_is_not_known_who_has_signed_out(door: Door) -> None:
    token = door.issue(door.sign_in("ann", "correct horse"))
    door.signed_out.loaded = False

    with pytest.raises(WarmingUp):
        door.verify(token)


def test_a_rule_is_the_one_that_the_user_has_now_and_no_token_tells_it(door: Door, file: UserFile) -> None:
    file.add("ann", "viewer", "correct horse")
    token = door.issue(door.sign_in("ann", "correct horse"))
    before = door.verify(token)[0].scope

    file.add("ann", "viewer", "correct horse", ("south", "north"))

    assert (before, door.verify(token)[0].scope) == (EVERYTHING, scope_of(["north", "south"]))
    assert door.read(token).scope == EVERYTHING


@pytest.mark.parametrize("regions", [None, (), ("north",), ("\\null", "a,b", "null", "åse")])
def test_a_scope_spells_its_regions(regions: tuple[str, ...] | None) -> None:
    assert regions_of(scope_of(regions)) == regions
