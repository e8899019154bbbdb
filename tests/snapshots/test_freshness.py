from __future__ import annotations

from datetime import UTC, datetime, timedelta

from supportapi.snapshots.freshness import Spell, StaleCause, Turn, spells

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def turn(minute: int, cause: StaleCause | None, version: str | None = None) -> Turn:
    return Turn(at=NOON + timedelta(minutes=minute), cause=cause, version=version)


def spell(begins: int, ends: int | None, cause: StaleCause, version: str | None = None) -> Spell:
    ended_at = None if ends is None else NOON + timedelta(minutes=ends)
    return Spell(cause=cause, version=version, began_at=NOON + timedelta(minutes=begins), ended_at=ended_at)


def test_a_stale_time_lasts_until_the_next_turn_and_the_newest_comes_first() -> None:
    turns = [turn(0, None), turn(1, "manifest_changed", "b"), turn(3, "build_failed", "b"), turn(9, None)]

    assert spells(turns) == [spell(3, 9, "build_failed", "b"), spell(1, 3, "manifest_changed", "b")]


def test_what_lasts_has_no_end() -> None:
    assert spells([turn(4, "manifest_unreadable")]) == [spell(4, None, "manifest_unreadable")]


def test_two_watchers_that_say_the_same_are_one_time() -> None:
    turns = [turn(1, "rolled_back", "b"), turn(2, "rolled_back", "b"), turn(5, None), turn(6, None)]

    assert spells(turns) == [spell(1, 5, "rolled_back", "b")]


def test_a_newer_dataset_begins_a_time_of_its_own() -> None:
    turns = [turn(1, "manifest_changed", "b"), turn(2, "manifest_changed", "c"), turn(3, None)]

    assert spells(turns) == [spell(2, 3, "manifest_changed", "c"), spell(1, 2, "manifest_changed", "b")]


def test_nothing_remembered_is_no_stale_time() -> None:
    assert spells([]) == []
