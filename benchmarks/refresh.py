"""A build of a dataset of 36 monthly files when little or nothing of it is new, against the build of all of it.

Run as a child with the settings of its environment, `python -m benchmarks.refresh build` prints what one build cost.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from benchmarks.machine import CACHE, peak_mebibytes, print_table, ratio, run_child, sample, tell
from supportapi.processes.redis_server import embedded_redis
from supportapi.snapshots.client import connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NEW: Final = 100
"""One call of so many is new: the newest ones, in the last month."""

_WAYS: Final = {"full": "all of it", "refresh": "1 % is new", "heal": "Redis was emptied"}
_SPENT: Final = ("seconds", "cpu_seconds")
_COLUMNS: Final = ("calls", "stage", *(label for label in _WAYS.values()), "1 % new / all", "emptied / all")
_NOTES: Final = (
    "Medians of the builds of a worker, each in a process of its own: of 36 monthly files with nothing kept, after the "
    "newest 1 % of the calls came to the last of them, and of the same dataset after FLUSHALL. Ratios round by round. "
    "CPU is that of all threads; `states` says how many partial states were computed."
)


def run(*, quick: bool) -> None:
    """Print the table."""
    rows: list[Sequence[str]] = []
    for calls, rounds in ((200_000, 1),) if quick else ((1_000_000, 3), (10_000_000, 3)):
        _months(calls)
        tell(f"refresh: {calls:,} calls, {rounds} rounds")
        measured: dict[str, list[Any]] = {way: [] for way in _WAYS}
        for _ in range(rounds):
            for way, found in _round(CACHE / f"months-{calls}").items():
                measured[way].append(found)
        rows += _rows(calls, measured)
    print_table("Refresh", _COLUMNS, rows, _NOTES)


def _months(calls: int) -> None:
    """The sample as monthly files, without its newest calls and with them; made once."""
    if not (CACHE / f"months-{calls}" / "after" / "manifest.json").exists():
        run_child("refresh", "make", str(calls))


def _make(calls: int) -> None:
    import polars as pl  # noqa: PLC0415 - the main process stays small

    from supportapi.dataset.write import write_dataset  # noqa: PLC0415 - as above

    every = pl.scan_parquet(sample(calls))
    for name, some in (("before", every.head(calls - calls // _NEW)), ("after", every)):
        write_dataset(some, CACHE / f"months-{calls}" / name, partition="month")


def _round(months: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="refresh-", dir=CACHE) as place, embedded_redis(Path(place)) as redis:
        folder = Path(place)
        environ = {"REDIS_URL": redis.url, "LOG_LEVEL": "WARNING"}

        def build(home: str) -> Any:
            places = {"SUPPORTAPI_HOME": folder / home, "MANIFEST_PATH": folder / home / "data" / "manifest.json"}
            return run_child("refresh", "build", env=environ | {name: str(path) for name, path in places.items()})

        _put(months / "after", folder / "full" / "data")
        built = {"full": build("full")}
        shutil.rmtree(folder / "full")
        connect(redis.url).flushall()
        _put(months / "before", folder / "home" / "data")
        build("home")
        _put(months / "after", folder / "home" / "data")
        built["refresh"] = build("home")
        connect(redis.url).flushall()
        return built | {"heal": build("home")}


def _put(dataset: Path, live: Path) -> None:
    """Make `dataset` the one that is live, as an ingest does: files, then the manifest."""
    live.mkdir(parents=True, exist_ok=True)
    for file in dataset.glob("*.parquet"):
        if not (live / file.name).exists():
            os.link(file, live / file.name)
    shutil.copy(dataset / "manifest.json", live / "manifest.next")
    (live / "manifest.next").replace(live / "manifest.json")


def _rows(calls: int, measured: Mapping[str, list[Any]]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    stages = list(measured["full"][0]["stages"])
    for name in (*_SPENT, *stages):
        times = {way: [_spent(each, name) for each in found] for way, found in measured.items()}
        ratios = [f"{ratio(times[way], times['full']):.1%}" for way in ("refresh", "heal")]
        label = {"seconds": "whole", "cpu_seconds": "whole, CPU"}.get(name, name)
        rows.append([f"{calls:,}", label, *(f"{median(each):.2f} s" for each in times.values()), *ratios])
    built = [str(found[0]["states_built"]) for found in measured.values()]
    peaks = [f"{median(each['peak_mb'] for each in found):,.0f} MiB" for found in measured.values()]
    return [*rows, [f"{calls:,}", "states computed", *built, "", ""], [f"{calls:,}", "peak memory", *peaks, "", ""]]


def _spent(build: Mapping[str, Any], on: str) -> float:
    # A stage that had nothing to do is not told.
    return build[on] if on in _SPENT else build["stages"].get(on, 0.0)


def _built() -> dict[str, Any]:
    """Build what the manifest of the environment asks for, as a worker does."""
    from supportapi.processes.logs import configure_logs  # noqa: PLC0415 - loading is not what is measured
    from supportapi.processes.worker import workshop  # noqa: PLC0415 - as above
    from supportapi.refresh.job import run_build  # noqa: PLC0415 - as above
    from supportapi.settings import load_settings  # noqa: PLC0415 - as above

    settings = load_settings(os.environ, Path("no-such-file.env"))
    configure_logs("benchmark", settings)
    redis = connect(str(settings.redis_url))
    shop = workshop(settings, redis, redis)
    manifest = shop.source.read()
    record = shop.queue.request_build(shop.wanted(manifest), manifest.hash, "benchmark")
    before = process_time()
    run_build(shop, record.id, record.attempts, worker="benchmark")
    spent = process_time() - before
    ended = shop.records.get(record.id)
    if ended is None or ended.result is None:
        raise SystemExit(f"The build failed: {msgspec.to_builtins(ended)}")
    return {
        "seconds": ended.result["seconds"],
        "cpu_seconds": spent,
        "stages": ended.stage_seconds,
        "states_built": ended.result["states_built"],
        "peak_mb": peak_mebibytes(),
    }


if __name__ == "__main__":
    if sys.argv[1] == "make":
        print(json.dumps(_make(int(sys.argv[2]))))
    else:
        print(json.dumps(_built()))
