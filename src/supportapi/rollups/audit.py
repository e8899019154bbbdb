"""The aggregates against the plain rows: what disagrees is never published."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import polars as pl

from supportapi.calls.filter import DIMENSIONS, UNKNOWN, Filter
from supportapi.calls.window import Window
from supportapi.measures.sketch import RELATIVE_ERROR, quantiles
from supportapi.measures.tally import COUNTS, SUMS, Tally
from supportapi.rollups.questions import Measured, Question
from supportapi.rollups.states import MEASURES, in_ticks, local_day

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

_AXES: Final = (None, None, "region", "issue_type", "channel", "agent_id")
_SHARES: Final = (0.5, 0.95)
_ROUNDING: Final = 1e-9
_MOST_MEMBERS: Final = 3


class Mismatch(msgspec.Struct, frozen=True):
    """One value of one question on which the rows and the aggregates disagree."""

    question: str
    measure: str
    member: str | None
    expected: float | None
    found: float | None


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many questions were asked, from which seed, and every disagreement."""

    queries: int
    seed: int
    values: int
    mismatches: tuple[Mismatch, ...]

    @property
    def passed(self) -> bool:
        """Whether the version may be published."""
        return not self.mismatches


def audit(aggregates: Aggregates, calls: pl.LazyFrame, queries: int = 12, seed: int = 0) -> AuditReport:
    """Ask for everything, and `queries` - 1 random questions (windows, filters, axes, zones), in both ways.

    Equal seeds give equal questions. Counts and sums must be equal, percentiles within the sketch's relative error.
    `calls` are the canonical rows.
    """
    chosen = random.Random(seed)  # noqa: S311  a sample, not a secret
    ticks = in_ticks(calls)
    mismatches: list[Mismatch] = []
    values = 0
    for number in range(queries):
        question = _question(aggregates, chosen) if number else _everything(aggregates)
        rows = _rows(ticks, question)
        values += _compare_measures(aggregates, question, rows, mismatches)
        if not question.by:
            values += _compare_percentiles(aggregates, question, rows, mismatches)
    return AuditReport(queries=queries, seed=seed, values=values, mismatches=tuple(mismatches))


def _everything(aggregates: Aggregates) -> Question:
    zone = aggregates.zones[0]
    return Question(zone, aggregates.data_window(zone))


def _question(aggregates: Aggregates, chosen: random.Random) -> Question:
    zone = chosen.choice(aggregates.zones)
    data = aggregates.data_window(zone)
    first = chosen.randrange(data.days + 1)
    start = data.start + timedelta(days=first)
    window = Window(start, start + timedelta(days=chosen.randrange(1, data.days - first + 2)))
    limits: dict[str, tuple[str, ...]] = {}
    for dimension in chosen.sample(DIMENSIONS, chosen.choice((0, 0, 1, 2))):
        members = [member.key for member in aggregates.members(dimension)]
        if members:
            kept = chosen.sample(members, min(len(members), chosen.randint(1, _MOST_MEMBERS)))
            limits[dimension] = tuple(sorted(kept))
    axis = chosen.choice(_AXES)
    return Question(zone, window, Filter(**limits), () if axis is None else (axis,))


def _rows(ticks: pl.LazyFrame, question: Question) -> pl.LazyFrame:
    day = local_day(question.zone)
    rows = ticks.filter((day >= question.window.start) & (day < question.window.end))
    for dimension in question.filter.limited:
        members = question.filter.members(dimension)
        kept = pl.col(dimension).is_in([member for member in members if member != UNKNOWN])
        kept = kept.fill_null(value=False)
        rows = rows.filter(kept | pl.col(dimension).is_null() if UNKNOWN in members else kept)
    return rows


def _compare_measures(
    aggregates: Aggregates, question: Question, rows: pl.LazyFrame, mismatches: list[Mismatch]
) -> int:
    measures = {name: MEASURES[name] for name in (*COUNTS, *SUMS)}
    axis = question.member_axis
    answer = aggregates.tally(question)
    if axis is None:
        plain = rows.select(**measures).collect(engine="streaming")
        expected: dict[str, dict[str, Any]] = {"": plain.row(0, named=True)}
        found = {"": answer.tally}
    else:
        plain = rows.group_by(pl.col(axis).fill_null(UNKNOWN)).agg(**measures).collect(engine="streaming")
        expected = {row[axis]: row for row in plain.iter_rows(named=True)}
        found = {str(key): answer.tally.take([at]).sum() for at, key in enumerate(answer.keys[0])}
    for member in {*expected, *found}:
        _note(question, member or None, expected.get(member), found.get(member), mismatches)
    return len(measures) * len(found)


def _note(
    question: Question,
    member: str | None,
    expected: dict[str, Any] | None,
    found: Tally | None,
    mismatches: list[Mismatch],
) -> None:
    for name in (*COUNTS, *SUMS):
        wanted = 0 if expected is None else expected[name] or 0
        got = 0 if found is None else int(found[name])
        if wanted != got:
            mismatches.append(Mismatch(repr(question), name, member, wanted, got))


def _compare_percentiles(
    aggregates: Aggregates, question: Question, rows: pl.LazyFrame, mismatches: list[Mismatch]
) -> int:
    measured: tuple[Measured, ...] = ("wait", "duration")
    plain = rows.select(
        (pl.col(f"{of}_ms").quantile(share, interpolation="linear") / 1000).alias(f"{of}_{share}")
        for of in measured
        for share in _SHARES
    ).collect(engine="streaming")
    for of in measured:
        histogram, _ = aggregates.histogram(question, of)
        for share, got in zip(_SHARES, quantiles(histogram, _SHARES).tolist(), strict=True):
            wanted = plain.item(0, f"{of}_{share}")
            missing = wanted is None
            if missing != bool(np.isnan(got)) or (
                not missing and abs(got - wanted) > wanted * RELATIVE_ERROR + _ROUNDING
            ):
                mismatches.append(
                    Mismatch(repr(question), f"{of} quantile {share}", None, wanted, None if np.isnan(got) else got)
                )
    return len(measured) * len(_SHARES)
