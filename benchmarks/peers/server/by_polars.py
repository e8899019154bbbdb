"""With Polars: the columns that are asked for in memory, in time order, so that a window is a slice."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from benchmarks.peers.server.shape import DIMENSIONS, Dashboard, dashboard

_METRICS = (
    pl.len().alias("calls"),
    (100 * pl.col("answered").mean()).alias("answer_rate"),
    pl.col("duration_seconds").mean().alias("average_duration"),
    # What is known not to have been answered cannot have been resolved.
    (100 * pl.col("resolved").mean()).alias("resolution_rate"),
    (100 * pl.col("satisfied").mean()).alias("csat"),
    pl.col("rating").mean().alias("average_rating"),
)


class Calls:
    """The calls of a file."""

    def __init__(self, file: Path) -> None:
        self._calls = (
            pl.scan_parquet(file)
            .sort("started_at")
            .select(
                "started_at",
                pl.col(*DIMENSIONS).cast(pl.Categorical),
                pl.col("started_at").dt.date().alias("day"),
                "answered",
                "duration_seconds",
                pl.when(pl.col("answered").fill_null(value=True)).then("resolved").alias("resolved"),
                (pl.col("rating") >= 4).alias("satisfied"),
                "rating",
            )
            .collect()
        )

    def ask(self, start: date, end: date) -> Dashboard:
        """Cards, series and breakdowns of the days from `start` until `end`."""
        now, before = self._window(start, end), self._window(start - (end - start), start)
        parts = [
            now.select(_METRICS),
            before.select(_METRICS),
            *(now.group_by(name).agg(_METRICS) for name in ("day", *DIMENSIONS)),
        ]
        [total], [earlier], days, *others = (frame.to_dicts() for frame in pl.collect_all(parts))
        return dashboard(total, earlier, days, dict(zip(DIMENSIONS, others, strict=True)))

    def _window(self, start: date, end: date) -> pl.LazyFrame:
        times = self._calls["started_at"]
        first, last = (
            int(times.search_sorted(datetime(day.year, day.month, day.day, tzinfo=UTC))) for day in (start, end)
        )
        return self._calls.slice(first, last - first).lazy()
