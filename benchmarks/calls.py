"""A page of calls, against plain Polars over the same file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.machine import milliseconds, print_table, ratio, run_child, sample, seconds_of, tell

if TYPE_CHECKING:
    from supportapi.calls.listing import Order, Selection

PER_PAGE: Final = 50
_COLUMNS: Final = ("calls, page", "listing p50", "slowest", "plain p50", "ratio")
_NOTES: Final = (
    "The last 90 days of one region, 50 calls a page; the deep page begins at half of the calls. The listing is given "
    "the total (the API has it from the aggregates) and breaks ties by id. Plain: `scan_parquet().filter().sort()"
    ".slice()`, which does neither. All cores."
)


def run(*, quick: bool) -> None:
    """Print the table."""
    rows: list[list[str]] = []
    for calls, rounds in ((200_000, 5),) if quick else ((1_000_000, 30), (10_000_000, 15)):
        file = str(sample(calls))
        tell(f"calls: {calls:,} calls, {rounds} rounds")
        for found in run_child("calls", file, str(rounds)):
            ours, plain = found["ours"], found["plain"]
            rows.append(
                [
                    f"{calls:,}, {found['page']}",
                    milliseconds(median(ours)),
                    milliseconds(max(ours)),
                    milliseconds(median(plain)),
                    f"{ratio(ours, plain):.2f}",
                ]
            )
    print_table("A page of calls", _COLUMNS, rows, _NOTES)


def _measured(file: Path, rounds: int) -> list[dict[str, Any]]:
    from datetime import timedelta  # noqa: PLC0415 - the main process stays small

    import polars as pl  # noqa: PLC0415 - as above

    from supportapi.calls.filter import Filter  # noqa: PLC0415 - as above
    from supportapi.calls.listing import Order, Selection  # noqa: PLC0415 - as above
    from supportapi.calls.window import Window  # noqa: PLC0415 - as above

    end: Any = pl.scan_parquet(file).select(pl.col("started_at").max()).collect().item()
    region: Any = pl.scan_parquet(file).select(pl.col("region").drop_nulls().first()).collect().item()
    last = end.date()
    window = Window(last - timedelta(days=89), last + timedelta(days=1))
    selection = Selection(window=window, zone="UTC", filter=Filter(region=(region,)))
    found: list[dict[str, Any]] = []
    for order in (Order("started_at", descending=True), Order("duration_seconds", descending=True)):
        total = _listed(file, selection, order, 0, None)
        for page, offset in (("first", 0), ("deep", total // 2)):
            ours: list[float] = []
            plain: list[float] = []
            for _ in range(rounds):
                plain.append(seconds_of(lambda: _plain(file, selection, order, offset)))  # noqa: B023 - called at once
                ours.append(seconds_of(lambda: _listed(file, selection, order, offset, total)))  # noqa: B023 - as above
            found.append({"page": f"{page}, by {order.column}", "ours": ours, "plain": plain})
    return found


def _listed(file: Path, selection: Selection, order: Order, offset: int, total: int | None) -> int:
    from supportapi.calls.listing import listing  # noqa: PLC0415 - as above
    from supportapi.refresh.build import calls_of  # noqa: PLC0415 - as above

    return listing(calls_of([file]), selection, order, offset=offset, limit=PER_PAGE, total=total).total


def _plain(file: Path, selection: Selection, order: Order, offset: int) -> None:
    import polars as pl  # noqa: PLC0415 - as above

    started, region = pl.col("started_at"), pl.col("region")
    begin, end = selection.window.instants(selection.zone)
    kept = pl.scan_parquet(file).filter(started >= begin, started < end, region.is_in(selection.filter.region))
    page = kept.sort(order.column, descending=order.descending, nulls_last=True).slice(offset, PER_PAGE)
    page.collect(engine="streaming").to_dicts()


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]), int(sys.argv[2]))))
