"""Leaderboards of a thousand agents, against the same board by plain Polars over the same file.

One thread: run as a child, `python -m benchmarks.agents FILE ROUNDS COMPARED`, with Polars and BLAS held to one.
"""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.machine import milliseconds, percentile, print_table, ratio, run_child, sample, seconds_of, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportapi.answers.query import AgentsQuery
    from supportapi.rollups.aggregates import Aggregates

_AGENTS: Final = 1_000
_COLUMNS: Final = ("calls, board", "boards", "p50", "p99", "plain Polars p50", "ratio")
_NOTES: Final = (
    "In process, one thread: 50 rows of a board of 1,000 agents with all their metrics, moves, sparklines and badges, "
    "and its encoding, without HTTP. Each board is new. Plain: the same metrics of both windows by one group-by over "
    "the Parquet file, sorted; no percentiles, sparklines or badges. Ratios below 1 are in our favour."
)
_SORTS: Final = ("-calls", "-csat", "-average_rating", "average_duration", "-resolution_rate_delta", "agent_name")
_ISSUES: Final = ("Billing", "Login", "Delivery", "Refund", "Upgrade", "Complaint")
_REGIONS: Final = ("North America", "Central Europe", "Asia Pacific")


def run(*, quick: bool) -> None:
    """Print the table."""
    calls, rounds, compared = (200_000, 30, 3) if quick else (10_000_000, 200, 8)
    tell(f"agents: {calls:,} calls, {rounds} rounds")
    words = (str(sample(calls, _AGENTS)), str(rounds), str(compared))
    found = run_child("agents", *words, env={"POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    rows: list[list[str]] = []
    for name, measured in found.items():
        times, both = measured["ours"], measured["both"]
        plain = [other for _, other in both]
        rows.append(
            [
                f"{calls:,}, {name}",
                str(len(times)),
                *(milliseconds(value) for value in (median(times), percentile(times, 0.99), median(plain))),
                f"{ratio([ours for ours, _ in both], plain):.3f}",
            ]
        )
    print_table("Leaderboard", _COLUMNS, rows, _NOTES)


def _boards(aggregates: Aggregates) -> dict[str, Callable[[random.Random], AgentsQuery]]:
    from supportapi.answers.query import AgentsQuery  # noqa: PLC0415 - the main process stays small

    data = aggregates.data_window("UTC")

    def board(draw: random.Random, days: int, **limits: Any) -> AgentsQuery:
        start = data.start + timedelta(days=draw.randrange(days, data.days - days + 1))
        return AgentsQuery(from_=start, to=start + timedelta(days=days), sort=draw.choice(_SORTS), **limits)

    longest = data.days // 2
    return {
        "unfiltered": lambda draw: board(draw, min(draw.choice((7, 30, 90, 365, 540)), longest)),
        "90 days of a region": lambda draw: board(draw, min(90, longest), region=(draw.choice(_REGIONS),)),
        "90 days of an issue type": lambda draw: board(draw, min(90, longest), issue_type=(draw.choice(_ISSUES),)),
        "90 days, three dimensions": lambda draw: board(
            draw,
            min(90, longest),
            region=tuple(sorted(draw.sample(_REGIONS, 2))),
            issue_type=tuple(sorted(draw.sample(_ISSUES, 3))),
            channel=("chat", "phone"),
        ),
    }


def _measured(file: Path, rounds: int, compared: int) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415 - as above

    from benchmarks.build import aggregates_of  # noqa: PLC0415 - as above
    from supportapi.answers.agents import agents_answer  # noqa: PLC0415 - as above
    from supportapi.answers.meta import Truth  # noqa: PLC0415 - as above
    from supportapi.answers.query import AgentsQuery  # noqa: PLC0415 - as above

    aggregates = aggregates_of(file)
    truth = Truth(version="0" * 16, dataset_hash="0" * 64, as_of=None, built_at=datetime(2026, 1, 1, tzinfo=UTC))
    agents_answer(aggregates, AgentsQuery(), truth)  # once before: what is made once for each process is not measured
    found: dict[str, Any] = {}
    for name, board_of in _boards(aggregates).items():
        draw = random.Random(name)  # noqa: S311 - the same boards in every run
        times: list[float] = []
        both: list[tuple[float, float]] = []
        for number in range(rounds):
            query = board_of(draw)
            times.append(seconds_of(lambda: msgspec.json.encode(agents_answer(aggregates, query, truth))))  # noqa: B023 - called at once
            if number % (rounds // compared) == 0:
                both.append((times[-1], seconds_of(lambda: _plain(file, query))))  # noqa: B023 - as above
        found[name] = {"ours": times, "both": both}
    return found


def _plain(file: Path, query: AgentsQuery) -> None:
    """The metrics of each agent and region, in the window and in the one before."""
    import polars as pl  # noqa: PLC0415 - as above

    start, end = query.from_, query.to
    if start is None or end is None:
        return
    wait, duration, rating = pl.col("wait_seconds"), pl.col("duration_seconds"), pl.col("rating")
    before, day = start - (end - start), pl.col("started_at").dt.date()
    limits = {name: list(getattr(query, name)) for name in ("region", "issue_type", "channel")}
    (
        pl.scan_parquet(file)
        .filter(day >= before, day < end, pl.col("agent_id").is_not_null())
        .filter(*(pl.col(name).is_in(members) for name, members in limits.items() if members))
        .group_by(pl.col("started_at").dt.date() >= start, "agent_id", "region")
        .agg(
            pl.col("agent_name").last(),
            pl.len().alias("calls"),
            pl.col("answered").sum(),
            pl.col("resolved").sum(),
            pl.col("resolved").mean().alias("resolution_rate"),
            wait.filter("answered").mean().alias("average_speed_of_answer"),
            duration.mean().alias("average_duration"),
            duration.sum().alias("total_talk_time"),
            (rating >= 4).mean().alias("csat"),
            (rating <= 2).mean().alias("dissatisfied"),
            rating.mean().alias("average_rating"),
            rating.count().alias("rated"),
        )
        .sort("calls", descending=True)
        .collect()
        .to_dicts()
    )


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
