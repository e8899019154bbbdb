"""What every peer answers: cards with the value before, a daily series, three breakdowns, as Pydantic models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel

Values = Mapping[str, Any]
"""The metrics of one group of calls, by key, and its `day` or its members."""

DIMENSIONS = ("region", "issue_type", "channel")
METRICS = ("calls", "answer_rate", "average_duration", "resolution_rate", "csat", "average_rating")


class Card(BaseModel):
    key: str
    value: float | None
    previous: float | None


class Point(BaseModel):
    start: date
    value: float | None


class Series(BaseModel):
    key: str
    points: list[Point]


class Row(BaseModel):
    key: str | None
    calls: int
    share: float
    answer_rate: float | None
    average_duration: float | None
    resolution_rate: float | None
    csat: float | None
    average_rating: float | None


class Breakdown(BaseModel):
    dimension: str
    rows: list[Row]


class Dashboard(BaseModel):
    kpis: list[Card]
    series: list[Series]
    breakdowns: list[Breakdown]


def dashboard(now: Values, before: Values, days: Iterable[Values], parts: Mapping[str, Iterable[Values]]) -> Dashboard:
    """The answer that these groups of calls make; each of `parts` has its member in the field of its dimension."""
    ordered = sorted(days, key=lambda values: values["day"])
    calls = now["calls"]
    return Dashboard(
        kpis=[Card(key=key, value=now[key], previous=before[key]) for key in METRICS],
        series=[
            Series(key=key, points=[Point(start=values["day"], value=values[key]) for values in ordered])
            for key in METRICS
        ],
        breakdowns=[
            Breakdown(
                dimension=name,
                rows=[
                    Row(key=values[name], share=100 * values["calls"] / calls, **{key: values[key] for key in METRICS})
                    for values in sorted(parts[name], key=lambda values: -values["calls"])
                ],
            )
            for name in DIMENSIONS
        ],
    )
