"""How a question's window is cut into buckets of time."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.calls.window import Window, bucket_starts, hour_starts, step_starts
from supportapi.rollups.questions import HOUR_OF_WEEK, STEP, TimeAxisName, TimeKey

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_HOURS_OF_WEEK: Final = 7 * 24
_EPOCH_WEEKDAY: Final = 3  # a Thursday


class Clock(msgspec.Struct, frozen=True):
    """Buckets of an hour, `buckets` of them and then the first one again.

    A call at `second` (since 1970) lies `second + ahead[n]` seconds behind the start of a first bucket, where `n` is
    the number of `changes` (likewise, in order) up to it.
    """

    changes: NDArray[np.int64]
    ahead: NDArray[np.int64]
    buckets: int


class TimeAxis(msgspec.Struct, frozen=True):
    """The buckets of a window, against the days that have data.

    `keys` name them: first days or, for hours, first instants in UTC, or weekday and hour. `edges`, one more than there
    are buckets, are day numbers since the first day with data, clipped to the data; what days cannot tell has a `clock`
    instead, and its `edges` span the whole window.
    """

    keys: tuple[TimeKey, ...]
    edges: NDArray[np.intp]
    clock: Clock | None = None


def whole(window: Window, data: Window) -> NDArray[np.intp]:
    """The two edges of `window` as one bucket."""
    return _clipped([window.start, window.end], data)


def time_axis(window: Window, name: TimeAxisName, zone: str, data: Window) -> TimeAxis:
    """The buckets of `window` along `name`: every one of them is there; those outside the data are empty."""
    if name == "hour":
        starts = hour_starts(window, zone)
        ahead = -int(starts[0].timestamp()) if starts else 0
        clock = Clock(np.array([], np.int64), np.array([ahead]), max(len(starts), 1))
        return TimeAxis(tuple(start.astimezone(UTC) for start in starts), whole(window, data), clock)
    if name == HOUR_OF_WEEK:
        hours = tuple((weekday, hour) for weekday in range(7) for hour in range(24))
        return TimeAxis(hours, whole(window, data), wall_clock(window, zone))
    starts = step_starts(window) if name == STEP else bucket_starts(window, name)
    edges = _clipped([max(start, window.start) for start in starts] + [window.end], data)
    return TimeAxis(tuple(starts), edges)


def wall_clock(window: Window, zone: str) -> Clock:
    """The hours of the week as the clock on the wall of `zone` tells them.

    An hour that comes twice is one bucket, and one that is skipped is empty.
    """
    wall = ZoneInfo(zone)

    def ahead(second: int) -> int:
        return int(datetime.fromtimestamp(second, wall).replace(tzinfo=UTC).timestamp()) - second

    first, end = (int(instant.timestamp()) for instant in window.instants(zone))
    looks = [*range(first, end, _DAY), end]
    changes = [
        before + bisect_right(range(before, after), 0, key=lambda second: abs(ahead(second) - ahead(before)))
        for before, after in pairwise(looks)
        if ahead(before) != ahead(after)
    ]
    since_monday = [ahead(second) + _EPOCH_WEEKDAY * _DAY for second in (first, *changes)]
    return Clock(np.array(changes, np.int64), np.array(since_monday, np.int64), _HOURS_OF_WEEK)


def _clipped(days: list[date], data: Window) -> NDArray[np.intp]:
    origin = data.start.toordinal()
    numbers = [min(max(day.toordinal() - origin, 0), data.days) for day in days]
    return np.array(numbers, dtype=np.intp)
