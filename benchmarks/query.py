"""Dashboards and boards for filters that nobody asked for before, against plain Polars and DuckDB over the same file.

One thread: run as a child, `python -m benchmarks.query FILE QUESTIONS COMPARED`, with Polars and DuckDB held to one.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.machine import milliseconds, percentile, print_table, ratio, run_child, sample, seconds_of, tell
from supportapi.calls.filter import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from supportapi.answers.query import MetricsQuery
    from supportapi.rollups.aggregates import Aggregates

_COLUMNS: Final = ("calls, body", "questions", "p50", "p99", "Polars p50", "ratio", "DuckDB p50", "ratio")
_NOTES: Final = (
    "In process, one thread: the answer and its encoding, without HTTP. Each question is new: a random window with the "
    "one before it, and random members. `cells`: the rollup knows all of it; `rows`: at least a part was counted from "
    "the row codes. Beside them: the same cards, series and breakdowns of both windows over the Parquet file, by one "
    "lazy `collect_all`, and by DuckDB with grouping sets. Ratios below 1 are in our favour."
)
_WINDOW_DAYS: Final = (7, 30, 90, 180)
_LIMITS: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("region",),
    ("issue_type",),
    ("region", "channel"),
    ("region", "issue_type", "channel"),
    ("agent_id",),
    ("agent_id", "channel"),
)


def run(*, quick: bool) -> None:
    """Print the table."""
    rows: list[list[str]] = []
    for calls, questions, compared in ((200_000, 70, 7),) if quick else ((1_000_000, 700, 28), (10_000_000, 350, 14)):
        tell(f"query: {calls:,} calls, {questions} questions")
        words = (str(sample(calls)), str(questions), str(compared))
        found = run_child("query", *words, env={"POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        bodies, both = found["bodies"], found["compared"]
        ours, *others = ([each[at] for each in both] for at in range(3))
        all_of_it = [seconds for kind in ("cells", "rows") for seconds in bodies[kind]]
        rows.append(
            [
                *_row(f"{calls:,}, dashboard", all_of_it),
                *(cell for other in others for cell in (milliseconds(median(other)), f"{ratio(ours, other):.3f}")),
            ]
        )
        rows += [
            [*_row(f"{calls:,}, {name}", bodies[kind]), "", "", "", ""]
            for kind, name in (("cells", "dashboard from cells"), ("rows", "dashboard with rows"), ("agents", "agents"))
            if bodies[kind]
        ]
    print_table("A filter never seen before", _COLUMNS, rows, _NOTES)


def _row(name: str, times: list[float]) -> list[str]:
    return [name, str(len(times)), milliseconds(median(times)), milliseconds(percentile(times, 0.99))]


def _questions(aggregates: Aggregates, count: int) -> Iterator[MetricsQuery]:
    """New questions, the same ones in every run."""
    import numpy as np  # noqa: PLC0415 - the main process stays small

    from supportapi.answers.query import MetricsQuery  # noqa: PLC0415 - as above

    draw = np.random.default_rng(1)
    data = aggregates.data_window("UTC")
    for number in range(count):
        days = min(int(draw.choice(_WINDOW_DAYS)), data.days // 2)
        start = data.start + timedelta(days=int(draw.integers(days, data.days - days + 1)))
        limits: dict[str, Any] = {}
        for name in _LIMITS[number % len(_LIMITS)]:
            keys = [member.key for member in aggregates.members(name)]
            chosen = draw.choice(keys, size=min(int(draw.integers(1, 4)), len(keys)), replace=False)
            limits[name] = tuple(sorted(str(key) for key in chosen))
        yield MetricsQuery(from_=start, to=start + timedelta(days=days), **limits)


def _measured(file: Path, count: int, compared: int) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415 - as above

    from benchmarks.build import aggregates_of  # noqa: PLC0415 - as above
    from supportapi.answers.meta import Truth  # noqa: PLC0415 - as above
    from supportapi.answers.prepared import answer  # noqa: PLC0415 - as above
    from supportapi.answers.query import AgentsQuery, MetricsQuery  # noqa: PLC0415 - as above

    aggregates = aggregates_of(file)
    truth = Truth(version="0" * 16, dataset_hash="0" * 64, as_of=None, built_at=datetime(2026, 1, 1, tzinfo=UTC))
    answer(aggregates, MetricsQuery(), truth)  # once before: what is made once for each process is not measured
    answer(aggregates, AgentsQuery(), truth)
    questions = list(_questions(aggregates, count))
    bodies: dict[str, list[float]] = {"cells": [], "rows": [], "agents": []}
    both: list[tuple[float, float, float]] = []
    database = _database()
    for number, query in enumerate(questions):
        began = time.perf_counter()
        found: Any = answer(aggregates, query, truth)
        msgspec.json.encode(found)
        ours = time.perf_counter() - began
        bodies["rows" if found.meta.source == "scan" else "cells"].append(ours)
        if number % (count // compared) == 0:
            _plain(file, query)
            _by_duckdb(database, file, query)
            polars, duckdb = (
                seconds_of(lambda: _plain(file, query)),  # noqa: B023 - called at once
                seconds_of(lambda: _by_duckdb(database, file, query)),  # noqa: B023 - as above
            )
            both.append((ours, polars, duckdb))
        board = AgentsQuery(from_=query.from_, to=query.to, region=query.region, channel=query.channel)
        bodies["agents"].append(seconds_of(lambda: msgspec.json.encode(answer(aggregates, board, truth))))  # noqa: B023
    return {"bodies": bodies, "compared": both}


def _plain(file: Path, query: MetricsQuery) -> None:
    """Cards, series and breakdowns of the window and the one before, each part by one group-by."""
    import polars as pl  # noqa: PLC0415 - as above

    wait, duration, rating = pl.col("wait_seconds"), pl.col("duration_seconds"), pl.col("rating")
    ratios = [
        pl.len().alias("calls"),
        pl.col("answered").mean().alias("answer_rate"),
        (pl.col("answered") & (wait <= 20)).mean().alias("service_level"),
        wait.filter("answered").mean().alias("average_speed_of_answer"),
        duration.mean().alias("average_duration"),
        pl.col("resolved").mean().alias("resolution_rate"),
        (rating >= 4).mean().alias("csat"),
        rating.mean().alias("average_rating"),
    ]
    only_cards = [
        duration.sum().alias("talk"),
        wait.max().alias("longest_wait"),
        *(of.quantile(q).alias(f"{of.meta.output_name()}_{q}") for of in (wait, duration) for q in (0.5, 0.9, 0.95)),
    ]
    start, end = query.from_, query.to
    if start is None or end is None:
        return
    before = start - (end - start)
    day = pl.col("started_at").dt.date()
    kept = (
        pl.scan_parquet(file)
        .filter(pl.col("started_at") >= _midnight(before), pl.col("started_at") < _midnight(end))
        .filter(*(_one_of(pl.col(name), members) for name, members in _limits(query).items()))
        .with_columns((day >= start).alias("now"), day.alias("day"))
    )
    parts = [
        kept.group_by("now").agg(*ratios, *only_cards),
        kept.group_by("day").agg(ratios).sort("day"),
        *(kept.group_by("now", name).agg(ratios) for name in ("region", "issue_type", "channel")),
        kept.group_by("now", "rating").agg(pl.len()),
    ]
    for frame in pl.collect_all(parts):
        frame.to_dicts()


def _database() -> Any:
    import duckdb  # noqa: PLC0415 - as above

    return duckdb.connect(config={"threads": 1})


def _by_duckdb(database: Any, file: Path, query: MetricsQuery) -> None:
    """The same in SQL: one pass for all that is parted, one for the cards."""
    start, end = query.from_, query.to
    if start is None or end is None:
        return
    before = start - (end - start)
    values: list[Any] = [str(file), _midnight(before), _midnight(end)]
    conditions = ["started_at >= $2", "started_at < $3"]
    for name, members in _limits(query).items():
        values.append(members)
        unknown = f" OR {name} IS NULL" if UNKNOWN in members else ""
        conditions.append(f"(list_contains(${len(values)}, {name}){unknown})")
    kept = (
        "WITH kept AS MATERIALIZED (SELECT *, epoch_us(started_at) // 86400000000 AS day, "
        f"started_at >= TIMESTAMPTZ '{start} 00:00:00+00' AS now "
        f"FROM read_parquet($1) WHERE {' AND '.join(conditions)}) "
    )
    ratios = (
        "count(*), avg(answered::INT), avg((answered AND wait_seconds <= 20)::INT), "
        "avg(wait_seconds) FILTER (answered), avg(duration_seconds), avg(resolved::INT), "
        "avg((rating >= 4)::INT), avg(rating)"
    )
    sets = "(now), (day), (now, region), (now, issue_type), (now, channel), (now, rating)"
    parted = f"SELECT now, day, region, issue_type, channel, rating, {ratios} FROM kept GROUP BY GROUPING SETS ({sets})"
    shares = "[0.5, 0.9, 0.95]"
    cards = (
        f"SELECT now, sum(duration_seconds), max(wait_seconds), quantile_cont(wait_seconds, {shares}), "
        f"quantile_cont(duration_seconds, {shares}) FROM kept GROUP BY now"
    )
    for sql in (parted, cards):
        database.execute(kept + sql, values).fetchall()


def _limits(query: MetricsQuery) -> dict[str, list[str]]:
    names = ("region", "issue_type", "channel", "agent_id")
    return {name: list(members) for name in names if (members := getattr(query, name))}


def _one_of(column: pl.Expr, members: list[str]) -> pl.Expr:
    return column.is_in(members) | column.is_null() if UNKNOWN in members else column.is_in(members)


def _midnight(day: Any) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
