"""With DuckDB: a table in memory, in time order, so that its zone maps find a window."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.peers.server.shape import DIMENSIONS, Dashboard, dashboard
from benchmarks.peers.sql import question


class Calls:
    """The calls of a file."""

    def __init__(self, file: Path) -> None:
        self._database = duckdb.connect(config={"threads": 1})
        self._database.execute(
            # Without a time zone: what its functions for one need is an extension that would have to be downloaded.
            "CREATE TABLE calls AS SELECT make_timestamp(epoch_us(started_at)) AS started_at, region, issue_type, "
            "channel, answered, duration_seconds, resolved, rating FROM read_parquet(?) ORDER BY started_at",
            [str(file)],
        )

    def ask(self, start: date, end: date) -> Dashboard:
        """Cards, series and breakdowns of the days from `start` until `end`."""
        groups: dict[str, list[dict[str, Any]]] = {name: [] for name in ("all", "before", "day", *DIMENSIONS)}
        found = self._database.execute(question(start, end))
        names = [column[0] for column in found.description or ()]
        for row in found.fetchall():
            values = dict(zip(names, row, strict=True))
            if values["now"]:
                groups[values["part"]].append(values)
            elif values["part"] == "all":
                groups["before"].append(values)
        return dashboard(groups["all"][0], groups["before"][0], groups["day"], groups)
