"""Which resolved calls were the last about their issue: what a call does not say, but its customer's next one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import polars as pl

from supportapi.measures.tally import COUNTS, REPEAT_COUNTS
from supportapi.rollups.follow_ups import COUNTED, UNJUDGED, judged
from supportapi.rollups.states import CELL_KEYS, PartialState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from supportapi.calls.window import Window
    from supportapi.rollups.codes import RowCodes

REPEAT: Final = "repeat"
REPEAT_CONDITIONS: Final[dict[str, pl.Expr]] = {
    name: pl.col(REPEAT).is_in(np.flatnonzero(COUNTED[:, at]).tolist()) for at, name in enumerate(REPEAT_COUNTS)
}
"""Which calls each of `REPEAT_COUNTS` counts: the column `repeat` is a call's verdict (see `follow_ups`)."""


def repeats(ticks: pl.LazyFrame, as_of_us: int) -> pl.Series:
    """The column `repeat` of `ticks` (see `states.coded`), the calls of the whole dataset in order of time.

    `as_of_us` is when the newest of them started, the instant up to which further calls would be known.
    """
    rows = ticks.select(
        # As integers, in a dictionary that ends with them: strings take twice as long to sort.
        customer=pl.col("customer_id").cast(pl.Categorical(pl.Categories.random())).to_physical().cast(pl.Int64),
        issue=pl.col("issue_type").cast(pl.Int64),
        at=pl.col("started_at").dt.epoch("us"),
        resolved=pl.col("resolved").fill_null(value=False),
    ).collect(engine="streaming")
    known = np.flatnonzero(rows.get_column("customer").is_not_null().to_numpy())
    customer, issue, at, resolved = (column[known].to_numpy() for column in rows.get_columns())
    found = np.full(rows.height, UNJUDGED, np.uint8)
    found[known] = judged(customer, issue, at, resolved, as_of_us)
    return pl.Series(REPEAT, found)


def completed(state: PartialState, codes: RowCodes, data: Mapping[str, Window]) -> PartialState:
    """`state` with `REPEAT_COUNTS` in its cells, from the `codes` of its rows; `data` has the days of each zone."""
    at = [COUNTS.index(name) for name in REPEAT_COUNTS]
    counted = codes.classes[:, at]
    judged: NDArray[np.bool_] = np.asarray(counted.any(axis=1))
    rows = np.flatnonzero(judged[codes.columns["class"]])
    classes = codes.columns["class"][rows]
    marks = {name: counted[:, number][classes] for number, name in enumerate(REPEAT_COUNTS)}
    cells = dict(state.cells)
    for position, (zone, window) in enumerate(data.items()):
        day = pl.lit(window.start) + pl.duration(days="day")
        for kind, keys in CELL_KEYS.items():
            columns = {key: codes.columns[key][rows] for key in keys}
            frame = pl.DataFrame({"day": codes.columns[f"day_{position}"][rows], **columns, **marks})
            sums = frame.group_by("day", *keys).agg(pl.col(name).sum().cast(pl.Int64) for name in REPEAT_COUNTS)
            spelled = sums.with_columns(day.cast(pl.Date).alias("day"), *(pl.col(key).cast(pl.UInt32) for key in keys))
            joined = cells[f"{zone}/{kind}"].join(spelled, on=["day", *keys], how="left", maintain_order="left")
            cells[f"{zone}/{kind}"] = joined.with_columns(pl.col(REPEAT_COUNTS).fill_null(0))
    return msgspec.structs.replace(state, cells=cells)
