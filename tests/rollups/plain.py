"""The plainest possible second opinion: calls as dictionaries, counted one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import strategies as st

from supportapi.calls.filter import DIMENSIONS, UNKNOWN, Filter
from supportapi.calls.record import SCHEMA
from supportapi.calls.window import Window
from supportapi.measures.tally import COUNTS, SUMS
from supportapi.rollups.build import build
from supportapi.rollups.questions import Question
from supportapi.rollups.states import partial_state

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.rollups.aggregates import Aggregates

Call = Mapping[str, Any]
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
AMPLE = 1 << 29
NOTHING = 0


def frame(calls: Sequence[Call]) -> pl.LazyFrame:
    """The calls as a canonical frame, in order of time."""
    rows = [{name: call.get(name) for name in SCHEMA} for call in calls]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("started_at", "call_id").lazy()


def aggregates(calls: Sequence[Call], zones: Sequence[str] = ZONES, budget_bytes: int = AMPLE) -> Aggregates:
    """The aggregates of the calls as one file."""
    return build(partial_state(frame(calls), zones), frame(calls), zones, budget_bytes)


def local_day(call: Call, zone: str) -> date:
    """The date on the clock of `zone` when the call began."""
    started: datetime = call["started_at"]
    return started.astimezone(ZoneInfo(zone)).date()


def kept(calls: Sequence[Call], question: Question) -> list[Call]:
    """The calls that `question` is about."""
    window = question.window
    return [
        call
        for call in calls
        if window.start <= local_day(call, question.zone) < window.end
        and all(
            (UNKNOWN if call.get(name) is None else call[name]) in question.filter.members(name)
            for name in question.filter.limited
        )
    ]


def measures(calls: Sequence[Call]) -> dict[str, int]:
    """Every count and sum, each by its definition in words."""
    found = dict.fromkeys((*COUNTS, *SUMS), 0)
    for call in calls:
        for name in _counted(call):
            found[name] += 1
        _add_times(found, call)
    return found


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _counted(call: Call) -> list[str]:
    answered, resolved, rating, wait = (call.get(key) for key in ("answered", "resolved", "rating", "wait_seconds"))
    names = ["calls"]
    names += ["answered"] if answered is True else ["unanswered"] if answered is False else []
    if wait is not None:
        names.append("wait_known")
        names += ["short_abandons"] if answered is False and wait < 5 else []
        names += [f"within_{t}" for t in (10, 15, 20, 30, 60, 120) if answered is True and wait <= t]
        names += [f"beyond_{t}" for t in (10, 15, 20, 30, 60, 120) if answered is False and wait > t]
        names += ["wait_answered_known"] if answered is True else []
        names += ["wait_unanswered_known"] if answered is False else []
    names += ["duration_known"] if call.get("duration_seconds") is not None else []
    names += [f"rating_{rating}"] if rating is not None else []
    names += ["resolved"] if resolved is True else []
    names += ["resolved_known"] if resolved is not None else []
    if answered is not False:
        names += ["resolved_handled"] if resolved is True else []
        names += ["resolved_known_handled"] if resolved is not None else []
    return names


def _add_times(found: dict[str, int], call: Call) -> None:
    wait, duration = _ms(call.get("wait_seconds")), _ms(call.get("duration_seconds"))
    found["wait_ms"] += wait or 0
    found["wait_answered_ms"] += (wait or 0) if call.get("answered") is True else 0
    found["wait_unanswered_ms"] += (wait or 0) if call.get("answered") is False else 0
    found["duration_ms"] += duration or 0


def key_of(axis: str, zone: str) -> Callable[[Call], Any]:
    """What gives the key of a call along `axis`."""

    def member(call: Call, name: str) -> str:
        return UNKNOWN if call.get(name) is None else str(call[name])

    def time(call: Call) -> date | datetime:
        day = local_day(call, zone)
        return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[axis]

    if axis == "agent_region":
        return lambda call: (member(call, "agent_id"), member(call, "region"))
    return time if axis in ("day", "week", "month") else lambda call: member(call, axis)


def hour_key(call: Call, first: datetime) -> datetime:
    """The first instant of the elapsed hour, counted from `first`, in which the call began."""
    started: datetime = call["started_at"]
    return first + (started - first) // timedelta(hours=1) * timedelta(hours=1)


def groups(calls: Sequence[Call], question: Question) -> dict[tuple[Any, ...], list[Call]]:
    """The calls that `question` is about, by their keys along its axes; groups without a call are absent."""
    first = question.window.instants(question.zone)[0]
    keys: list[Callable[[Call], Any]] = [
        partial(hour_key, first=first) if axis == "hour" else key_of(axis, question.zone) for axis in question.by
    ]
    found: dict[tuple[Any, ...], list[Call]] = {}
    for call in kept(calls, question):
        found.setdefault(tuple(key(call) for key in keys), []).append(call)
    return found


def by_key(values: NDArray[Any], keys: Sequence[Sequence[Any]]) -> dict[tuple[Any, ...], Any]:
    """Each cell of an answer under its keys."""
    if not keys:
        return {(): values}
    return {
        (key, *rest): cell
        for key, part in zip(keys[0], values, strict=True)
        for rest, cell in by_key(part, keys[1:]).items()
    }


# -- random calls and questions --------------------------------------------------------------------------------------

# The nights on which clocks change in the zones above, a leap day and both ends of a year.
_STARTS = (
    datetime(2024, 2, 28, 20, tzinfo=UTC),
    datetime(2024, 3, 9, 22, tzinfo=UTC),
    datetime(2024, 3, 30, 12, tzinfo=UTC),
    datetime(2024, 4, 6, 10, tzinfo=UTC),
    datetime(2024, 10, 5, 10, tzinfo=UTC),
    datetime(2024, 10, 26, 20, tzinfo=UTC),
    datetime(2024, 11, 2, 22, tzinfo=UTC),
    datetime(2024, 12, 30, 20, tzinfo=UTC),
)
_EDGES_MS = (0, 1, 4999, 5000, 5001, 9999, 10000, 10001, 20000, 20001, 60000, 120000, 120001, 3_600_000)


_SECONDS = (st.sampled_from(_EDGES_MS) | st.integers(0, 400_000)).map(lambda ms: ms / 1000)
_NAMES = {
    "region": ("north", "south", "Ost"),
    "issue_type": ("billing", "é", "sales"),
    "channel": ("phone", "chat"),
    "agent_id": ("a1", "a2", "a3"),
}
AXES = (None, "region", "issue_type", "channel", "rating", "agent_id", "agent_region")
GRAINS = (None, "hour", "day", "week", "month")


@st.composite
def some_calls(draw: st.DrawFn, most: int = 14) -> list[Call]:
    """Up to `most` calls within a few days around a night that is hard on calendars; anything may be unknown."""
    first = draw(st.sampled_from(_STARTS))
    spread = draw(st.sampled_from((0, 3 * 3600, 3 * 86_400, 70 * 86_400)))
    count = draw(st.integers(0, most))
    return [
        {
            "call_id": f"c{number}",
            "started_at": first
            + timedelta(seconds=draw(st.integers(0, spread)), microseconds=draw(st.integers(0, 999_999))),
            **{name: draw(st.none() | st.sampled_from(members)) for name, members in _NAMES.items()},
            "wait_seconds": draw(st.none() | _SECONDS),
            "duration_seconds": draw(st.none() | _SECONDS),
            "answered": draw(st.none() | st.booleans()),
            "resolved": draw(st.none() | st.booleans()),
            "rating": draw(st.none() | st.integers(1, 5)),
        }
        for number in range(count)
    ]


@st.composite
def some_question(draw: st.DrawFn, calls: Sequence[Call]) -> Question:
    """A question with any filter, axis and zone, of a window that may lie beside the data or be empty."""
    zone = draw(st.sampled_from(ZONES))
    days = sorted(local_day(call, zone) for call in calls) or [date(2024, 3, 1)]
    start = days[0] + timedelta(days=draw(st.integers(-3, 5)))
    end = start + timedelta(days=draw(st.integers(0, 9) | st.just((days[-1] - days[0]).days + 4)))
    limits = {
        name: tuple(sorted(draw(st.sets(st.sampled_from((*_NAMES[name], UNKNOWN, "nobody")), max_size=3))))
        for name in DIMENSIONS
        if draw(st.integers(0, 2)) == 0
    }
    axes = (draw(st.sampled_from(AXES)), draw(st.sampled_from(GRAINS)))
    return Question(zone, Window(start, end), Filter(**limits), tuple(axis for axis in axes if axis is not None))
