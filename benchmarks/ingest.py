"""Ingesting a large CSV, against the least that anybody could do with it: Polars reads it and writes it as Parquet.

Run as a child, `python -m benchmarks.ingest ours|months|bare FILE` prints its seconds and its peak memory.
"""

from __future__ import annotations

import json
import shutil
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from benchmarks.machine import CACHE, peak_mebibytes, print_table, ratio, run_child, sample, seconds_of, tell

if TYPE_CHECKING:
    from collections.abc import Callable

_WAYS: Final = {"ours": "one file", "months": "a file for each month"}
_COLUMNS: Final = (
    "rows of CSV",
    "MiB",
    "dataset",
    "ingest",
    "Polars",
    "ratio",
    "ratio of CPU",
    "peak of the ingest",
    "peak of Polars",
)
_NOTES: Final = (
    "Ingest: `supportapi ingest` by a mapping, in a process of its own: read, clean, look for duplicates, account for "
    "every row, sort, write, hash. Polars: `scan_csv(...).sink_parquet(...)`, streaming, types guessed and times left "
    "as text. Rows are in no order. CPU is that of all threads. Peaks are resident memory, libraries included."
)
_MAPPED: Final = (
    "call_id", "customer_id", "agent_id", "agent_name", "region", "channel", "issue_type", "started_at", "ended_at",
    "wait_seconds", "duration_seconds", "answered", "resolved", "resolution", "rating",
)  # fmt: skip
_OUT: Final = CACHE / "ingested"


def run(*, quick: bool) -> None:
    """Print the table."""
    rows: list[list[str]] = []
    for calls, rounds in ((1_000_000, 2),) if quick else ((1_000_000, 3), (10_000_000, 3)):
        file = _csv(calls)
        tell(f"ingest: {calls:,} rows, {rounds} rounds")
        run_child("ingest", "bare", str(file))  # the file comes into memory
        measured: dict[str, list[Any]] = {way: [] for way in ("bare", *_WAYS)}
        for _ in range(rounds):
            for way, found in measured.items():
                found.append(run_child("ingest", way, str(file)))
        rows += [_row(calls, file, label, measured[way], measured["bare"]) for way, label in _WAYS.items()]
    print_table("Ingest", _COLUMNS, rows, _NOTES)
    shutil.rmtree(_OUT, ignore_errors=True)


def _row(calls: int, file: Path, label: str, ours: list[Any], bare: list[Any]) -> list[str]:
    times = [[each["seconds"] for each in either] for either in (ours, bare)]
    cpu_times = [[each["cpu_seconds"] for each in either] for either in (ours, bare)]
    peaks = [median(each["peak_mb"] for each in either) for either in (ours, bare)]
    return [
        f"{calls:,}",
        f"{file.stat().st_size / (1 << 20):,.0f}",
        label,
        *(f"{median(each):.1f} s" for each in times),
        f"{ratio(*times):.1f}",
        f"{ratio(*cpu_times):.1f}",
        *(f"{peak:,.0f} MiB" for peak in peaks),
    ]


def _csv(calls: int) -> Path:
    """The sample as text, rows shuffled: exports are seldom in order."""
    source = sample(calls)
    file = source.with_name("shuffled.csv")
    if not file.exists():
        run_child("ingest", "make", str(source))
    return file


def _make(source: Path) -> None:
    import polars as pl  # noqa: PLC0415 - the main process stays small

    made = source.with_name("shuffled.csv.tmp")
    shuffled = pl.scan_parquet(source).sort(pl.col("call_id").hash())
    shuffled.sink_csv(made, datetime_format="%Y-%m-%dT%H:%M:%S%.3fZ")
    made.replace(source.with_name("shuffled.csv"))


def _ingest(file: Path, partition: str) -> None:
    from supportapi.calls.mapping import read_mapping  # noqa: PLC0415 - as above
    from supportapi.dataset.ingest import ingest  # noqa: PLC0415 - as above
    from supportapi.dataset.placement import Placement  # noqa: PLC0415 - as above

    mapping = read_mapping("[columns]\n" + "".join(f'{name} = "{name}"\n' for name in _MAPPED))
    ingest([file], mapping, _OUT / partition, placement=Placement("month" if partition == "month" else "none"))


def _bare(file: Path) -> None:
    import polars as pl  # noqa: PLC0415 - as above

    _OUT.mkdir(parents=True, exist_ok=True)
    pl.scan_csv(file).sink_parquet(_OUT / "bare.parquet")


def _measured(which: str, file: Path) -> dict[str, float]:
    for module in ("polars", "supportapi.dataset.ingest"):
        import_module(module)  # loading is not what is measured
    work: dict[str, Callable[[], None]] = {
        "make": lambda: _make(file),
        "bare": lambda: _bare(file),
        "ours": lambda: _ingest(file, "none"),
        "months": lambda: _ingest(file, "month"),
    }
    shutil.rmtree(_OUT, ignore_errors=True)
    before = process_time()
    seconds = seconds_of(work[which])
    return {"seconds": seconds, "cpu_seconds": process_time() - before, "peak_mb": peak_mebibytes()}


if __name__ == "__main__":
    print(json.dumps(_measured(sys.argv[1], Path(sys.argv[2]))))
