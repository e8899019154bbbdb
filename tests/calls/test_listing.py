from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from supportapi.calls.filter import Filter
from supportapi.calls.listing import count, find, page
from supportapi.calls.record import SCHEMA
from supportapi.calls.selection import Order, Selection
from supportapi.calls.shown import duration_label, service_level_met, shown
from supportapi.calls.window import Window

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
EVERYTHING = Selection(window=Window(date(2026, 1, 5), date(2026, 2, 4)), zone="UTC")


@pytest.fixture
def calls() -> pl.LazyFrame:
    """Five calls an hour apart: two ratings alike, an unknown region, a channel called null, one without talk."""
    columns = {
        "call_id": ["a", "b", "c", "d", "e"],
        "customer_id": ["u1", "u2", "u1", None, "u3"],
        "agent_id": ["x", "y", None, "x", "y"],
        "agent_name": ["Xenia", "Yves", None, "Xenia", "Yves"],
        "region": ["north", "south", None, "north", "south"],
        "channel": ["phone", "phone", "phone", "null", None],
        "issue_type": ["billing", "billing", "delivery", "delivery", "billing"],
        "started_at": [BEGIN + timedelta(hours=hour) for hour in range(5)],
        "ended_at": [BEGIN + timedelta(hours=hour, minutes=5) for hour in range(5)],
        "wait_seconds": [5.0, 30.0, 3.0, None, 20.0],
        "duration_seconds": [60.0, 120.0, None, 90.0, 3_661.0],
        "answered": [True, True, False, None, True],
        "resolved": [True, False, None, None, True],
        "resolution": ["done", "open", None, None, "done"],
        "rating": [5, 3, None, 3, None],
    }
    return pl.LazyFrame(columns, schema=SCHEMA)


def ids(calls: pl.LazyFrame, selection: Selection = EVERYTHING, order: Order | None = None) -> list[str]:
    found = page(calls, selection, order or Order("started_at", descending=False), offset=0, limit=10)
    return [row["call_id"] for row in found]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order("started_at", descending=True), ["e", "d", "c", "b", "a"]),
        (Order("rating", descending=True), ["a", "d", "b", "e", "c"]),
        (Order("rating", descending=False), ["b", "d", "a", "c", "e"]),
        (Order("duration_seconds", descending=False), ["a", "d", "b", "e", "c"]),
        (Order("wait_seconds", descending=True), ["b", "e", "a", "c", "d"]),
        (Order("agent_name", descending=False), ["a", "d", "b", "e", "c"]),
        (Order("rating", then=(Order("duration_seconds", descending=False),)), ["a", "d", "b", "e", "c"]),
        (Order("agent_name", descending=False, then=(Order("rating"),)), ["a", "d", "b", "e", "c"]),
        (Order("agent_name", descending=False, then=(Order("duration_seconds"),)), ["d", "a", "e", "b", "c"]),
    ],
)
def test_ties_are_broken_by_id_and_unknown_values_come_last(
    calls: pl.LazyFrame, order: Order, expected: list[str]
) -> None:
    assert ids(calls, order=order) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"filter": Filter(region=("north",))}, ["a", "d"]),
        ({"filter": Filter(region=("north", "null"))}, ["a", "c", "d"]),
        ({"filter": Filter(channel=("null",))}, ["e"]),
        ({"filter": Filter(channel=(r"\null",))}, ["d"]),
        ({"filter": Filter(issue_type=("billing",), agent_id=("y",))}, ["b", "e"]),
        ({"customer_id": ("null", "u3")}, ["d", "e"]),
        ({"rating": ("3",)}, ["b", "d"]),
        ({"rating": ("5", "null")}, ["a", "c", "e"]),
        ({"answered": ("false",)}, ["c"]),
        ({"answered": ("null",)}, ["d"]),
        ({"resolved": ("true", "null")}, ["a", "c", "d", "e"]),
        ({"min_duration_seconds": 90.0, "max_duration_seconds": 120.0}, ["b", "d"]),
        ({"min_wait_seconds": 5.0, "max_wait_seconds": 20.0}, ["a", "e"]),
        ({"min_wait_seconds": 0.0}, ["a", "b", "c", "e"]),
        ({"weekday": (0,)}, ["a", "b", "c", "d", "e"]),
        (
            {"weekday": (6,), "zone": "America/New_York", "window": Window(date(2026, 1, 4), date(2026, 1, 5))},
            ["a", "b", "c", "d", "e"],
        ),
        ({"hour": (1, 3)}, ["b", "d"]),
        ({"hour": (1, 3), "zone": "Europe/Berlin"}, ["a", "c"]),
        ({"started_from": BEGIN + timedelta(hours=1), "started_to": BEGIN + timedelta(hours=3)}, ["b", "c"]),
        ({"offered": "standard"}, ["a", "b", "e"]),
        ({"offered": "all_offered"}, ["a", "b", "c", "e"]),
        ({"offered": "answered_only"}, ["a", "b", "e"]),
        ({"offered": "abandon_after_threshold", "threshold_seconds": 2}, ["a", "b", "c", "e"]),
        ({"offered": "abandon_after_threshold", "threshold_seconds": 3}, ["a", "b", "e"]),
        ({"text": "YVES"}, ["b", "e"]),
        ({"text": "u1"}, ["a", "c"]),
        ({"text": ".*"}, []),
        ({"zone": "Etc/GMT+3"}, ["d", "e"]),
        ({"window": Window(date(2026, 1, 4), date(2026, 1, 5)), "zone": "Etc/GMT+3"}, ["a", "b", "c"]),
    ],
)
def test_a_selection_keeps_what_it_names(calls: pl.LazyFrame, wanted: dict[str, object], expected: list[str]) -> None:
    bounds: dict[str, object] = {"window": EVERYTHING.window, "zone": EVERYTHING.zone}

    assert ids(calls, Selection(**(bounds | wanted))) == expected  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - literal values


def test_pages_together_are_everything_once(calls: pl.LazyFrame) -> None:
    order = Order("rating", descending=False)

    pages = [page(calls, EVERYTHING, order, offset=offset, limit=2) for offset in (0, 2, 4, 6)]

    assert [[row["call_id"] for row in each] for each in pages] == [["b", "d"], ["a", "c"], ["e"], []]
    assert count(calls, EVERYTHING) == 5


def test_a_call_is_found_by_its_id(calls: pl.LazyFrame) -> None:
    found = find(calls, "d")

    assert found is not None
    assert (found["call_id"], found["duration_seconds"]) == ("d", 90.0)
    assert find(calls, "nobody") is None


def test_a_row_is_shown_with_local_times(calls: pl.LazyFrame) -> None:
    found = find(calls, "a")
    assert found is not None

    row = shown(found, "Europe/Berlin")

    assert row.started_at_local.isoformat() == "2026-01-05T01:00:00+01:00"
    assert row.started_at_local == row.started_at


@pytest.mark.parametrize(
    ("seconds", "label"),
    [(None, None), (0.4, "0:00"), (59.5, "1:00"), (65, "1:05"), (3_599.6, "1:00:00"), (3_661, "1:01:01")],
)
def test_a_duration_has_a_label(seconds: float | None, label: str | None) -> None:
    assert duration_label(seconds) == label


@pytest.mark.parametrize(
    ("answered", "wait", "met"),
    [
        (True, 20.0, True),
        (True, 20.001, False),
        (True, None, False),
        (False, 4.999, None),
        (False, 5.0, False),
        (False, None, False),
        (None, 1.0, None),
    ],
)
def test_a_short_abandon_counts_neither_way(answered: bool | None, wait: float | None, met: bool | None) -> None:  # noqa: FBT001 - a column
    assert service_level_met(answered, wait) is met
