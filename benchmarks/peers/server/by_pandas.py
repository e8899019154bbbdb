"""With pandas: the columns that are asked for in memory, in time order, so that a window is a slice."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.peers.server.shape import DIMENSIONS, METRICS, Dashboard, dashboard

_KEPT = ["started_at", *DIMENSIONS, "answered", "duration_seconds", "resolved", "rating"]
_METRICS = {
    "calls": ("calls", "sum"),
    "answer_rate": ("answered", "mean"),
    "average_duration": ("duration_seconds", "mean"),
    "resolution_rate": ("resolved", "mean"),
    "csat": ("satisfied", "mean"),
    "average_rating": ("rating", "mean"),
}
_PERCENT = ["answer_rate", "resolution_rate", "csat"]


class Calls:
    """The calls of a file."""

    def __init__(self, file: Path) -> None:
        read = pd.read_parquet(file, columns=_KEPT).sort_values("started_at", ignore_index=True)
        calls = pd.DataFrame({name: read[name].astype("category") for name in DIMENSIONS})
        calls["day"] = read["started_at"].dt.floor("D").astype("category")
        calls["calls"] = 1
        calls["answered"] = read["answered"].astype("float64")
        calls["duration_seconds"] = read["duration_seconds"]
        # What is known not to have been answered cannot have been resolved.
        calls["resolved"] = read["resolved"].astype("float64").where(calls["answered"] != 0)
        calls["rating"] = read["rating"].astype("float64")
        calls["satisfied"] = (calls["rating"] >= 4).astype("float64").where(calls["rating"].notna())
        self._calls = calls
        self._times = read["started_at"]

    def ask(self, start: date, end: date) -> Dashboard:
        """Cards, series and breakdowns of the days from `start` until `end`."""
        before = self._window(start - (end - start), start)
        now = self._window(start, end)
        days = ({**values, "day": values["day"].date()} for values in _groups(now, "day"))
        return dashboard(_all(now), _all(before), days, {name: _groups(now, name) for name in DIMENSIONS})

    def _window(self, start: date, end: date) -> pd.DataFrame:
        first, last = self._times.searchsorted([pd.Timestamp(start, tz="UTC"), pd.Timestamp(end, tz="UTC")])
        return self._calls.iloc[first:last]


def _all(calls: pd.DataFrame) -> dict[str, Any]:
    means = {key: calls[column].mean() for key, (column, _) in _METRICS.items() if key != "calls"}
    known = {key: None if pd.isna(value) else float(value) for key, value in means.items()}
    percents = {key: 100 * value for key in _PERCENT if (value := known[key]) is not None}
    return {"calls": len(calls), **known, **percents}


def _groups(calls: pd.DataFrame, by: str) -> list[dict[str, Any]]:
    found = calls.groupby(by, observed=True, dropna=False, sort=False).agg(**_METRICS)
    found[_PERCENT] *= 100
    members = [None if pd.isna(key) else key for key in found.index.tolist()]
    columns = [[None if pd.isna(value) else value for value in found[key].tolist()] for key in METRICS]
    return [
        {by: member, **dict(zip(METRICS, values, strict=True))}
        for member, values in zip(members, zip(*columns, strict=True), strict=True)
    ]
