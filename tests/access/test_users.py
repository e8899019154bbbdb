from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from argon2 import Type, extract_parameters

from supportapi.access import passwords
from supportapi.access.passwords import hash_password, password_fits
from supportapi.access.users import User, UserFile, Users
from supportapi.errors import NotFound, SettingsInvalid, Unauthenticated, ValidationFailed

if TYPE_CHECKING:
    from pathlib import Path


def test_an_added_user_signs_in_and_a_removed_one_does_not(tmp_path: Path) -> None:
    file = UserFile(tmp_path)
    users = Users([], file, samples=False)
    file.add("ann", "admin", "correct horse")

    assert users.sign_in("ann", "correct horse").role == "admin"

    file.remove("ann")
    with pytest.raises(Unauthenticated):
        users.sign_in("ann", "correct horse")


def test_a_running_process_sees_what_another_one_has_added(tmp_path: Path) -> None:
    users = Users([], UserFile(tmp_path), samples=True)
    before = set(users.everybody())

    UserFile(tmp_path).add("ann", "viewer", "correct horse")

    assert (before, set(users.everybody())) == ({"admin", "viewer", "europe"}, {"ann"})


def test_the_file_is_for_its_owner_alone_and_holds_no_password(tmp_path: Path) -> None:
    file = UserFile(tmp_path)

    file.add("ann", "viewer", "correct horse")

    assert file.path.stat().st_mode & 0o777 == 0o600
    assert "correct horse" not in file.path.read_text()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".users.lock", "users.json"]


def test_adding_again_changes_role_and_password(tmp_path: Path) -> None:
    file = UserFile(tmp_path)
    users = Users([], file, samples=False)
    file.add("ann", "viewer", "correct horse")

    file.add("ann", "admin", "battery staple")

    assert users.sign_in("ann", "battery staple").role == "admin"
    with pytest.raises(Unauthenticated):
        users.sign_in("ann", "correct horse")


def test_two_commands_at_once_lose_no_user(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from supportapi.access.users import UserFile;"
        "UserFile(pathlib.Path(sys.argv[1])).add(sys.argv[2], 'viewer', 'correct horse')"
    )
    names = [f"user-{number}" for number in range(4)]

    commands = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name], env={"PYTHONPATH": "src"})
        for name in names
    ]

    assert [command.wait(30) for command in commands] == [0, 0, 0, 0]
    assert sorted(UserFile(tmp_path).read()) == names


def test_a_user_of_the_environment_goes_before_one_of_the_file(tmp_path: Path) -> None:
    file = UserFile(tmp_path)
    file.add("ann", "viewer", "of the file")

    users = Users([User("ann", "admin", hash_password("of the environment"))], file, samples=True)

    assert users.sign_in("ann", "of the environment").role == "admin"
    assert set(users.everybody()) == {"ann"}


def test_samples_exist_only_where_they_are_asked_for(tmp_path: Path) -> None:
    assert Users([], UserFile(tmp_path), samples=False).everybody() == {}
    assert Users([], UserFile(tmp_path), samples=True).sign_in("admin", "dev").role == "admin"


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [
        ("", "correct horse", "username"),
        ("a b", "correct horse", "username"),
        ("a:b", "correct horse", "username"),
        ("ann", "short", "password"),
    ],
)
def test_an_unusable_user_is_refused(tmp_path: Path, username: str, password: str, field: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        UserFile(tmp_path).add(username, "viewer", password)

    assert [detail["field"] for detail in caught.value.details] == [field]
    assert not UserFile(tmp_path).path.exists()


def test_a_limited_admin_is_refused_by_the_command_and_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed) as caught:
        UserFile(tmp_path).add("ann", "admin", "correct horse", ("north",))
    (tmp_path / "users.json").write_text('[{"username":"ann","role":"admin","password_hash":"x","regions":["north"]}]')

    assert [detail["field"] for detail in caught.value.details] == ["regions"]
    with pytest.raises(SettingsInvalid, match="limits 'ann' to regions"):
        UserFile(tmp_path).read()


def test_removing_nobody_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no user 'ann'"):
        UserFile(tmp_path).remove("ann")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '[{"username": "ann"}]',
        '[{"username":"a","role":"owner","password_hash":"x"}]',
    ],
)
def test_a_broken_file_is_refused_without_saying_what_it_holds(tmp_path: Path, content: str) -> None:
    (tmp_path / "users.json").write_text(content)

    with pytest.raises(SettingsInvalid, match=r"users\.json cannot be read"):
        UserFile(tmp_path).read()


def test_a_file_that_breaks_later_counts_as_it_last_was(tmp_path: Path) -> None:
    file = UserFile(tmp_path)
    users = Users([], file, samples=False)
    file.add("ann", "viewer", "correct horse")
    users.everybody()

    file.path.write_text("half a li")

    assert set(users.everybody()) == {"ann"}


def test_an_unknown_user_and_a_wrong_password_are_told_the_same(tmp_path: Path) -> None:
    file = UserFile(tmp_path)
    users = Users([], file, samples=False)
    file.add("ann", "viewer", "correct horse")

    with pytest.raises(Unauthenticated) as unknown:
        users.sign_in("bob", "correct horse")
    with pytest.raises(Unauthenticated) as wrong:
        users.sign_in("ann", "wrong horse")

    assert (unknown.value.message, unknown.value.facts) == (wrong.value.message, wrong.value.facts)


def test_no_password_fits_nobody_not_even_the_one_that_nobody_has() -> None:
    assert not password_fits(None, "nobody")
    assert not password_fits("not a hash", "nobody")


def test_a_users_representation_has_no_hash() -> None:
    assert repr(User("ann", "viewer", "$argon2id$secret")) == "User('ann', 'viewer')"


def test_samples_are_shown_only_while_there_is_nobody_else(tmp_path: Path) -> None:
    users = Users([], UserFile(tmp_path), samples=True)
    before = set(users.samples())

    UserFile(tmp_path).add("ann", "viewer", "correct horse")

    assert (before, users.samples()) == ({"admin", "viewer", "europe"}, {})
    assert Users([], UserFile(tmp_path / "elsewhere"), samples=False).samples() == {}


def test_an_unknown_user_costs_the_same_work_as_a_known_one() -> None:
    nobody = extract_parameters(passwords._nobody())  # pyright: ignore[reportPrivateUsage] - what is checked when there is no user

    assert nobody == extract_parameters(hash_password("correct horse"))
    assert (nobody.type, nobody.memory_cost >= 19_456, nobody.time_cost >= 2) == (Type.ID, True, True)


def test_everybody_is_listed_by_name_with_where_they_are_kept(tmp_path: Path) -> None:
    file = UserFile(tmp_path)
    file.add("zoe", "viewer", "correct horse")
    file.add("ann", "viewer", "correct horse")

    listed = Users([User("ann", "admin", "hash")], file, samples=True).listed()

    assert [(user.username, user.role, origin) for user, origin in listed] == [
        ("ann", "admin", "environment"),
        ("zoe", "viewer", "file"),
    ]


def test_samples_are_listed_as_what_they_are(tmp_path: Path) -> None:
    listed = Users([], UserFile(tmp_path), samples=True).listed()

    assert [(user.username, origin) for user, origin in listed] == [
        ("admin", "sample"),
        ("europe", "sample"),
        ("viewer", "sample"),
    ]
