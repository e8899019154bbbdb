"""Answers from plain rows, for the audit: spelled a second time on purpose, nothing is shared with `states`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import polars as pl

from supportapi.calls.filter import UNKNOWN, key_of, value_of
from supportapi.calls.window import midnight
from supportapi.measures.tally import RATINGS, REPEAT_DAYS, SHORT_ABANDON_SECONDS, SUMS, THRESHOLDS_SECONDS
from supportapi.rollups.questions import PAIR, member_axis_of, time_axis_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from supportapi.calls.window import Window
    from supportapi.rollups.questions import Question

CELL_MEASURES: Final = (
    "calls", "answered", "unanswered", "within_20", "resolved_handled", "rating_5", "wait_ms", "duration_ms",
)  # fmt: skip
"""What `cells` counts: at least one measure of every column."""

_WAIT, _TALK = pl.col("wait"), pl.col("duration")
_ANSWERED, _GIVEN_UP = pl.col("answered"), pl.col("answered").not_()
_HANDLED: Final = pl.col("answered").ne_missing(other=False)
_SETTLED: Final = pl.col("resolved")

# A condition on something unknown is unknown, and a sum leaves it out.
_COUNTED: Final[dict[str, pl.Expr]] = {
    "calls": pl.col("started_at").is_not_null(),
    "answered": _ANSWERED,
    "unanswered": _GIVEN_UP,
    "short_abandons": _GIVEN_UP & _WAIT.lt(SHORT_ABANDON_SECONDS * 1000),
    **{f"within_{seconds}": _ANSWERED & _WAIT.le(seconds * 1000) for seconds in THRESHOLDS_SECONDS},
    **{f"beyond_{seconds}": _GIVEN_UP & _WAIT.gt(seconds * 1000) for seconds in THRESHOLDS_SECONDS},
    "wait_known": _WAIT.is_not_null(),
    "wait_answered_known": _WAIT.is_not_null() & _ANSWERED,
    "wait_unanswered_known": _WAIT.is_not_null() & _GIVEN_UP,
    "duration_known": _TALK.is_not_null(),
    **{f"rating_{stars}": pl.col("rating") == stars for stars in RATINGS},
    "resolved": _SETTLED,
    "resolved_known": _SETTLED.is_not_null(),
    "resolved_handled": _SETTLED & _HANDLED,
    "resolved_known_handled": _SETTLED.is_not_null() & _HANDLED,
}
_REPEAT: Final = timedelta(days=REPEAT_DAYS)
_TOLD: Final = pl.col("customer_id").is_not_null() & _SETTLED
_OLD: Final = pl.col("age") >= _REPEAT
_REPEATED: Final[dict[str, pl.Expr]] = {
    "resolved_young": _TOLD & _OLD.not_(),
    "resolved_matured": _TOLD & _OLD,
    "resolved_without_repeat": _TOLD & _OLD & pl.col("later").is_null(),
}
_ADDED: Final[dict[str, tuple[pl.Expr, pl.Expr]]] = {
    "wait_ms": (_WAIT, pl.lit(value=True)),
    "wait_answered_ms": (_WAIT, _ANSWERED),
    "wait_unanswered_ms": (_WAIT, _GIVEN_UP),
    "duration_ms": (_TALK, pl.lit(value=True)),
}


_MARGIN: Final = timedelta(days=3)
"""A day in one zone lies in two of another, and what decides about a day is asked for a day around it."""

_STEPS: Final = 30
"""At the most, of equally many days, the last of which ends with the window."""


class Whole(msgspec.Struct, frozen=True):
    """Every count and sum that a call decides alone, of one question, whatever its axes."""

    measures: dict[str, int]
    longest_wait_seconds: float | None


def asked(calls: pl.LazyFrame, questions: Sequence[Question]) -> pl.LazyFrame:
    """The columns that answers need, and for each question a column `asked <number>`: whether it is about the row.

    `wait` and `duration` are whole milliseconds, `day <zone>` the day in each zone that a question names.
    """
    days = [_day(zone) for zone in sorted({question.zone for question in questions})]
    rows = calls.select(
        *days, "started_at", "region", "issue_type", "channel", "agent_id", "answered", "resolved", "rating",
        wait=(pl.col("wait_seconds") * 1000).round().cast(pl.Int64),
        duration=(pl.col("duration_seconds") * 1000).round().cast(pl.Int64),
    )  # fmt: skip
    return rows.with_columns(**{f"asked {number}": _about(question) for number, question in enumerate(questions)})


def count(calls: pl.LazyFrame) -> int:
    """How many there are."""
    return calls.select(pl.len()).collect(engine="streaming").item()


def started_around(spans: Sequence[Window]) -> pl.Expr:
    """Whether a call can matter to a question about days of one of `spans`, in whatever zone they are counted."""
    starts = (
        pl.col("started_at").is_between(
            pl.lit(midnight(span.start, "UTC") - _MARGIN), pl.lit(midnight(span.end, "UTC") + _MARGIN + _REPEAT)
        )
        for span in spans
    )
    return pl.any_horizontal(*starts)


def wholes(rows: pl.LazyFrame, questions: int) -> list[Whole]:
    """Of the rows of `asked`, what each question's add up to: one scan for all of them."""
    marked = rows.with_columns(**{f"is {name}": condition for name, condition in _COUNTED.items()})
    found = marked.select(
        expression
        for number in range(questions)
        for expression in (
            *((pl.col(f"asked {number}") & pl.col(f"is {name}")).sum().alias(f"{number} {name}") for name in _COUNTED),
            *(_amount(name, pl.col(f"asked {number}")).alias(f"{number} {name}") for name in SUMS),
            _WAIT.filter(pl.col(f"asked {number}")).max().alias(f"{number} longest"),
        )
    )
    values = found.collect(engine="streaming").row(0, named=True)
    return [
        Whole(
            {name: values[f"{number} {name}"] or 0 for name in (*_COUNTED, *SUMS)},
            _seconds(values[f"{number} longest"]),
        )
        for number in range(questions)
    ]


def percentiles(rows: pl.LazyFrame, questions: int, of: str, shares: Sequence[float]) -> NDArray[np.float64]:
    """The exact quantiles of each question's known waits or durations in seconds, shape `(questions, shares)`.

    Interpolated between order statistics; NaN where none is known. One scan: rows are counted by millisecond first.
    """
    masks = [f"asked {number}" for number in range(questions)]
    counted = rows.filter(pl.col(of).is_not_null()).group_by(of).agg(pl.col(mask).sum() for mask in masks)
    counts = counted.collect(engine="streaming").sort(of)
    values = counts.get_column(of).to_numpy() / 1000
    return np.array([_quantiles(values, counts.get_column(mask).to_numpy(), shares) for mask in masks])


def cells(
    rows: pl.LazyFrame, number: int, question: Question, shares: Sequence[float]
) -> dict[str, dict[tuple[Any, ...], float | None]]:
    """The cells of `question`, the `number`-th of `asked`, that have rows, by their keys.

    For each of `CELL_MEASURES`, for `longest_wait` and for the quantiles `shares` of waits and durations, in seconds.
    """
    everything = pl.lit(value=True)
    measures = {
        **{
            name: _amount(name, everything) if name in _ADDED else _COUNTED[name].sum().cast(pl.Int64)
            for name in CELL_MEASURES
        },
        "longest_wait": _WAIT.max(),
        **{
            percentile_name(of, share): pl.col(of).quantile(share, "linear")
            for of in ("wait", "duration")
            for share in shares
        },
    }
    found = _parted(rows.filter(_near(question) & pl.col(f"asked {number}")), question, measures)
    timed = {name: values for name, values in found.items() if name not in CELL_MEASURES}
    return found | {name: {key: _seconds(value) for key, value in values.items()} for name, values in timed.items()}


def repeats(
    calls: pl.LazyFrame, newest: datetime, question: Question
) -> dict[str, dict[tuple[Any, ...], float | None]]:
    """The counts that other calls of a customer decide in each cell of `question`, as in `cells`, of whole `calls`.

    `newest` is when the last of them started. The calls of the window and of the days after it are sorted in memory.
    """
    rows = calls.filter(_near(question, after=_REPEAT)).with_columns(
        age=newest - pl.col("started_at"), issue_known=pl.col("issue_type").is_not_null()
    )
    same = ["customer_id", "issue", "issue_known"]
    told = rows.with_columns(issue=pl.col("issue_type").fill_null("")).sort("started_at")
    # The next one that is later; a customer who is not known never called again.
    next_one = told.filter(pl.col("customer_id").is_not_null()).select("started_at", *same, later="started_at")
    judged = told.join_asof(
        next_one, on="started_at", by=same, strategy="forward", tolerance=_REPEAT,
        allow_exact_matches=False, check_sortedness=False,
    )  # fmt: skip
    days = judged.with_columns(_day(question.zone)).filter(_about(question))
    return _parted(days, question, {name: condition.sum().cast(pl.Int64) for name, condition in _REPEATED.items()})


def percentile_name(of: str, share: float) -> str:
    """What the quantile `share` of waits or durations is called."""
    return f"{of}_p{share * 100:.0f}"


def _seconds(milliseconds: float | None) -> float | None:
    # Not by Polars: it multiplies by 0.001, and 51 ms become 0.051000000000000004 s.
    return None if milliseconds is None else milliseconds / 1000


def _day(zone: str) -> pl.Expr:
    return pl.col("started_at").dt.convert_time_zone(zone).dt.date().alias(f"day {zone}")


def _near(question: Question, after: timedelta = timedelta()) -> pl.Expr:
    """The days decide; the instants around them let whole row groups of a sorted file be skipped."""
    first, end = question.window.instants(question.zone)
    return pl.col("started_at").is_between(first - timedelta(days=1), end + timedelta(days=1) + after)


def _parted(
    rows: pl.LazyFrame, question: Question, measures: Mapping[str, pl.Expr]
) -> dict[str, dict[tuple[Any, ...], float | None]]:
    """The `measures` of the cells of `question` that have `rows`, by their keys."""
    keys = [expression for name in question.by for expression in _keys(name, question)]
    # A question without axes has one cell, of all its rows.
    grouped = rows.group_by(pl.lit(0).alias("all"), *(key.alias(f"key {at}") for at, key in enumerate(keys)))
    found = grouped.agg(**measures).collect(engine="streaming")
    columns = found.select("all", *(f"key {at}" for at in range(len(keys))))
    named = [_cell(key[1:], question) for key in columns.iter_rows()]
    return {name: dict(zip(named, found.get_column(name).to_list(), strict=True)) for name in measures}


def _about(question: Question) -> pl.Expr:
    day, window = pl.col(f"day {question.zone}"), question.window
    wanted = (day >= window.start) & (day < window.end)
    for dimension in question.filter.limited:
        members = question.filter.members(dimension)
        kept = (
            pl.col(dimension)
            .is_in([value for key in members if (value := value_of(key)) is not None])
            .fill_null(value=False)
        )
        wanted &= kept | pl.col(dimension).is_null() if UNKNOWN in members else kept
    return wanted


def _amount(name: str, wanted: pl.Expr) -> pl.Expr:
    amount, condition = _ADDED[name]
    return pl.when(wanted & condition).then(amount).sum()


def _quantiles(values: NDArray[np.float64], counts: NDArray[Any], shares: Sequence[float]) -> list[float]:
    below = np.cumsum(counts, dtype=np.int64)
    if not len(below) or not below[-1]:
        return [float("nan")] * len(shares)
    ranks = np.asarray(shares) * (below[-1] - 1)
    low, high = (values[np.searchsorted(below, edge, side="right")] for edge in (np.floor(ranks), np.ceil(ranks)))
    return (low + (high - low) * (ranks % 1)).tolist()


def _keys(name: str, question: Question) -> tuple[pl.Expr, ...]:
    day = pl.col(f"day {question.zone}")
    match name:
        case "day":
            return (day,)
        case "week" | "month":
            return (day.dt.truncate("1w" if name == "week" else "1mo"),)
        case "hour":
            elapsed = pl.col("started_at") - question.window.instants(question.zone)[0]
            return (elapsed.dt.total_microseconds() // 3_600_000_000,)
        case "step":
            width = (question.window.days + _STEPS - 1) // _STEPS
            left = (pl.lit(question.window.end) - day).dt.total_days() - 1
            return (pl.lit(question.window.end) - pl.duration(days=(left // width + 1) * width),)
        case "hour_of_week":
            local = pl.col("started_at").dt.convert_time_zone(question.zone)
            return (pl.struct(local.dt.weekday() - 1, local.dt.hour().alias("hour")),)
        case _:
            columns = ("agent_id", "region") if name == PAIR else (name,)
            return tuple(pl.col(column).cast(pl.String) for column in columns)


def _cell(key: tuple[Any, ...], question: Question) -> tuple[Any, ...]:
    """A row of key columns as an answer spells it: members by their keys, pairs as one key, hours as instants."""
    key = tuple(key_of(part) if part is None or isinstance(part, str) else part for part in key)
    if member_axis_of(question.by) == PAIR:
        key = (key[:2], *key[2:])
    if time_axis_of(question.by) == "hour":
        first = question.window.instants(question.zone)[0]
        key = (*key[:-1], first + timedelta(hours=key[-1]))
    if time_axis_of(question.by) == "hour_of_week":
        key = (*key[:-1], tuple(key[-1].values()))
    return key
