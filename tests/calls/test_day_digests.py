from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from supportapi.calls.day_digests import added_up, changed_days, day_digests
from supportapi.calls.record import SCHEMA, canonical

THREE = canonical(
    pl.LazyFrame(
        {
            "call_id": ["a", "b", "c"],
            "started_at": [datetime(2026, 1, day, 23, 30, tzinfo=UTC) for day in (1, 1, 4)],
            "region": ["north", None, "south"],
            "rating": [5, None, 1],
        }
    )
)


def changed(other: pl.LazyFrame) -> list[date]:
    return changed_days(day_digests(THREE, "UTC"), day_digests(other, "UTC"))


def test_equal_calls_in_any_order_have_equal_digests() -> None:
    assert changed(THREE.reverse()) == []


@pytest.mark.parametrize(
    ("name", "value"), [("region", "west"), ("rating", 2), ("customer_id", "x"), ("answered", True), ("call_id", "z")]
)
def test_a_day_changes_with_any_column_of_one_of_its_calls(name: str, value: object) -> None:
    of_b = pl.col("call_id") == "b"

    other = THREE.with_columns(pl.when(of_b).then(pl.lit(value, SCHEMA[name])).otherwise(name).alias(name))

    assert changed(other) == [date(2026, 1, 1)]


def test_a_day_that_lost_its_last_call_and_one_that_has_its_first_have_changed() -> None:
    a_day_later = pl.col("started_at").dt.offset_by("1d")

    moved = THREE.with_columns(
        pl.when(pl.col("call_id") == "c").then(a_day_later).otherwise("started_at").alias("started_at")
    )

    assert changed(moved) == [date(2026, 1, 4), date(2026, 1, 5)]


def test_days_are_those_of_the_zone() -> None:
    assert list(day_digests(THREE, "Europe/Berlin")) == [date(2026, 1, 2), date(2026, 1, 5)]


def test_no_calls_are_no_days() -> None:
    assert day_digests(THREE.clear(), "UTC") == {}


@pytest.mark.parametrize("files", [[["a", "b", "c"]], [["a"], ["b"], ["c"]], [["c", "a"], [], ["b"]]])
def test_files_add_up_to_the_digests_of_all_calls_together(files: list[list[str]]) -> None:
    parts = [THREE.filter(pl.col("call_id").is_in(ids)) for ids in files]

    added = added_up(day_digests(part, "UTC") for part in parts)

    assert added == day_digests(THREE, "UTC")
    assert list(added) == sorted(added)
