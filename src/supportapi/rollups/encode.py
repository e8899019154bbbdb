"""Rows become small integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from supportapi.calls.record import SORT_KEY
from supportapi.measures.tally import COUNTS, SHORT_ABANDON_SECONDS, THRESHOLDS_SECONDS
from supportapi.rollups.codes import UNKNOWN_BUCKET, RowCodes
from supportapi.rollups.follow_ups import VERDICTS
from supportapi.rollups.postings import POSTED, postings
from supportapi.rollups.repeats import REPEAT, REPEAT_CONDITIONS, repeats
from supportapi.rollups.states import CONDITIONS, DIMENSIONS, bucket, coded, in_ticks, local_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from supportapi.calls.window import Window

_TIMES: Final = ("wait_ms", "duration_ms")
_STEPS_MS: Final = (1_000, 100, 10)
"""Sources count whole seconds or tenths of them: half of the bytes hold those."""

_WAIT: Final = pl.col("wait_ms")
_WAIT_CLASS: Final = pl.sum_horizontal(
    (_WAIT >= SHORT_ABANDON_SECONDS * 1000).cast(pl.UInt32),
    *((limit * 1000 < _WAIT).cast(pl.UInt32) for limit in THRESHOLDS_SECONDS),
)
_WAIT_CLASSES: Final = len(THRESHOLDS_SECONDS) + 3
"""Between the thresholds, and unknown."""


def in_order_of_time(calls: pl.LazyFrame) -> pl.LazyFrame:
    """`calls` in order of `started_at`, then `call_id`; sorted only where they are not in it already."""
    started, call_id = (pl.col(name) for name in SORT_KEY)
    later, before = started.diff(), call_id.shift()
    mixed = (later < pl.duration()) | ((later == pl.duration()) & (call_id < before))
    # Files that overlap in time.
    return calls.sort(SORT_KEY) if calls.select(mixed.any()).collect(engine="streaming").item() else calls


def row_codes(
    calls: pl.LazyFrame,
    members: Mapping[str, Sequence[str]],
    days: Mapping[str, Window],
    agents_by_name: NDArray[np.intp],
) -> RowCodes:
    """The codes of canonical `calls` in order of time; `days` has the days with data of each reporting zone."""
    ticks = coded(in_ticks(calls), members)
    extent = ticks.select(
        pl.col("started_at").dt.epoch("s").min(),
        pl.col("started_at").dt.epoch("us").max().alias("as_of"),
        pl.max_horizontal(pl.col(_TIMES).max()).alias("longest"),
        *(pl.all_horizontal((pl.col(_TIMES) % step == 0).all()).alias(f"by_{step}") for step in _STEPS_MS),
    )
    first_second, as_of_us, longest_ms, *divided = extent.collect(engine="streaming").row(0)
    ticks = pl.concat([ticks, repeats(ticks, as_of_us or 0).to_frame().lazy()], how="horizontal")
    base_second: int = first_second or 0
    step_ms = next((step for step, divides in zip(_STEPS_MS, divided, strict=True) if divides), 1)
    frame = _encoded(ticks, members, days, base_second, step_ms, _steps_type((longest_ms or 0) // step_ms))
    frame = frame.collect(engine="streaming")
    classes, class_codes = _classes(ticks, frame.get_column("class"))
    columns: dict[str, NDArray[Any]] = {name: frame.get_column(name).to_numpy() for name in frame.columns}
    columns["class"] = class_codes
    for position, window in enumerate(days.values()):
        columns |= _day_index(columns[f"day_{position}"], position, window.days)
    sizes = {name: len(members[name]) + 1 for name in DIMENSIONS}
    layouts: dict[tuple[str, ...], NDArray[np.intp]] = {("agent_id",): agents_by_name}
    made = (postings(dims, columns, sizes, layouts.get(dims)) for dims in POSTED)
    return RowCodes(columns, classes, base_second, step_ms, [each for each in made if each is not None])


def _encoded(
    ticks: pl.LazyFrame,
    members: Mapping[str, Sequence[str]],
    days: Mapping[str, Window],
    base_second: int,
    step_ms: int,
    steps_type: type[pl.DataType],
) -> pl.LazyFrame:
    return ticks.select(
        (pl.col("started_at").dt.epoch("s") - base_second).cast(pl.UInt32).alias("second"),
        *(
            (local_day(zone).cast(pl.Int32) - _day_number(window)).cast(pl.UInt16).alias(f"day_{position}")
            for position, (zone, window) in enumerate(days.items())
        ),
        *(pl.col(name).cast(_smallest(len(members[name]) + 1)) for name in DIMENSIONS),
        _class_code().alias("class"),
        pl.col("rating").cast(pl.UInt8).fill_null(0),
        *(
            (pl.col(f"{of}_ms").fill_null(0) // step_ms).cast(steps_type).alias(f"{of}_steps")
            for of in ("wait", "duration")
        ),
        *(bucket(f"{of}_ms").fill_null(UNKNOWN_BUCKET).alias(f"{of}_bucket") for of in ("wait", "duration")),
    )


def _class_code() -> pl.Expr:
    """A number for the combination of everything that decides which counts a call adds to."""
    wait_class = pl.when(_WAIT.is_null()).then(_WAIT_CLASSES - 1).otherwise(_WAIT_CLASS)
    code = pl.col("answered").cast(pl.UInt16).fill_null(2)
    code = code * 3 + pl.col("resolved").cast(pl.UInt16).fill_null(2)
    code = code * 6 + pl.col("rating").cast(pl.UInt16).fill_null(0)
    code = code * _WAIT_CLASSES + wait_class.cast(pl.UInt16)
    code = code * 2 + pl.col("duration_ms").is_not_null().cast(pl.UInt16)
    return (code * len(VERDICTS) + pl.col(REPEAT)).cast(pl.UInt16)


def _classes(ticks: pl.LazyFrame, codes: pl.Series) -> tuple[NDArray[np.int8], NDArray[np.uint16]]:
    """What each class that occurs adds to the counts, shape `(classes, len(COUNTS))`, and the class of each row."""
    # One row stands for its class, so that the conditions are spelled in one place.
    kept = ("answered", "resolved", "rating", "wait_ms", "duration_ms", REPEAT)
    standing = (
        ticks.select(_class_code().alias("class"), *kept)
        .group_by("class")
        .agg(pl.col(name).first() for name in kept)
        .collect(engine="streaming")
        .sort("class")
    )
    conditions = CONDITIONS | REPEAT_CONDITIONS
    counted = standing.select(conditions[name].cast(pl.Int8).alias(name) for name in COUNTS)
    position = np.zeros(int(np.max(standing.get_column("class").to_numpy(), initial=0)) + 1, dtype=np.uint16)
    position[standing.get_column("class").to_numpy()] = np.arange(standing.height)
    contributions = counted.to_numpy() if standing.height else np.zeros((0, len(COUNTS)), np.int8)
    return contributions, position[codes.to_numpy()]


def _day_index(day: NDArray[Any], position: int, days: int) -> dict[str, NDArray[Any]]:
    """Where each day's rows begin and where those before it end."""
    numbers = np.arange(days + 1)
    latest = np.maximum.accumulate(day) if len(day) else day
    earliest = np.minimum.accumulate(day[::-1])[::-1] if len(day) else day
    return {
        f"first_{position}": np.searchsorted(latest, numbers, side="left"),
        f"end_{position}": np.searchsorted(earliest, numbers, side="left"),
    }


def _steps_type(longest: int) -> type[pl.DataType]:
    # A ticket that stayed open for 49 days or more makes them eight bytes each.
    return pl.UInt16 if longest < 2**16 else pl.UInt32 if longest < 2**32 else pl.Int64


def _smallest(members: int) -> type[pl.DataType]:
    return pl.UInt8 if members <= 2**8 else pl.UInt16 if members <= 2**16 else pl.UInt32


def _day_number(window: Window) -> int:
    return window.start.toordinal() - 719_163
