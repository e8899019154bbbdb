from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from supportapi.calls.record import COLUMNS, SCHEMA, canonical
from supportapi.errors import SchemaInvalid

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def one(**columns: object) -> dict[str, object]:
    frame = pl.LazyFrame({"call_id": ["a"], "started_at": [NOON]} | {name: [value] for name, value in columns.items()})
    return canonical(frame).collect().row(0, named=True)


def test_missing_columns_are_null_and_others_are_dropped() -> None:
    frame = pl.LazyFrame({"shoe_size": [43], "started_at": [NOON], "call_id": ["a"]})

    calls = canonical(frame).collect()

    assert calls.schema == pl.Schema(SCHEMA)
    assert calls.columns == list(COLUMNS)
    assert calls.row(0, named=True) == dict.fromkeys(COLUMNS) | {"call_id": "a", "started_at": NOON}


def test_the_first_front_ends_spelling_is_understood() -> None:
    frame = pl.LazyFrame(
        {
            "id": [7],
            "start_time": [datetime(2024, 5, 6, 12)],  # noqa: DTZ001 - a naive time is the point
            "end_time": [datetime(2024, 5, 6, 12, 3)],  # noqa: DTZ001 - as above
            "call_duration_minutes": [2.38],
            "customer_region": ["North"],
            "resolution_status": ["Escalated"],
            "skill_rating": [4.0],
            "agent_name": ["Zoë  O'Neil"],
            "call_date": [date(2024, 5, 6)],
            "hour_of_day": [12],
        }
    )

    call = canonical(frame).collect().row(0, named=True)

    assert call == dict.fromkeys(COLUMNS) | {
        "call_id": "7",
        "started_at": NOON,
        "ended_at": NOON + timedelta(minutes=3),
        "duration_seconds": 142.8,
        "region": "North",
        "resolution": "Escalated",
        "resolved": False,
        "rating": 4,
        "agent_name": "Zoë  O'Neil",
        "agent_id": "zoe-o-neil",
    }


def test_our_own_name_wins_over_an_alias() -> None:
    assert one(region="North", customer_region="South")["region"] == "North"


@pytest.mark.parametrize(
    ("word", "resolved"),
    [
        ("Resolved", True),
        ("closed", True),
        ("ESCALATED", False),
        ("In-Progress", False),
        ("in_progress", False),
        ("teapot", None),
    ],
)
def test_resolved_follows_from_the_word_for_the_outcome(word: str, resolved: bool | None) -> None:  # noqa: FBT001 - a value
    assert one(resolution=word)["resolved"] is resolved


def test_a_resolved_column_wins_over_the_word() -> None:
    assert one(resolution="resolved", resolved=False)["resolved"] is False


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        (datetime(2024, 5, 6, 12), NOON),  # noqa: DTZ001 - a naive time is the point
        (date(2024, 5, 6), datetime(2024, 5, 6, tzinfo=UTC)),
        ("2024-05-06T14:00:00+02:00", NOON),
        ("2024-05-06T12:00:00Z", NOON),
        ("2024-05-06 12:00:00", NOON),
        ("2024-05-06T12:00", NOON),
    ],
)
def test_times_are_read_as_instants_and_naive_ones_as_utc(written: object, instant: datetime) -> None:
    assert canonical(pl.LazyFrame({"call_id": ["a"], "started_at": [written]})).collect()["started_at"][0] == instant


@pytest.mark.parametrize(
    ("written", "seconds"), [(0.0, None), (12.3456, 12.346), (float("nan"), None), (90, 90.0), ("7.5", 7.5)]
)
def test_durations_are_whole_milliseconds_and_0_is_none(written: object, seconds: float | None) -> None:
    assert one(duration_seconds=written)["duration_seconds"] == seconds


def test_whole_milliseconds_are_the_nearest_numbers_there_are() -> None:
    seconds = [k / 1000 for k in range(200_000)]

    calls = canonical(
        pl.LazyFrame({"call_id": ["a"], "started_at": [NOON], "wait_seconds": [seconds]}).explode("wait_seconds")
    )

    assert calls.collect()["wait_seconds"].to_list() == seconds


def test_a_wait_of_0_stays_0() -> None:
    assert one(wait_seconds=0.0)["wait_seconds"] == 0.0


def test_numbers_that_a_reader_made_of_ids_become_ids_again() -> None:
    assert one(customer_id=17.0)["customer_id"] == "17"


def test_empty_text_is_not_known() -> None:
    assert one(region="")["region"] is None


def test_a_frame_without_required_columns_is_refused_with_all_of_them_named() -> None:
    with pytest.raises(SchemaInvalid) as refused:
        canonical(pl.LazyFrame({"region": ["North"], "rating": [[1]]}))

    assert refused.value.facts["problems"] == [
        {"reason": "column_missing", "column": "call_id"},
        {"reason": "column_missing", "column": "started_at"},
        {"reason": "wrong_type", "column": "rating", "found": "List(Int64)", "expected": "Int8"},
    ]
