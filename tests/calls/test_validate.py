from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from supportapi.calls.record import canonical
from supportapi.calls.validate import validate
from supportapi.errors import SchemaInvalid

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
MORNING = datetime(2024, 5, 6, 8, tzinfo=UTC)


def calls(**columns: list[object]) -> pl.LazyFrame:
    return canonical(pl.LazyFrame({"call_id": ["a", "b"], "started_at": [NOON, NOON]} | columns, strict=False))


def test_possible_calls_are_counted() -> None:
    assert validate(calls(rating=[1, None], wait_seconds=[0.0, None], ended_at=[NOON, None])) == 2


def test_no_calls_at_all_are_possible() -> None:
    assert validate(calls().head(0)) == 0


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"call_id": ["a", None]}, "call_id_missing"),
        ({"call_id": ["a", "a"]}, "call_id_repeated"),
        ({"started_at": [NOON, None]}, "started_at_missing"),
        ({"ended_at": [MORNING, NOON]}, "ended_before_started"),
        ({"wait_seconds": [-1.0, 2.0]}, "wait_negative"),
        ({"duration_seconds": [-1.0, 2.0]}, "duration_negative"),
        ({"rating": [6, 5]}, "rating_outside_1_to_5"),
        ({"rating": [4.5, 5.0]}, "rating_outside_1_to_5"),
        ({"rating": [0, 5]}, "rating_outside_1_to_5"),
        ({"rating": [300, 5]}, "rating_outside_1_to_5"),
    ],
)
def test_an_impossible_value_is_refused_with_its_reason(columns: dict[str, list[object]], reason: str) -> None:
    with pytest.raises(SchemaInvalid) as refused:
        validate(calls(**columns))

    assert refused.value.facts["problems"] == [{"reason": reason, "rows": 1}]


def test_text_that_is_no_time_is_refused() -> None:
    with pytest.raises(SchemaInvalid) as refused:
        validate(calls(started_at=["2024-05-06T12:00:00Z", "yesterday"]))

    assert "yesterday" in refused.value.message
