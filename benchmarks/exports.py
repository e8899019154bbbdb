"""A million calls as a CSV file, by the arrays: how long, and how much memory more."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from threading import Event
from typing import IO, Any, Final, cast

from benchmarks.calls import arrays_of
from benchmarks.machine import peak_mebibytes, print_table, run_child, sample, seconds_of, tell

_ZONE: Final = "UTC"
_ORDERS: Final = ("-started_at", "-duration_seconds", "-rating")
_COLUMNS: Final = ("calls, order", "time", "size", "memory more")
_NOTES: Final = (
    "In process, to nowhere. Memory more: the peak of everything that the process has, mapped arrays as far as they "
    "were read included, less what it had with one slice written."
)


def run(*, quick: bool) -> None:
    """Print the table."""
    calls = 100_000 if quick else 1_000_000
    file = str(sample(calls))
    rows: list[list[str]] = []
    for order in _ORDERS:
        tell(f"exports: {calls:,} calls, {order}")
        found = run_child("exports", file, order)
        rows.append(
            [
                f"{calls:,}, {order}",
                f"{found['seconds']:,.1f} s",
                f"{found['mebibytes']:,.0f} MiB",
                f"{found['more']:,.0f} MiB",
            ]
        )
    print_table("Calls as CSV", _COLUMNS, rows, _NOTES)


class _Nowhere:
    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)


def _measured(file: Path, spelled: str) -> dict[str, float]:
    from supportapi.api.exports import SLICE_ROWS  # noqa: PLC0415 - the main process stays small
    from supportapi.calls.record import COLUMNS  # noqa: PLC0415 - as above
    from supportapi.calls.selection import Order, Selection  # noqa: PLC0415 - as above
    from supportapi.exports.write import write  # noqa: PLC0415 - as above
    from supportapi.rollups.call_frames import call_frames  # noqa: PLC0415 - as above

    aggregates, _ = arrays_of(file)
    column: Any = spelled.removeprefix("-")
    selection = Selection(window=aggregates.data_window(_ZONE), zone=_ZONE)
    listed = aggregates.call_index.listed(selection, Order(column, spelled.startswith("-")))
    out = _Nowhere()

    def export(most: int | None) -> None:
        frames, schema = call_frames(aggregates.calls, listed, COLUMNS, SLICE_ROWS)
        write(islice(frames, most), schema, "csv", cast("IO[bytes]", out), Event())

    export(1)
    before, out.size = peak_mebibytes(), 0
    seconds = seconds_of(lambda: export(None))
    return {"seconds": seconds, "mebibytes": out.size / (1 << 20), "more": peak_mebibytes() - before}


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]), sys.argv[2])))
