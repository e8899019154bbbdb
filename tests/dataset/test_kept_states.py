from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from supportapi.dataset.kept_states import LocalStates, forget, keep, kept
from supportapi.errors import DataMismatch, DataMissing, DatasetNotWritable

if TYPE_CHECKING:
    from pathlib import Path

_ONE, _OTHER = f"2-abcdef01/{'1' * 64}", f"2-abcdef01/{'2' * 64}"


@pytest.fixture
def store(tmp_path: Path) -> LocalStates:
    return LocalStates(tmp_path)


def test_a_state_comes_back_as_it_was(store: LocalStates) -> None:
    keep(store, _ONE, b"one")

    assert kept(store, _ONE) == b"one"
    assert kept(store, _OTHER) is None
    assert store.names() == [_ONE]


@pytest.mark.parametrize("broken", [b"", b"short", b"\0" * 40])
def test_what_is_no_sealed_state_is_refused(store: LocalStates, broken: bytes) -> None:
    store.write(_ONE, broken)

    with pytest.raises(DataMismatch):
        kept(store, _ONE)


def test_a_state_that_stands_under_another_name_is_refused(store: LocalStates, tmp_path: Path) -> None:
    keep(store, _ONE, b"one")
    shutil.copy(tmp_path / "_states" / _ONE, tmp_path / "_states" / _OTHER)

    with pytest.raises(DataMismatch):
        kept(store, _OTHER)


def test_a_place_that_cannot_be_used_says_so(store: LocalStates, tmp_path: Path) -> None:
    (tmp_path / "_states").write_bytes(b"")

    with pytest.raises(DatasetNotWritable):
        store.write(_ONE, b"one")
    with pytest.raises(DataMissing):
        store.read(_ONE)


def test_what_nobody_needs_is_forgotten_but_for_as_many_of_the_newest(store: LocalStates) -> None:
    names = [f"1-abcdef01/{number}" for number in range(4)]
    [keep(store, name, b"old") for name in names]
    keep(store, _ONE, b"one")
    keep(store, _OTHER, b"other")

    forget(store, {_ONE, _OTHER})

    assert sorted(store.names()) == [*names[2:], _ONE, _OTHER]


def test_a_folder_that_holds_no_state_any_more_goes(store: LocalStates, tmp_path: Path) -> None:
    keep(store, f"1-abcdef01/{'3' * 64}", b"old")

    forget(store, set())

    assert list((tmp_path / "_states").iterdir()) == []
