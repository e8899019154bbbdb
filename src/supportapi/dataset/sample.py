"""Made-up calls that look like a support centre's: for a first look, for tests and for benchmarks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.record import COLUMNS, INSTANT, SCHEMA, whole_milliseconds
from supportapi.dataset.centre import CHANNELS, ISSUE_TYPES, REGIONS, RESOLUTIONS, Centre, Day, midnight_utc
from supportapi.dataset.write import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from supportapi.calls.manifest import Manifest

END: Final = date(2026, 9, 30)
_BATCH_CALLS: Final = 100_000
_DECISECONDS: Final = 10
_MICROSECONDS: Final = 100_000
"""In a decisecond."""


def make_sample(
    calls: int,
    seed: int,
    out: Path,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    end: date | None = None,
    agents: int | None = None,
) -> Manifest:
    """Write `calls` (at least 1) made-up calls to `out/cleaned_calls.parquet`, and its manifest.

    The last calls start on `end` (a fixed day when it is None) and are taken by `agents` (at least 6; as many as so
    many calls need when it is None): equal arguments give equal bytes. Calls are made and written batch by batch.
    `progress("sample", done, calls)` is told after each. Raises `DatasetNotWritable`.
    """
    centre = Centre(calls, seed, end or END, agents)
    batches = _Batches(centre, progress or _ignore)
    with Writer(out) as writer:
        manifest = msgspec.structs.replace(
            writer.stage_ordered(batches),
            source=f"supportapi sample --calls {calls} --seed {seed}",
            notes="Made-up calls; no person in them exists.",
        )
        writer.publish(manifest)
    return manifest


class _Batches:
    """The centre's calls as frames, by start and id."""

    def __init__(self, centre: Centre, progress: Callable[[str, int, int], None]) -> None:
        self._centre = centre
        self._progress = progress
        self._texts = {
            "agent_id": _texts([f"agent-{k + 1:04d}" for k in range(centre.agents)]),
            "agent_name": _texts(centre.agent_names()),
            "region": _texts(REGIONS),
            "channel": _texts(CHANNELS),
            "issue_type": _texts(ISSUE_TYPES),
            "resolution": _texts(RESOLUTIONS),
        }

    def __iter__(self) -> Iterator[pl.DataFrame]:
        waiting: list[pl.DataFrame] = []
        held = done = 0
        for index in range(self._centre.days):
            waiting.append(self._frame(index, done + held))
            held += waiting[-1].height
            if held >= _BATCH_CALLS or index == self._centre.days - 1:
                yield pl.concat(waiting)
                done, held, waiting = done + held, 0, []
                self._progress("sample", done, self._centre.calls)

    def _frame(self, index: int, first_number: int) -> pl.DataFrame:
        day = self._centre.day(index)
        began = midnight_utc(self._centre.first_day + timedelta(days=index))
        known = pl.DataFrame(
            {
                "number": pl.int_range(first_number + 1, first_number + 1 + day.region.size, eager=True),
                "customer": day.customer,
                "started": day.started_seconds,
                "wait": day.wait_deciseconds,
                "duration": day.duration_deciseconds,
                "answered": day.answered,
                "resolution_code": day.resolution,
                "rating_or_none": day.rating,
            }
        )
        return known.with_columns(**{name: self._text(name, codes) for name, codes in _codes(day).items()}).select(
            **_columns(pl.lit(began))
        )

    def _text(self, name: str, codes: NDArray[np.int64]) -> pl.Series:
        # Code -1 is the last text, which is null.
        return self._texts[name].gather(pl.Series(codes % len(self._texts[name])))


def _codes(day: Day) -> dict[str, NDArray[np.int64]]:
    return {
        "agent_id": day.agent,
        "agent_name": day.agent,
        "region": day.region,
        "channel": day.channel,
        "issue_type": day.issue_type,
        "resolution": day.resolution,
    }


def _columns(began: pl.Expr) -> dict[str, pl.Expr]:
    """The columns of `SCHEMA` from a day's numbers; `began` is the naive instant of its midnight in UTC."""
    duration = pl.when(pl.col("duration") >= 0).then(pl.col("duration"))
    started = (began + pl.duration(seconds=pl.col("started"))).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    made = {
        "call_id": pl.lit("call-") + pl.col("number").cast(pl.String).str.zfill(9),
        "customer_id": pl.when(pl.col("customer") >= 0).then(
            pl.lit("cust-") + pl.col("customer").cast(pl.String).str.zfill(7)
        ),
        "started_at": started.cast(INSTANT),
        "ended_at": (started + pl.duration(microseconds=(pl.col("wait") + duration.fill_null(0)) * _MICROSECONDS)),
        "wait_seconds": whole_milliseconds(pl.col("wait") / _DECISECONDS),
        "duration_seconds": whole_milliseconds(duration / _DECISECONDS),
        "resolved": pl.when(pl.col("resolution_code") >= 0).then(pl.col("resolution_code") == 0),
        "rating": pl.when(pl.col("rating_or_none") >= 0).then(pl.col("rating_or_none")),
    }
    return {name: made.get(name, pl.col(name)).cast(SCHEMA[name]) for name in COLUMNS}


def _texts(values: list[str] | tuple[str, ...]) -> pl.Series:
    return pl.Series([*values, None], dtype=pl.String)


def _ignore(_stage: str, _done: int, _total: int) -> None:
    return
