"""Any page of the calls, by the arrays that processes share, against plain Polars over the same file."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.machine import milliseconds, percentile, print_table, ratio, run_child, sample, seconds_of, tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supportapi.calls.selection import Order, Selection
    from supportapi.rollups.aggregates import Aggregates

PER_PAGE: Final = 50
DEEP: Final = 10_000
_ZONE: Final = "UTC"
_BUDGET_BYTES: Final = 512 << 20
_COLUMNS: Final = (
    "calls, selection, order",
    "total",
    "cold first",
    "cold deep",
    "first p95",
    "deep p95",
    "plain first",
    "plain deep",
    "ratio",
)
_NOTES: Final = (
    "50 calls a page, in process, with the exact total, up to rows as Python values. First: pages 1 to 20; deep: 20 "
    "pages from page 10,000 on, or the last ones where there are fewer. Cold: one page of a selection and an order "
    "that nobody asked for before (median); the p95 are of selections that were asked for before, as pages after the "
    "first are. Plain: `scan_parquet().filter().sort().slice()` of the same pages, without the total (median). Ratio: "
    "first and deep page together, ours / plain. All cores."
)


def run(*, quick: bool) -> None:
    """Print the tables."""
    rows: list[list[str]] = []
    sizes: list[list[str]] = []
    for calls, rounds in ((1_000_000, 3),) if quick else ((10_000_000, 5),):
        file = str(sample(calls))
        tell(f"calls: {calls:,} calls, {rounds} rounds")
        found = run_child("calls", file, str(rounds))
        rows += [_row(calls, case) for case in found["cases"]]
        sizes.append([f"{calls:,}", *(f"{found[name]:,.0f} MiB" for name in ("arrays", "of_calls", "private"))])
    print_table("A page of calls", _COLUMNS, rows, _NOTES)
    columns = ("calls", "all arrays", "those of the calls alone", "private memory")
    print_table(
        "Memory of the calls", columns, sizes, "Private: of the process that answered all of the above by arrays."
    )


def _row(calls: int, case: Mapping[str, Any]) -> list[str]:
    first, deep = case["first"], case["deep"]
    ours = [one + other for one, other in zip(first, deep, strict=True)]
    rounds = len(case["plain_first"])
    plain = [one + other for one, other in zip(case["plain_first"], case["plain_deep"], strict=True)]
    return [
        f"{calls:,}, {case['name']}",
        f"{case['total']:,}{'+' if case['at_least'] else ''}",
        milliseconds(median(case["cold_first"])),
        milliseconds(median(case["cold_deep"])),
        milliseconds(percentile(first, 0.95)),
        milliseconds(percentile(deep, 0.95)),
        milliseconds(median(case["plain_first"])),
        milliseconds(median(case["plain_deep"])),
        f"{ratio(ours[:rounds], plain):.4f}",
    ]


def _cases(aggregates: Aggregates) -> list[tuple[str, dict[str, Any], str]]:
    from supportapi.calls.filter import Filter  # noqa: PLC0415 - the main process stays small
    from supportapi.calls.window import Window  # noqa: PLC0415 - as above

    data = aggregates.data_window(_ZONE)
    regions, issues, channels, agents = (
        tuple(member.key for member in aggregates.members(name))
        for name in ("region", "issue_type", "channel", "agent_id")
    )
    month = {"window": Window(date.fromordinal(data.end.toordinal() - 30), data.end)}
    region = {"filter": Filter(region=regions[:1])}
    many = Filter(region=regions[:4], issue_type=issues[:8], channel=channels[:3])
    outcome = {"answered": ("true",), "resolved": ("true",), "max_duration_seconds": 900.0}
    return [
        ("all, -started_at", {}, "-started_at"),
        ("all, -duration", {}, "-duration_seconds"),
        ("all, rating", {}, "rating"),
        ("30 days, -wait", month, "-wait_seconds"),
        ("a region, -started_at", region, "-started_at"),
        ("a region, -duration", region, "-duration_seconds"),
        ("an agent, duration", {"filter": Filter(agent_id=agents[:1])}, "duration_seconds"),
        ("rated 5, -wait", {"rating": ("5",)}, "-wait_seconds"),
        ("over 10 minutes, -rating", {"min_duration_seconds": 600.0}, "-rating"),
        ("six filters, wait", {"filter": many, **outcome}, "wait_seconds"),
        ("Mondays at 9 and 10, -started_at", {"weekday": (0,), "hour": (9, 10)}, "-started_at"),
        ("weekdays, -duration", {"weekday": (0, 1, 2, 3, 4)}, "-duration_seconds"),
        ("waited 20 s, offered, wait", {"min_wait_seconds": 20.0, "offered": "standard"}, "wait_seconds"),
        ("q: an id", {"text": "call-000012345"}, "-started_at"),
        ("q: ids' prefix", {"text": "call-000012"}, "-started_at"),
        ("q: an agent", {"text": agents[0]}, "-started_at"),
        ("q: customers' prefix", {"text": "cust-00012"}, "-started_at"),
        ("q: within ids", {"text": "12345"}, "-started_at"),
    ]  # fmt: skip


def _measured(file: Path, rounds: int) -> dict[str, Any]:
    from supportapi.refresh.build import calls_of  # noqa: PLC0415 - as above

    aggregates, sizes = arrays_of(file)
    found: list[dict[str, Any]] = []
    for name, limits, spelled in _cases(aggregates):
        selection, order = _asked(aggregates, limits, spelled)
        found.append({"name": name, **_ours(aggregates, selection, order, rounds)})
    memory = {"private": _private_mebibytes(), **sizes}
    # Polars comes last: its memory is not what answering takes.
    for case, (_, limits, spelled) in zip(found, _cases(aggregates), strict=True):
        selection, order = _asked(aggregates, limits, spelled)
        for page, offset in (("first", 0), ("deep", case["offset"])):
            case[f"plain_{page}"] = [
                seconds_of(lambda: _plain(calls_of([file]), selection, order, offset))  # noqa: B023 - called at once
                for _ in range(rounds)
            ]
    return {"cases": found, **memory}


def _asked(aggregates: Aggregates, limits: dict[str, Any], spelled: str) -> tuple[Selection, Order]:
    from supportapi.calls.selection import Order, Selection  # noqa: PLC0415 - as above

    column: Any = spelled.removeprefix("-")
    chosen: dict[str, Any] = {"window": aggregates.data_window(_ZONE), "zone": _ZONE, **limits}
    return Selection(**chosen), Order(column, spelled.startswith("-"))


def _ours(aggregates: Aggregates, selection: Selection, order: Order, rounds: int) -> dict[str, Any]:
    from supportapi.rollups.call_index import CallIndex  # noqa: PLC0415 - as above

    index = CallIndex(aggregates)
    total = index.listed(selection, order).total
    deep = max(min(DEEP * PER_PAGE, total - 20 * PER_PAGE), 0)
    index.listed(selection, order).page(deep, PER_PAGE)
    cold = {
        f"cold_{name}": [
            seconds_of(lambda: CallIndex(aggregates).listed(selection, order).page(offset, PER_PAGE))  # noqa: B023 - called at once
            for _ in range(rounds)
        ]
        for name, offset in (("first", 0), ("deep", deep))
    }
    timed = {
        name: [
            seconds_of(lambda: index.listed(selection, order).page(offset + page * PER_PAGE, PER_PAGE))  # noqa: B023 - called at once
            for _ in range(rounds)
            for page in range(20)
        ]
        for name, offset in (("first", 0), ("deep", deep))
    }
    at_least = index.listed(selection, order).at_least
    return {"total": total, "at_least": at_least, "offset": deep, **cold, **timed}


def arrays_of(file: Path) -> tuple[Aggregates, dict[str, float]]:
    """The version of the file as an API process has it: mapped, and built only where it was not kept from earlier."""
    from supportapi.refresh.build import calls_of  # noqa: PLC0415 - as above
    from supportapi.rollups.aggregates import Aggregates  # noqa: PLC0415 - as above
    from supportapi.snapshots.arrays import Arrays  # noqa: PLC0415 - as above
    from supportapi.snapshots.keys import version_of  # noqa: PLC0415 - as above

    kept, version = Arrays(file.parent), version_of(str(file.stat().st_size), {"zones": [_ZONE]})
    if not kept.has(version):
        run_child("calls", "build", str(file), version)
    loaded = kept.load(version)
    if loaded is None:
        raise RuntimeError(f"the arrays of {calls_of.__name__}({file}) cannot be read")
    sizes = {name: array.nbytes / (1 << 20) for name, array in loaded[1].items()}
    of_calls = sum(size for name, size in sizes.items() if name.startswith("calls-"))
    return Aggregates.from_arrays(*loaded), {"arrays": sum(sizes.values()), "of_calls": of_calls}


def _build(file: Path, version: str) -> None:
    from supportapi.refresh.build import calls_of  # noqa: PLC0415 - as above
    from supportapi.rollups.build import build  # noqa: PLC0415 - as above
    from supportapi.rollups.states import partial_state  # noqa: PLC0415 - as above
    from supportapi.snapshots.arrays import Arrays  # noqa: PLC0415 - as above

    tell(f"building the arrays of {file}")
    calls = calls_of([file])
    aggregates = build(partial_state(calls, (_ZONE,)), calls, (_ZONE,), _BUDGET_BYTES)
    Arrays(file.parent).save(version, *aggregates.to_arrays())


def _plain(calls: Any, selection: Selection, order: Order, offset: int) -> None:
    from supportapi.calls.listing import page  # noqa: PLC0415 - as above

    page(calls, selection, order, offset=offset, limit=PER_PAGE)


def _private_mebibytes() -> float:
    """What this process has that it shares with nobody; everything where the system does not tell."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return float("nan")
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")) / 1024


if __name__ == "__main__":
    if sys.argv[1] == "build":
        _build(Path(sys.argv[2]), sys.argv[3])
        print("null")
    else:
        print(json.dumps(_measured(Path(sys.argv[1]), int(sys.argv[2]))))
