"""Calls in order, a bounded number of them in memory: whole days are sorted together, never the whole dataset."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.record import SORT_KEY
from supportapi.errors import SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SPAN_CALLS: Final = 1_000_000
"""How many calls are sorted together, unless a single day holds more."""


class Span(msgspec.Struct, frozen=True):
    """The calls that start from the day `first` until before the day `after`, in UTC."""

    first: date
    after: date
    calls: int

    def of(self, calls: pl.LazyFrame) -> pl.LazyFrame:
        """Those of `calls` that belong here."""
        started = pl.col("started_at")
        return calls.filter(started >= _midnight(self.first), started < _midnight(self.after))


def days_of(calls: pl.LazyFrame) -> list[Span]:
    """The days that have calls, in order. Raises `SchemaInvalid` when a call has no start: it belongs to no day."""
    day = pl.col("started_at").dt.date().alias("day")
    counts = calls.select(day).group_by("day").len().collect(engine="streaming").sort("day")
    days = [Span(day, day + timedelta(days=1), calls) for day, calls in counts.iter_rows() if day is not None]
    placeless = int(counts["len"].sum()) - sum(day.calls for day in days)
    if placeless:
        raise SchemaInvalid(
            f"{placeless} calls have no started_at.", problems=[{"reason": "started_at_missing", "rows": placeless}]
        )
    return days


def joined(days: Sequence[Span], limit: int = SPAN_CALLS) -> list[Span]:
    """`days` as fewer spans, each of at most `limit` calls or of one day."""
    spans: list[Span] = []
    for day in days:
        if spans and spans[-1].calls + day.calls <= limit:
            spans[-1] = Span(spans[-1].first, day.after, spans[-1].calls + day.calls)
        else:
            spans.append(day)
    return spans


def in_order(calls: pl.LazyFrame, spans: Sequence[Span]) -> Iterator[pl.DataFrame]:
    """`calls` sorted by `SORT_KEY`, span after span."""
    for span in spans:
        # Sorted where they are: the streaming sort of what is in memory anyway takes three times as long.
        yield span.of(calls).collect(engine="streaming").sort(SORT_KEY)


def by_month(frames: Iterable[pl.DataFrame]) -> Iterator[tuple[str, pl.DataFrame]]:
    """`frames`, which are in order, cut where a month of `started_at` ends in UTC; each with its month: `2024-05`."""
    for frame in frames:
        runs = frame["started_at"].dt.truncate("1mo").rle().struct.unnest()
        first = 0
        for calls, month in runs.iter_rows():
            yield month_of(month), frame.slice(first, calls)
            first += calls


def months_of(calls: pl.LazyFrame) -> set[str]:
    """The months that have calls."""
    months = calls.select(pl.col("started_at").dt.truncate("1mo").unique()).collect(engine="streaming")
    return {month_of(month) for month in months["started_at"]}


def month_of(instant: date) -> str:
    """As in `2024-05`."""
    return instant.isoformat()[:7]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
