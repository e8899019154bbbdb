"""How a question's window is cut into buckets of time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.calls.window import Window, bucket_starts, hour_starts, step_starts
from supportapi.rollups.questions import STEP, Span


class TimeAxis(msgspec.Struct, frozen=True):
    """The buckets of a window, against the days that have data.

    `keys` name them: first days or, for hours, first instants in UTC. `edges`, one more than there are buckets, are
    day numbers since the first day with data, clipped to the data; hours have `seconds` (since 1970) instead, and
    their `edges` span the whole window.
    """

    keys: tuple[date | datetime, ...]
    edges: NDArray[np.intp]
    seconds: NDArray[np.int64] | None = None


def whole(window: Window, data: Window) -> NDArray[np.intp]:
    """The two edges of `window` as one bucket."""
    return _clipped([window.start, window.end], data)


def time_axis(window: Window, span: Span, zone: str, data: Window) -> TimeAxis:
    """The buckets of `window` by `span`: every one of them is there; those outside the data are empty."""
    if span == "hour":
        starts = hour_starts(window, zone)
        seconds = np.array([int(start.timestamp()) for start in starts], dtype=np.int64)
        return TimeAxis(tuple(start.astimezone(UTC) for start in starts), whole(window, data), seconds)
    starts = step_starts(window) if span == STEP else bucket_starts(window, span)
    edges = _clipped([max(start, window.start) for start in starts] + [window.end], data)
    return TimeAxis(tuple(starts), edges)


def _clipped(days: list[date], data: Window) -> NDArray[np.intp]:
    origin = data.start.toordinal()
    return np.clip(np.array([day.toordinal() - origin for day in days], dtype=np.intp), 0, data.days)
