"""Whether a ready dataset holds only possible calls: asked once for each version, before anything is built from it."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from supportapi.errors import SchemaInvalid

_WORST, _BEST = 1, 5
_IMPOSSIBLE: Final[dict[str, pl.Expr]] = {
    "call_id_missing": pl.col("call_id").is_null(),
    "started_at_missing": pl.col("started_at").is_null(),
    "ended_before_started": pl.col("ended_at") < pl.col("started_at"),
    "wait_negative": pl.col("wait_seconds") < 0,
    "duration_negative": pl.col("duration_seconds") < 0,
    "rating_outside_1_to_5": ~pl.col("rating").is_between(_WORST, _BEST),
}


def validate(calls: pl.LazyFrame) -> int:
    """The number of `calls` (columns of `SCHEMA`), once all of them are known to be possible.

    Reads the frame twice, streaming; beside that it holds 16 bytes a call. Raises `SchemaInvalid` with `problems`,
    one `{"reason", "rows"}` for each kind of impossible value: a missing or repeated `call_id`, a missing
    `started_at`, an `ended_at` before it, a negative wait or duration, a rating outside 1-5, text where a number is
    expected.
    """
    try:
        problems, rows = _impossible(calls)
        repeated = _repeated_ids(calls)
    except pl.exceptions.InvalidOperationError as cause:
        raise SchemaInvalid(
            f"A value is not of its column's kind: {str(cause).splitlines()[0]}.",
            problems=[{"reason": "value_unreadable", "detail": str(cause).splitlines()[0]}],
        ) from cause
    if repeated:
        problems.append({"reason": "call_id_repeated", "rows": repeated})
    if problems:
        told = ", ".join(f"{problem['rows']} x {problem['reason']}" for problem in problems)
        raise SchemaInvalid(f"The dataset holds impossible calls: {told}.", problems=problems)
    return rows


def refuse_shared_ids(calls: pl.LazyFrame) -> None:
    """Raises `SchemaInvalid` when files that are possible each for itself have calls with the same id.

    `calls` are those of all files. Reads their ids, streaming; holds 16 bytes a call.
    """
    repeated = _repeated_ids(calls)
    if repeated:
        raise SchemaInvalid(
            f"{repeated} calls have the id of a call in another file of the dataset and would count twice. Write each "
            "call into one file, and name in the manifest only the files that belong together.",
            problems=[{"reason": "call_id_in_several_files", "rows": repeated}],
        )


def _impossible(calls: pl.LazyFrame) -> tuple[list[dict[str, object]], int]:
    counts = calls.select(rows=pl.len(), **{reason: test.sum() for reason, test in _IMPOSSIBLE.items()})
    found = counts.collect(engine="streaming").row(0, named=True)
    return [{"reason": reason, "rows": found[reason]} for reason in _IMPOSSIBLE if found[reason]], found["rows"]


def _repeated_ids(calls: pl.LazyFrame) -> int:
    """How many calls have the id of an earlier one. Hashes are compared first: ids themselves only where those meet."""
    hashes = calls.select(pl.col("call_id").hash()).collect(engine="streaming")["call_id"].to_numpy()
    ordered = np.sort(hashes)
    met = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not met.size:
        return 0
    suspects = calls.select("call_id").filter(
        pl.col("call_id").is_not_null() & pl.col("call_id").hash().is_in(pl.Series(met).implode())
    )
    counts = suspects.select(total=pl.len(), distinct=pl.col("call_id").n_unique()).collect(engine="streaming")
    return int(counts["total"][0] - counts["distinct"][0])
