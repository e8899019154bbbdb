"""The aggregates' answers again, slowly: one row at a time in plain Python, straight from the definitions."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from supportapi.measures.sketch import EDGES

if TYPE_CHECKING:
    from supportapi.calls.window import Window
    from supportapi.rollups.questions import Question

Row = dict[str, Any]
Key = str | tuple[str, str] | date | datetime | tuple[int, int]

THRESHOLDS = (10, 15, 20, 30, 60, 120)
TIMES = ("hour", "day", "week", "month", "step", "hour_of_week")
DIMENSIONS = ("region", "issue_type", "channel", "agent_id")
_EDGES: list[int] = EDGES.tolist()


@dataclass(frozen=True)
class Parted:
    """The rows that a question is about, parted: `cells` has only positions (along `keys`) that have rows."""

    keys: tuple[tuple[Key, ...], ...]
    cells: dict[tuple[int, ...], list[Row]]


def parted(rows: list[Row], question: Question) -> Parted:
    """The rows of `question` in its window and filter, by member and by bucket of time."""
    axes = [_member_axis(rows, question, name) for name in question.by if name not in TIMES]
    axes += [_time_axis(question, name) for name in question.by if name in TIMES]
    cells: dict[tuple[int, ...], list[Row]] = {}
    for row in rows:
        if _wanted(row, question):
            at = tuple(keys.index(_key(row, question, name)) for name, keys in zip(question.by, axes, strict=True))
            cells.setdefault(at, []).append(row)
    return Parted(tuple(axes), cells)


REPEAT = timedelta(days=7)


def judged(rows: list[Row]) -> list[Row]:
    """All `rows` of a dataset, with what they say of each other: `matured` and `followed`, null for strangers."""
    newest = max((row["started_at"] for row in rows), default=None)
    return [
        {
            **row,
            "followed": _followed(row, rows),
            "matured": newest is not None and newest - row["started_at"] >= REPEAT,
        }
        for row in rows
    ]


def milliseconds(row: Row, of: str) -> int | None:
    """The wait or the duration of a row."""
    seconds = row[f"{of}_seconds"]
    return None if seconds is None else round(seconds * 1000)


def measured(rows: list[Row]) -> Counter[str]:
    """Every count and sum of `rows`; names that nothing adds to are missing."""
    found: Counter[str] = Counter()
    for row in rows:
        found.update(_waits(row))
        found.update(_outcomes(row))
        found.update(_repeats(row))
    return found


def histogram(rows: list[Row], of: str) -> Counter[int]:
    """How many rows have their wait or duration in each bucket."""
    known = (milliseconds(row, of) for row in rows)
    return Counter(bisect_left(_EDGES, value) for value in known if value is not None)


def longest_wait(rows: list[Row]) -> float | None:
    """The longest known wait in seconds."""
    return max((value / 1000 for row in rows if (value := milliseconds(row, "wait")) is not None), default=None)


def local_day(row: Row, zone: str) -> date:
    """The day on the wall of `zone` when the call reached the centre."""
    started: datetime = row["started_at"]
    return started.astimezone(ZoneInfo(zone)).date()


def key(value: str | None) -> str:
    """A member as a client spells it."""
    spelled = {None: "null", "null": r"\null", r"\null": r"\\null"}
    return spelled.get(value, str(value))


def members(rows: list[Row], dimension: str) -> tuple[str, ...]:
    """The key of every member of `dimension`, in order of their names, the unknown one last."""
    return tuple(key(value) for value in sorted({row[dimension] for row in rows}, key=_unknown_last))


def _waits(row: Row) -> Counter[str]:
    wait, answered = milliseconds(row, "wait"), row["answered"]
    found: Counter[str] = Counter()
    if wait is None:
        return found
    found.update({"wait_known": 1, "wait_ms": wait})
    if answered is True:
        found.update({"wait_answered_known": 1, "wait_answered_ms": wait})
        found.update(f"within_{limit}" for limit in THRESHOLDS if wait <= limit * 1000)
    if answered is False:
        found.update({"wait_unanswered_known": 1, "wait_unanswered_ms": wait})
        found.update(f"beyond_{limit}" for limit in THRESHOLDS if wait > limit * 1000)
        found.update(["short_abandons"] if wait < 5000 else [])
    return found


def _outcomes(row: Row) -> Counter[str]:
    found = Counter({"calls": 1})
    handled = row["answered"] is not False
    if row["answered"] is not None:
        found["answered" if row["answered"] else "unanswered"] += 1
    if (duration := milliseconds(row, "duration")) is not None:
        found.update({"duration_known": 1, "duration_ms": duration})
    if row["rating"] is not None:
        found[f"rating_{row['rating']}"] += 1
    if row["resolved"] is not None:
        found.update({"resolved_known": 1, "resolved_known_handled": int(handled)})
        found.update({"resolved": int(row["resolved"]), "resolved_handled": int(row["resolved"] and handled)})
    return found


def _followed(row: Row, rows: list[Row]) -> bool | None:
    if row["customer_id"] is None:
        return None
    same = (other for other in rows if all(row[name] == other[name] for name in ("customer_id", "issue_type")))
    return any(timedelta() < other["started_at"] - row["started_at"] <= REPEAT for other in same)


def _repeats(row: Row) -> Counter[str]:
    if not row["resolved"] or row["followed"] is None:
        return Counter()
    if not row["matured"]:
        return Counter({"resolved_young": 1})
    return Counter({"resolved_matured": 1, "resolved_without_repeat": int(not row["followed"])})


def _wanted(row: Row, question: Question) -> bool:
    first = _steps(question.window) if "step" in question.by else ()
    if not (first[0] if first else question.window.start) <= local_day(row, question.zone) < question.window.end:
        return False
    limits = ((name, question.filter.members(name)) for name in DIMENSIONS)
    return all(not kept or key(row[name]) in kept for name, kept in limits)


def _member_axis(rows: list[Row], question: Question, name: str) -> tuple[Key, ...]:
    if name == "rating":
        return ("1", "2", "3", "4", "5", "null")
    if name == "agent_region":
        pairs = sorted({(row["agent_id"], row["region"]) for row in rows}, key=_pair_order)
        keys = ((key(agent), key(region)) for agent, region in pairs)
        return tuple(
            pair for pair in keys if _kept(question, "agent_id", pair[0]) and _kept(question, "region", pair[1])
        )
    return tuple(one for one in members(rows, name) if _kept(question, name, one))


def _kept(question: Question, dimension: str, member: str) -> bool:
    limits = question.filter.members(dimension)
    return not limits or member in limits


def _unknown_last(value: str | None) -> tuple[bool, str]:
    return (value is None, value or "")


def _pair_order(pair: tuple[str | None, str | None]) -> tuple[tuple[bool, str], ...]:
    return tuple(map(_unknown_last, pair))


@cache
def _end(day: date, zone: str) -> datetime:
    """The minute after the last one before `day`, found by looking at the clock of `zone` every minute."""
    noon = datetime.combine(day, time(12), UTC)
    minutes = (noon + timedelta(minutes=minute) for minute in range(-2880, 2880))
    return max(each for each in minutes if each.astimezone(ZoneInfo(zone)).date() < day) + timedelta(minutes=1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _time_axis(question: Question, grain: str) -> tuple[Key, ...]:
    window = question.window
    if grain == "hour":
        start, end = _midnight(window.start, question.zone), _end(window.end, question.zone)
        hours: list[datetime] = []
        while start < end:
            hours.append(start)
            start += timedelta(hours=1)
        return tuple(hours)
    if grain == "step":
        return _steps(window)
    if grain == "hour_of_week":
        return tuple((weekday, hour) for weekday in range(7) for hour in range(24))
    days = (window.start + timedelta(days=number) for number in range((window.end - window.start).days))
    return tuple(dict.fromkeys(_bucket(day, grain) for day in days))


def _steps(window: Window) -> tuple[date, ...]:
    """Backwards from the end: the narrowest steps of which thirty reach over the window, as long as they are whole."""
    width = next(days for days in range(1, 99_999) if days * 30 >= window.days)
    starts: list[date] = []
    while (start := (starts[-1] if starts else window.end) - timedelta(days=width)) >= window.start:
        starts.append(start)
    return tuple(reversed(starts))


def _bucket(day: date, grain: str) -> date:
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _key(row: Row, question: Question, name: str) -> Key:
    return _time_key(row, question, name) if name in TIMES else _member_key(row, name)


def _member_key(row: Row, name: str) -> Key:
    if name == "rating":
        return "null" if row["rating"] is None else str(row["rating"])
    return (key(row["agent_id"]), key(row["region"])) if name == "agent_region" else key(row[name])


def _time_key(row: Row, question: Question, name: str) -> Key:
    match name:
        case "hour":
            first = _midnight(question.window.start, question.zone)
            elapsed: timedelta = row["started_at"] - first
            return first + elapsed // timedelta(hours=1) * timedelta(hours=1)
        case "hour_of_week":
            wall: datetime = row["started_at"].astimezone(ZoneInfo(question.zone))
            return (wall.weekday(), wall.hour)
        case "step":
            return max(start for start in _steps(question.window) if start <= local_day(row, question.zone))
        case _:
            return _bucket(local_day(row, question.zone), name)
