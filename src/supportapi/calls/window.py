"""Spans of days in a reporting time zone, half-open: `[start, end)`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

Grain = Literal["hour", "day", "week", "month"]
RelativeRange = Literal["7d", "30d", "90d", "365d", "mtd", "ytd", "all"]
Comparison = Literal["previous", "previous_week", "previous_month", "previous_year", "none"]

GRAINS: tuple[Grain, ...] = get_args(Grain)
RELATIVE_RANGES: tuple[RelativeRange, ...] = get_args(RelativeRange)

_DECEMBER = 12
_MONTHS_A_YEAR = 12
_STEPS = 30


class Window(msgspec.Struct, frozen=True):
    """The days from `start` up to and without `end`. An empty window has `start == end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it spans, at least 0."""
        return max((self.end - self.start).days, 0)

    def intersect(self, other: Window) -> Window:
        """The days in both; empty (at `self.start`) when there are none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else Window(self.start, self.start)

    def instants(self, zone: str) -> tuple[datetime, datetime]:
        """The window's first instant and the one after its last, in UTC, for the days of `zone` (an IANA name)."""
        return midnight(self.start, zone), _end_of_the_day_before(self.end, zone)

    def exact(self, zone: str) -> bool:
        """Whether every instant between `instants` lies in the window.

        It does not where a clock went back over a midnight at one of its ends: there the days beside it lie between.
        """
        return all(_end_of_the_day_before(day, zone) == midnight(day, zone) for day in (self.start, self.end))


@lru_cache(8192)
def midnight(day: date, zone: str) -> datetime:
    """The instant at which `day` begins in `zone`, in UTC; the first one where the clock strikes midnight twice."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def _end_of_the_day_before(day: date, zone: str) -> datetime:
    """The instant after the last one before `day`: beyond its midnight where the clock then went back behind it."""
    first, clock = midnight(day, zone), ZoneInfo(zone)
    second = datetime.combine(day, time.min.replace(fold=1), clock).astimezone(UTC)
    # The clock may also have gone back to midnight itself: then the hour before the second one is of `day` already.
    returned = second > first and (second - timedelta.resolution).astimezone(clock).date() < day
    return second if returned else first


def relative_window(name: RelativeRange, data: Window) -> Window:
    """The window that `name` means for data that spans `data`: it ends where the data ends, not at the wall clock.

    Counted ranges may begin before the data does; `mtd` and `ytd` begin with the month or year of the last day that
    has data; `all` is `data` itself.
    """
    if name == "all" or data.days == 0:
        return data
    last = data.end - timedelta(days=1)
    if name == "mtd":
        return Window(last.replace(day=1), data.end)
    if name == "ytd":
        return Window(last.replace(month=1, day=1), data.end)
    return Window(data.end - timedelta(days=int(name.removesuffix("d"))), data.end)


def comparison_window(window: Window, comparison: Comparison) -> Window | None:
    """The window that `window` is compared with, or None.

    `previous` is the same number of days just before. The others move both ends back by a week, a month or a year; a
    day that the earlier month lacks (31 March, 29 February) becomes its last day, which stays in the window even where
    both ends become that day.
    """
    match comparison:
        case "none":
            return None
        case "previous":
            return Window(window.start - timedelta(days=window.days), window.start)
        case "previous_week":
            week = timedelta(days=7)
            return Window(window.start - week, window.end - week)
        case "previous_month":
            return _moved_back(window, 1)
        case "previous_year":
            return _moved_back(window, _MONTHS_A_YEAR)


def bucket_starts(window: Window, grain: Grain) -> list[date]:
    """The first day of each day, week (Monday) or month that `window` touches.

    The first bucket's day can lie before the window: its calls are still only those of the window. Hours are not
    days: see `hour_starts`.
    """
    if window.days == 0:
        return []
    match grain:
        case "week":
            first = window.start - timedelta(days=window.start.weekday())
            return [first + timedelta(days=7 * n) for n in range(((window.end - first).days + 6) // 7)]
        case "month":
            months = (window.end - timedelta(days=1)).year * 12 + (window.end - timedelta(days=1)).month
            first_month = window.start.year * 12 + window.start.month
            return [date((m - 1) // 12, (m - 1) % 12 + 1, 1) for m in range(first_month, months + 1)]
        case _:
            return [window.start + timedelta(days=n) for n in range(window.days)]


def step_starts(window: Window) -> list[date]:
    """The first day of each of at most 30 steps of equally many days, of which the last ends with `window`.

    Days that do not fill the first step are in none, so that no step looks small for lack of days.
    """
    width = max(-(-window.days // _STEPS), 1)
    return [window.end - timedelta(days=width * left) for left in range(window.days // width, 0, -1)]


def hour_starts(window: Window, zone: str) -> list[datetime]:
    """The instants, in UTC, at which each elapsed hour of `window` begins: a day has 23, 24 or 25 of them."""
    first, end = window.instants(zone)
    count = -((first - end) // timedelta(hours=1))
    return [first + timedelta(hours=n) for n in range(count)]


def partial_day(newest: datetime | None, zone: str) -> date | None:
    """The day in `zone` of `newest`, the last call that is known, while that day may still have calls to come.

    Nobody can know that nothing came after it; a day that had an hour or less to go counts as over.
    """
    if newest is None:
        return None
    day = newest.astimezone(ZoneInfo(zone)).date()
    left = _end_of_the_day_before(day + timedelta(days=1), zone) - newest
    return day if left > timedelta(hours=1) else None


def _moved_back(window: Window, months: int) -> Window:
    start, end = _months_back(window.start, months), _months_back(window.end, months)
    return Window(start, end if window.days == 0 else max(end, start + timedelta(days=1)))


def _months_back(day: date, months: int) -> date:
    index = day.year * _DECEMBER + day.month - 1 - months
    year, month = divmod(index, _DECEMBER)
    following = date(year + (month == _DECEMBER - 1), (month + 1) % _DECEMBER + 1, 1)
    last = (following - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))
