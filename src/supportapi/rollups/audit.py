"""The aggregates against the plain rows: what disagrees is never published."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import numpy as np

from supportapi.calls.filter import DIMENSIONS, Filter
from supportapi.calls.window import Window
from supportapi.measures.sketch import RELATIVE_ERROR, quantiles
from supportapi.rollups import plain_rows
from supportapi.rollups.questions import PAIR, RATING, Measured, Question

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.questions import Key

_MEMBER_AXES: Final = (None, None, "region", "issue_type", "channel", "agent_id", PAIR, RATING)
_GRAINS: Final = (None, None, None, "day", "day", "week", "month", "hour")
_MOST_MEMBERS: Final = 3
_HOURLY_DAYS: Final = 7
_MOST_CELLS: Final = 20_000
"""So many cells of one answer are compared at the most; a question that would have more keeps its members only."""

_AT_ONCE: Final = 16
_LISTED: Final = 5
_MEASURED: Final[tuple[Measured, ...]] = ("wait", "duration")
_SHARES: Final = (0.5, 0.95)
_ROUNDING: Final = 1e-9


class Mismatch(msgspec.Struct, frozen=True):
    """One value of one question on which rows (`expected`) and aggregates (`found`) disagree; None where unknown.

    `cell` names the member, the bucket of time, or both; None for the question as a whole.
    """

    question: str
    measure: str
    cell: str | None
    expected: float | None
    found: float | None


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many questions were asked, from which seed, how many values were compared, and which ones disagree.

    Of each measure of a question the first 5 mismatches are listed.
    """

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

    Equal seeds give equal questions. Counts, sums and longest waits must be equal, percentiles within the sketch's
    relative error. `calls` are the canonical rows; they are read a few times for every 16 questions, streaming.
    """
    chosen = random.Random(seed)  # noqa: S311  a sample, not a secret
    questions = [_everything(aggregates), *(_question(aggregates, chosen) for _ in range(queries - 1))][:queries]
    ledger = _Ledger()
    for first in range(0, queries, _AT_ONCE):
        batch = questions[first : first + _AT_ONCE]
        rows = plain_rows.asked(calls, batch)
        _compare_wholes(aggregates, batch, plain_rows.wholes(rows, len(batch)), ledger)
        for of in _MEASURED:
            _compare_percentiles(aggregates, batch, of, plain_rows.percentiles(rows, len(batch), of, _SHARES), ledger)
        for number, question in enumerate(batch):
            if question.by:
                _compare_cells(aggregates, question, plain_rows.cells(rows, number, question), ledger)
    return AuditReport(queries=queries, seed=seed, values=ledger.values, mismatches=tuple(ledger.mismatches))


class _Ledger:
    """What was compared so far."""

    def __init__(self) -> None:
        self.values = 0
        self.mismatches: list[Mismatch] = []

    def compare(
        self, question: Question, measure: str, expected: float | None, found: float | None, *, within: float = 0.0
    ) -> None:
        """Note one value; `within` is the relative error that is allowed."""
        self.values += 1
        expected, found = (None if value is None or np.isnan(value) else value for value in (expected, found))
        if expected is not None and found is not None:
            if abs(expected - found) <= abs(expected) * within + (_ROUNDING if within else 0.0):
                return
        elif expected is found:
            return
        self.mismatches.append(Mismatch(repr(question), measure, None, expected, found))

    def compare_cells(self, question: Question, measure: str, expected: _Cells, found: _Cells) -> None:
        """Note the cells of one measure: those of `found`, and those that only `expected` has."""
        self.values += len(found)
        wrong = [cell for cell in {**found, **expected} if expected.get(cell, 0) != found.get(cell)]
        self.mismatches += [
            Mismatch(repr(question), measure, _shown(cell), expected.get(cell, 0), found.get(cell))
            for cell in wrong[:_LISTED]
        ]


_Cells = dict[tuple[Any, ...], int]


def _everything(aggregates: Aggregates) -> Question:
    zone = aggregates.zones[0]
    return Question(zone, aggregates.data_window(zone))


def _question(aggregates: Aggregates, chosen: random.Random) -> Question:
    zone = chosen.choice(aggregates.zones)
    data = aggregates.data_window(zone)
    first = chosen.randrange(data.days + 1)
    start, days = data.start + timedelta(days=first), chosen.randrange(1, data.days - first + 2)
    limits: dict[str, tuple[str, ...]] = {}
    for dimension in chosen.sample(DIMENSIONS, chosen.choice((0, 0, 1, 2))):
        members = [member.key for member in aggregates.members(dimension)]
        kept = chosen.sample(members, min(len(members), chosen.randint(1, _MOST_MEMBERS)))
        limits[dimension] = tuple(sorted(kept))
    axis, grain = chosen.choice(_MEMBER_AXES), chosen.choice(_GRAINS)
    days = min(days, _HOURLY_DAYS) if grain == "hour" else days
    if grain is not None and axis is not None and _size(aggregates, axis) * days > _MOST_CELLS:
        grain = None
    by = tuple(name for name in (axis, grain) if name is not None)
    return Question(zone, Window(start, start + timedelta(days=days)), Filter(**limits), by)


def _size(aggregates: Aggregates, axis: str) -> int:
    if axis == RATING:
        return 6
    return len(aggregates.pairs) if axis == PAIR else len(aggregates.members(axis))


def _compare_wholes(
    aggregates: Aggregates, questions: list[Question], plain: list[plain_rows.Whole], ledger: _Ledger
) -> None:
    """Each question without its axes; the cells along them must add up to the same."""
    for question, whole in zip(questions, plain, strict=True):
        undivided = msgspec.structs.replace(question, by=())
        answers = [(undivided, aggregates.tally(undivided).tally)]
        if question.by:
            answers.append((question, aggregates.tally(question).tally.sum()))
        for asked, tally in answers:
            for name, expected in whole.measures.items():
                ledger.compare(asked, name, expected, int(tally[name]))
        found = float(aggregates.longest_wait(undivided))
        ledger.compare(undivided, "longest_wait", whole.longest_wait_seconds, found)


def _compare_percentiles(
    aggregates: Aggregates, questions: list[Question], of: Measured, plain: NDArray[np.float64], ledger: _Ledger
) -> None:
    for question, expected in zip(questions, plain.tolist(), strict=True):
        undivided = msgspec.structs.replace(question, by=())
        found: list[float] = quantiles(aggregates.histogram(undivided, of)[0], _SHARES).tolist()
        for share, wanted, got in zip(_SHARES, cast("list[float]", expected), found, strict=True):
            ledger.compare(undivided, f"{of}_p{share * 100:.0f}", wanted, got, within=RELATIVE_ERROR)


def _compare_cells(
    aggregates: Aggregates, question: Question, plain: dict[str, dict[tuple[Any, ...], int]], ledger: _Ledger
) -> None:
    answer = aggregates.tally(question)
    cells = _product(answer.keys)
    for name, expected in plain.items():
        found = dict(zip(cells, answer.tally[name].ravel().tolist(), strict=True))
        ledger.compare_cells(question, name, expected, found)


def _product(keys: tuple[tuple[Key | date | datetime, ...], ...]) -> list[tuple[Any, ...]]:
    cells: list[tuple[Any, ...]] = [()]
    for axis in keys:
        cells = [(*cell, key) for cell in cells for key in axis]
    return cells


def _shown(cell: tuple[Any, ...]) -> str:
    return ", ".join(str(key) for key in cell)
