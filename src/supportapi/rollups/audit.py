"""The aggregates against the plain rows: what disagrees is never published."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import numpy as np

from supportapi.calls.filter import DIMENSIONS, Filter
from supportapi.calls.window import Window, step_starts
from supportapi.measures.sketch import RELATIVE_ERROR, quantiles
from supportapi.measures.tally import REPEAT_DAYS
from supportapi.rollups import plain_rows
from supportapi.rollups.audit_report import Asked, AuditReport, Compared
from supportapi.rollups.questions import HOUR_OF_WEEK, PAIR, RATING, STEP, Measured, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.questions import Key, TimeKey

_MEMBER_AXES: Final = (None, None, "region", "issue_type", "channel", "agent_id", PAIR, RATING)
_GRAINS: Final = (None, None, None, "day", "day", "week", "month", "hour", STEP, HOUR_OF_WEEK)
_MOST_MEMBERS: Final = 3
_HOURLY_DAYS: Final = 7
_MONTH_DAYS: Final = 31
_HOURS_OF_WEEK: Final = 7 * 24
_MOST_CELLS: Final = 20_000
"""So many cells of one answer are compared at the most; a question that would have more keeps its members only."""

_MOST_SKETCHED: Final = 2_000
"""So many cells have their percentiles compared at the most: a histogram each is held at once."""

_MOST_SORTED: Final = 1_000_000
"""Of so many calls at the most: exact percentiles of cells, and what follows each call, sort them in memory."""

_AT_ONCE: Final = 16
_LISTED: Final = 5
_MEASURED: Final[tuple[Measured, ...]] = ("wait", "duration")
_SHARES: Final = (0.5, 0.9, 0.95, 0.99)
_CELL_SHARES: Final = (0.5, 0.95)
_ROUNDING: Final = 1e-9

_Cells = dict[tuple[Any, ...], float | None]


def audit(
    aggregates: Aggregates, calls: pl.LazyFrame, queries: int = 12, seed: int = 0, changed: Window | None = None
) -> AuditReport:
    """Ask for everything, and `queries` - 1 random questions (windows, filters, axes, zones), in both ways.

    Equal seeds give equal questions. Counts, sums and longest waits must be equal, percentiles within the sketch's
    relative error, for each question as a whole and in every cell along its axes. `calls` are the canonical rows; they
    are read a few times for every 16 questions, streaming. Repeats are compared for windows with up to a million calls.

    Where only the days `changed` have other calls than a version that was audited, "everything" is the number of calls.
    The other questions are about these days (all of them, first) and, in turn, about a month that is chosen at random:
    other rows are not read.
    """
    chosen = random.Random(seed)  # noqa: S311  a sample, not a secret
    if changed is None:
        questions = [_everything(aggregates), *(_question(aggregates, chosen) for _ in range(queries - 1))]
        asked = _asked(aggregates, calls, questions[:queries])
    else:
        spans = (changed, _month(aggregates, chosen))
        questions = [Question(aggregates.zones[0], changed)]
        questions += [_question(aggregates, chosen, spans[number % 2]) for number in range(1, queries - 1)]
        near = calls.filter(plain_rows.started_around(spans))
        asked = [_counted(aggregates, calls), *_asked(aggregates, near, questions[: queries - 1])][:queries]
    values = sum(one.values for one in asked)
    return AuditReport(queries=queries, seed=seed, seconds=None, values=values, questions=tuple(asked))


def _counted(aggregates: Aggregates, calls: pl.LazyFrame) -> Asked:
    """How many calls there are: files know that without being read."""
    ledger = _Ledger(_everything(aggregates))
    ledger.compare_whole("calls", plain_rows.count(calls), int(aggregates.tally(ledger.question).tally["calls"]))
    return ledger.closed()


def _asked(aggregates: Aggregates, calls: pl.LazyFrame, questions: Sequence[Question]) -> list[Asked]:
    asked: list[Asked] = []
    for first in range(0, len(questions), _AT_ONCE):
        batch = [_Ledger(question) for question in questions[first : first + _AT_ONCE]]
        rows = plain_rows.asked(calls, [ledger.question for ledger in batch])
        wholes = plain_rows.wholes(rows, len(batch))
        for ledger, whole in zip(batch, wholes, strict=True):
            _compare_whole(aggregates, whole, ledger)
        for of in _MEASURED:
            _compare_percentiles(aggregates, of, plain_rows.percentiles(rows, len(batch), of, _SHARES), batch)
        for number, (ledger, whole) in enumerate(zip(batch, wholes, strict=True)):
            if ledger.question.by:
                shares = _CELL_SHARES if whole.measures["calls"] <= _MOST_SORTED else ()
                _compare_cells(aggregates, plain_rows.cells(rows, number, ledger.question, shares), shares, ledger)
            _compare_repeats(aggregates, calls, ledger)
        asked += [ledger.closed() for ledger in batch]
    return asked


class _Ledger:
    """What was compared of one question so far."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._calls = Compared(measure="calls", cell=None, expected=None, found=None)
        self._values = 0
        self._largest: Compared | None = None
        self._mismatches: list[Compared] = []

    def compare_whole(self, measure: str, expected: float | None, found: float | None, *, within: float = 0.0) -> None:
        """Note one value of the question as a whole; `within` is the relative error that is allowed."""
        if measure == "calls":
            self._calls = Compared(measure=measure, cell=None, expected=expected, found=found)
        self.compare(measure, {(): expected}, {(): found}, within=within)

    def compare(
        self, measure: str, expected: _Cells, found: _Cells, *, empty: float | None = None, within: float = 0.0
    ) -> None:
        """Note every cell of one measure; `empty` is what a cell without rows must be."""
        wrong = 0
        for cell in {**found, **expected}:
            self._values += 1
            wanted, got = _known(expected.get(cell, empty)), _known(found.get(cell))
            if wanted == got:
                continue
            pair = Compared(measure=measure, cell=_shown(cell), expected=wanted, found=got)
            if wanted is not None and got is not None and abs(wanted - got) <= abs(wanted) * within + _ROUNDING:
                if within and (self._largest is None or pair.deviation > self._largest.deviation):
                    self._largest = pair
                if within:
                    continue
            wrong += 1
            if wrong <= _LISTED:
                self._mismatches.append(pair)

    def closed(self) -> Asked:
        """The question, and all that was noted of it."""
        return Asked(
            timezone=self.question.zone,
            from_=self.question.window.start,
            to=self.question.window.end,
            filter=self.question.filter,
            by=self.question.by,
            calls=self._calls,
            values=self._values,
            largest_deviation=self._largest,
            mismatches=tuple(self._mismatches),
        )


def _everything(aggregates: Aggregates) -> Question:
    zone = aggregates.zones[0]
    return Question(zone, aggregates.data_window(zone))


def _days(aggregates: Aggregates, zone: str, span: Window | None) -> Window:
    """The days of `zone` with data, or those in `span` of them: a span of days of another zone may hold none."""
    data = aggregates.data_window(zone)
    found = data if span is None else data.intersect(span)
    return found if span is None or found.days else Window(span.start, span.start)


def _month(aggregates: Aggregates, chosen: random.Random) -> Window:
    data = aggregates.data_window(aggregates.zones[0])
    first = data.start + timedelta(days=chosen.randrange(max(data.days - _MONTH_DAYS, 0) + 1))
    return Window(first, first + timedelta(days=_MONTH_DAYS))


def _question(aggregates: Aggregates, chosen: random.Random, span: Window | None = None) -> Question:
    zone = chosen.choice(aggregates.zones)
    data = _days(aggregates, zone, span)
    first = chosen.randrange(data.days + 1)
    start, days = data.start + timedelta(days=first), chosen.randrange(1, data.days - first + 2)
    limits: dict[str, tuple[str, ...]] = {}
    for dimension in chosen.sample(DIMENSIONS, chosen.choice((0, 0, 1, 2))):
        members = [member.key for member in aggregates.members(dimension)]
        kept = chosen.sample(members, min(len(members), chosen.randint(1, _MOST_MEMBERS)))
        limits[dimension] = tuple(sorted(kept))
    axis, grain = chosen.choice(_MEMBER_AXES), chosen.choice(_GRAINS)
    days = min(days, _HOURLY_DAYS) if grain == "hour" else days
    buckets = _HOURS_OF_WEEK if grain == HOUR_OF_WEEK else days
    if grain is not None and axis is not None and _size(aggregates, axis) * buckets > _MOST_CELLS:
        grain = None
    by = tuple(name for name in (axis, grain) if name is not None)
    window = Window(start, start + timedelta(days=days))
    return Question(zone, _in_whole_steps(window) if grain == STEP else window, Filter(**limits), by)


def _in_whole_steps(window: Window) -> Window:
    """The end of `window` that its steps fill, so that they add up to the whole."""
    while (first := step_starts(window)[0]) != window.start:
        window = Window(first, window.end)
    return window


def _size(aggregates: Aggregates, axis: str) -> int:
    if axis == RATING:
        return 6
    return len(aggregates.pairs) if axis == PAIR else len(aggregates.members(axis))


def _compare_whole(aggregates: Aggregates, whole: plain_rows.Whole, ledger: _Ledger) -> None:
    """The question without its axes; the cells along them must add up to the same."""
    question = ledger.question
    undivided = msgspec.structs.replace(question, by=())
    tallies = [aggregates.tally(undivided).tally]
    if question.by:
        tallies.append(aggregates.tally(question).tally.sum())
    for tally in tallies:
        for name, expected in whole.measures.items():
            ledger.compare_whole(name, expected, int(tally[name]))
    ledger.compare_whole("longest_wait", whole.longest_wait_seconds, float(aggregates.longest_wait(undivided)))


def _compare_percentiles(
    aggregates: Aggregates, of: Measured, plain: NDArray[np.float64], ledgers: list[_Ledger]
) -> None:
    for ledger, expected in zip(ledgers, plain.tolist(), strict=True):
        undivided = msgspec.structs.replace(ledger.question, by=())
        found: list[float] = quantiles(aggregates.histogram(undivided, of)[0], _SHARES).tolist()
        for share, wanted, got in zip(_SHARES, cast("list[float]", expected), found, strict=True):
            ledger.compare_whole(plain_rows.percentile_name(of, share), wanted, got, within=RELATIVE_ERROR)


def _compare_cells(
    aggregates: Aggregates, plain: dict[str, _Cells], shares: tuple[float, ...], ledger: _Ledger
) -> None:
    question = ledger.question
    answer = aggregates.tally(question)
    cells = _product(answer.keys)
    for name in plain_rows.CELL_MEASURES:
        ledger.compare(name, plain[name], dict(zip(cells, answer.tally[name].ravel().tolist(), strict=True)), empty=0)
    longest: list[float] = aggregates.longest_wait(question).ravel().tolist()
    ledger.compare("longest_wait", plain["longest_wait"], dict(zip(cells, longest, strict=True)))
    for of in _MEASURED if shares and len(cells) <= _MOST_SKETCHED else ():
        found = quantiles(aggregates.histogram(question, of)[0], shares).reshape(len(cells), len(shares))
        for at, share in enumerate(shares):
            name, listed = plain_rows.percentile_name(of, share), cast("list[float]", found[:, at].tolist())
            ledger.compare(name, plain[name], dict(zip(cells, listed, strict=True)), within=RELATIVE_ERROR)


def _compare_repeats(aggregates: Aggregates, calls: pl.LazyFrame, ledger: _Ledger) -> None:
    """What calls after the window decide, too; the cells, and what they add up to."""
    question, newest = ledger.question, aggregates.max_started_at
    end = question.window.end + timedelta(days=REPEAT_DAYS + 1)
    around = Question(question.zone, Window(question.window.start - timedelta(days=1), end))
    if newest is None or aggregates.tally(around).tally["calls"] > _MOST_SORTED:
        return
    plain = plain_rows.repeats(calls, newest, question)
    answer = aggregates.tally(question)
    whole = aggregates.tally(msgspec.structs.replace(question, by=())).tally
    cells = _product(answer.keys)
    for name, expected in plain.items():
        ledger.compare_whole(name, sum(value or 0 for value in expected.values()), int(whole[name]))
        found: list[int] = answer.tally[name].ravel().tolist()
        ledger.compare(name, expected, dict(zip(cells, found, strict=True)), empty=0)


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else value


def _product(keys: tuple[tuple[Key | TimeKey, ...], ...]) -> list[tuple[Any, ...]]:
    cells: list[tuple[Any, ...]] = [()]
    for axis in keys:
        cells = [(*cell, key) for cell in cells for key in axis]
    return cells


def _shown(cell: tuple[Any, ...]) -> str | None:
    return ", ".join(str(key) for key in cell) or None
