"""Building a version's aggregates, against the least that anybody could do with the same file.

Run as a child, `python -m benchmarks.build ours|bare FILE` prints its seconds and its peak memory.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.machine import peak_mebibytes, print_table, ratio, run_child, sample, seconds_of, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportapi.rollups.aggregates import Aggregates

ZONES: Final = ("UTC",)
BUDGET_BYTES: Final = 512 << 20
_COLUMNS: Final = (
    "calls",
    "build",
    "scan + one group-by",
    "ratio",
    "peak of the build",
    "peak of the scan",
    "size of the aggregates",
)
_NOTES: Final = (
    "Build: partial state, merge, lattices and row codes, in a process of its own. Scan: Polars' streaming engine, "
    "grouped by day, region, issue type and channel, sum of duration. Peaks are resident memory, libraries included."
)


def run(*, quick: bool) -> None:
    """Print the table."""
    rows: list[list[str]] = []
    for calls, rounds in ((200_000, 2),) if quick else ((1_000_000, 5), (10_000_000, 3)):
        file = str(sample(calls))
        tell(f"build: {calls:,} calls, {rounds} rounds")
        run_child("build", "bare", file)  # the file comes into memory
        ours: list[Any] = []
        bare: list[Any] = []
        for _ in range(rounds):
            bare.append(run_child("build", "bare", file))
            ours.append(run_child("build", "ours", file))
        times = [[each["seconds"] for each in either] for either in (ours, bare)]
        peaks = [median(each["peak_mb"] for each in either) for either in (ours, bare)]
        rows.append(
            [
                f"{calls:,}",
                *(f"{median(each):.2f} s" for each in times),
                f"{ratio(*times):.1f}",
                *(f"{peak:,.0f} MiB" for peak in peaks),
                f"{ours[0]['arrays_mb']:,.0f} MiB",
            ]
        )
    print_table("Build", _COLUMNS, rows, _NOTES)


def aggregates_of(file: Path) -> Aggregates:
    """What a worker builds of the calls in `file`."""
    from supportapi.refresh.build import calls_of  # noqa: PLC0415 - the main process stays small
    from supportapi.rollups.build import build  # noqa: PLC0415 - as above
    from supportapi.rollups.states import merge, partial_state  # noqa: PLC0415 - as above

    calls = calls_of([file])
    return build(merge([partial_state(calls, ZONES)]), calls, ZONES, BUDGET_BYTES)


def _bare(file: Path) -> None:
    import polars as pl  # noqa: PLC0415 - as above

    day = pl.col("started_at").dt.date().alias("day")
    grouped = pl.scan_parquet(file).group_by(day, "region", "issue_type", "channel")
    grouped.agg(pl.col("duration_seconds").sum()).collect(engine="streaming")


def _measured(which: str, file: Path) -> dict[str, float]:
    for module in ("polars", "supportapi.refresh.build", "supportapi.rollups.build"):
        import_module(module)  # loading is not what is measured
    made: list[Aggregates] = []
    work: Callable[[], object] = lambda: made.append(aggregates_of(file)) if which == "ours" else _bare(file)  # noqa: E731 - one line, either way
    seconds, peak = seconds_of(work), peak_mebibytes()
    size = sum(array.nbytes for each in made for array in each.to_arrays()[1].values())
    return {"seconds": seconds, "peak_mb": peak, "arrays_mb": size / (1 << 20)}


if __name__ == "__main__":
    print(json.dumps(_measured(sys.argv[1], Path(sys.argv[2]))))
