"""The rows as small integers in order of time: what the lattice cannot answer is a scan of the window's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.measures.tally import COUNTS, SUMS, Tally

if TYPE_CHECKING:
    from supportapi.rollups.postings import Postings
    from supportapi.rollups.questions import Measured

UNKNOWN_BUCKET: Final = 65_535
_CHUNK_ROWS: Final = 1_000_000
_MOST_CELLS: Final = 4_000_000
"""Above so many (group, class) cells one pass for each measure is cheaper than one pass for all."""

_FEW_RUNS: Final = 6
_DENSE: Final = 4

_AT: Final = {name: index for index, name in enumerate(COUNTS)}
_PARTS_OF_SUM: Final = {
    "wait_steps": {
        "wait_ms": None,
        "wait_answered_ms": "wait_answered_known",
        "wait_unanswered_ms": "wait_unanswered_known",
    },
    "duration_steps": {"duration_ms": None},
}
"""The sums of each column, each with the count whose calls it is limited to; what is not known is 0 in the column."""


Rows = slice | NDArray[Any]
"""Rows next to each other, or the positions of others: a part of at most `_CHUNK_ROWS`."""

Grouping = Callable[[Rows], NDArray[np.intp]]
"""The group of each of some rows."""


class Scan(msgspec.Struct, frozen=True):
    """Which rows to look at, how many groups they fall into, and into which one each."""

    rows: Sequence[Rows]
    groups: int
    group_of: Grouping

    def parts(self) -> Iterator[tuple[Rows, NDArray[np.intp]]]:
        """The rows part by part, with the group of each."""
        return ((rows, self.group_of(rows)) for rows in self.rows)


class _Kinds(msgspec.Struct, frozen=True):
    """The sums of one column by what decides to which of them a row adds, so that rows are added up once for all.

    `kind` is that of each class, `adds`, shape `(kinds, sums)`, says to which sums it adds, `at` where these stand.
    """

    at: list[int]
    kind: NDArray[np.intp]
    adds: NDArray[np.float64]

    @classmethod
    def of(cls, classes: NDArray[np.int8], parts: Mapping[str, str | None]) -> _Kinds:
        every = np.ones(len(classes), dtype=np.int8)
        wanted = [every if condition is None else classes[:, _AT[condition]] for condition in parts.values()]
        adds, kind = np.unique(np.stack(wanted, axis=1), axis=0, return_inverse=True)
        return cls([SUMS.index(name) for name in parts], kind.reshape(-1).astype(np.intp), adds.astype(np.float64))

    def summed(
        self, group: NDArray[np.intp], classes: NDArray[Any], amounts: NDArray[Any], groups: int
    ) -> NDArray[np.float64]:
        """The sums of each group, shape `(groups, sums)`."""
        kinds = len(self.adds)
        cell = group if kinds == 1 else group * kinds + self.kind[classes]
        return np.bincount(cell, amounts, minlength=groups * kinds).reshape(groups, kinds) @ self.adds


class RowCodes:
    """The columns of all rows, in order of `started_at`, then `call_id`.

    `columns` holds `region`, `issue_type`, `channel`, `agent_id` (member positions), `class` (see `classes`), `rating`
    (0 where there is none), `wait_steps`, `duration_steps` (steps of `step_ms`, 0 where unknown), `wait_bucket`,
    `duration_bucket` (`UNKNOWN_BUCKET` where unknown), `second` (since `base_second`) and `day_<zone number>` (since
    the zone's first day); and for each zone, by day, `first_<zone>`, the first row of that day or later, and
    `end_<zone>`, the row after the last one before that day.
    The two differ only where a clock once went back over midnight, so that a day came twice. `classes`, shape
    `(classes, len(COUNTS))`, says which counts a row of each class adds to: every combination of what decides them
    that occurs in the data. `postings` find the rows of few members.
    """

    __slots__ = ("_kinds", "base_second", "classes", "columns", "contributions", "postings", "rows", "step_ms")

    def __init__(
        self,
        columns: Mapping[str, NDArray[Any]],
        classes: NDArray[np.int8],
        base_second: int,
        step_ms: int,
        postings: Sequence[Postings],
    ) -> None:
        self.columns = columns
        self.classes = classes
        self.base_second = base_second
        self.step_ms = step_ms
        self.postings = postings
        self.rows = len(columns["class"])
        # Doubles: BLAS multiplies them many times faster than numpy does integers, and they are exact up to 2^53 calls.
        self.contributions = classes.astype(np.float64)
        self._kinds = {column: _Kinds.of(classes, parts) for column, parts in _PARTS_OF_SUM.items()}

    def span(self, zone: int, days: tuple[int, int]) -> tuple[int, int]:
        """The rows from the first one of `days` to the last, half-open."""
        first, end = self.columns[f"first_{zone}"], self.columns[f"end_{zone}"]
        return int(first[days[0]]), max(int(end[days[1]]), int(first[days[0]]))

    def tally(self, scan: Scan) -> Tally:
        """The tally of each group, shape `(groups,)`."""
        counts = np.zeros((scan.groups, len(COUNTS)), np.int64)
        sums = np.zeros((scan.groups, len(SUMS)), np.float64)
        for rows, group in scan.parts():
            classes = self.columns["class"][rows]
            self._add_counts(counts, group, classes)
            for column, kinds in self._kinds.items():
                # Exact: milliseconds of less than 2^53 in all are whole numbers in a double.
                sums[:, kinds.at] += kinds.summed(group, classes, self.columns[column][rows], scan.groups)
        return Tally(counts, (sums * self.step_ms).astype(np.int64))

    def calls(self, scan: Scan) -> NDArray[np.int64]:
        """The number of calls of each group, shape `(groups,)`: as in the tally, and sooner."""
        found = np.zeros(scan.groups, np.int64)
        for _, group in scan.parts():
            found += np.bincount(group, minlength=scan.groups)
        return found

    def histograms(self, scan: Scan, buckets: Mapping[Measured, int]) -> dict[Measured, NDArray[np.int64]]:
        """The histogram of each group, shape `(groups, buckets)`, of everything that `buckets` names."""
        # Unknown values have a bucket of their own here: cheaper than leaving their rows out.
        found = {of: np.zeros(scan.groups * (count + 1), np.int64) for of, count in buckets.items()}
        for rows, group in scan.parts():
            for of, count in buckets.items():
                bucket = np.minimum(self.columns[f"{of}_bucket"][rows], count)
                cell = bucket if scan.groups == 1 else group * (count + 1) + bucket
                found[of] += np.bincount(cell, minlength=len(found[of]))
        return {of: found[of].reshape(scan.groups, count + 1)[:, :count] for of, count in buckets.items()}

    def taken_us(self, rows: Rows) -> NDArray[np.int64]:
        """Wait and duration together, in microseconds."""
        wait, duration = (self.columns[f"{of}_steps"][rows].astype(np.int64) for of in ("wait", "duration"))
        return (wait + duration) * (1000 * self.step_ms)

    def posted_histograms(
        self,
        zone: int,
        edges: NDArray[np.intp],
        members: Mapping[str, NDArray[np.intp]],
        buckets: Mapping[Measured, int],
    ) -> dict[Measured, NDArray[np.int64]] | None:
        """The histograms between neighbouring day `edges` of `zone`, shape `(len(edges) - 1, buckets)`.

        Of the calls that have one of `members` in each dimension; None where no postings can tell.
        """
        first, end = self.columns[f"first_{zone}"][edges], self.columns[f"end_{zone}"][edges]
        if (first != end).any():
            return None
        made = (each.histograms(first.tolist(), members, buckets) for each in self.postings)
        return next((found for found in made if found is not None), None)

    def longest_wait(self, scan: Scan) -> NDArray[np.float64]:
        """The longest known wait of each group in seconds, NaN without one; shape `(groups,)`."""
        found = np.full(scan.groups, -1, np.int64)
        for rows, group in scan.parts():
            known = self.columns["wait_bucket"][rows] != UNKNOWN_BUCKET
            np.maximum.at(found, group[known], self.columns["wait_steps"][rows][known].astype(np.int64))
        return np.where(found >= 0, found * self.step_ms / 1000, np.nan)

    def _add_counts(self, counts: NDArray[np.int64], group: NDArray[np.intp], classes: NDArray[Any]) -> None:
        groups, width = len(counts), len(self.classes)
        if groups * width <= _MOST_CELLS:
            cells = np.bincount(group * width + classes, minlength=groups * width).reshape(groups, width)
            counts += (cells.astype(np.float64) @ self.contributions).astype(np.int64)
            return
        for index in range(len(COUNTS)):
            weights = self.contributions[:, index][classes]
            counts[:, index] += np.bincount(group, weights, minlength=groups).astype(np.int64)

    def kept(
        self,
        zone: int,
        days: tuple[int, int],
        members: Mapping[str, NDArray[np.intp]],
        listed: NDArray[np.intp] | None = None,
    ) -> Iterator[Rows]:
        """The rows of the half-open span `days` of `zone` (a position) that have one of `members` in each dimension.

        All of them, or those that are `listed` (upwards).
        """
        start, end = self.span(zone, days)
        posted, decided = self._posted(start, end, members) if listed is None else (_between(listed, start, end), ())
        undecided = {name: codes for name, codes in members.items() if name not in decided}
        bounds = (start, end) if posted is None else (0, len(posted))
        for first in range(*bounds, _CHUNK_ROWS):
            chunk = slice(first, min(first + _CHUNK_ROWS, bounds[1]))
            rows: Rows = chunk if posted is None else posted[chunk]
            kept = self.strays(zone, days, rows)
            for name, codes in undecided.items():
                passed = one_of(codes)(self.columns[name][rows])
                kept = passed if kept is None else kept & passed
            if kept is not None:
                rows = np.flatnonzero(kept) + first if isinstance(rows, slice) else rows[kept]
            yield rows

    def are_many(self, members: Mapping[str, NDArray[np.intp]]) -> bool:
        """Whether a large part of all rows has one of `members` in each dimension, as far as postings know."""
        found = [each.count(members) for each in self.postings]
        return all(rows is None or rows * _DENSE > self.rows for rows in found)

    def is_rarer(self, members: Mapping[str, NDArray[np.intp]], others: Mapping[str, NDArray[np.intp]]) -> bool:
        """Whether fewer rows have one of `members` in each dimension than one of `others`, as far as postings know."""
        for each in self.postings:
            rows, more = each.count(members), each.count(others)
            if rows is not None and more is not None:
                return rows < more
        return False

    def _posted(
        self, start: int, end: int, members: Mapping[str, NDArray[np.intp]]
    ) -> tuple[NDArray[np.intp] | None, tuple[str, ...]]:
        """Rows from `start` up to `end` that some postings have of `members`, and by which dimensions they chose."""
        # Reading in order of time is quicker than by combination, where much of it is read.
        for each in () if self.are_many(members) else self.postings:
            rows = each.between(start, end, members)
            if rows is not None:
                return rows, each.dims
        return None, ()

    def strays(self, zone: int, days: tuple[int, int], rows: Rows) -> NDArray[np.bool_] | None:
        """Which of `rows` lie in the days, or None when all of them do."""
        first, end = self.columns[f"first_{zone}"], self.columns[f"end_{zone}"]
        if all(first[day] == end[day] for day in days):
            return None
        day = self.columns[f"day_{zone}"][rows]
        return (day >= days[0]) & (day < days[1])


def _between(rows: NDArray[np.intp], start: int, end: int) -> NDArray[np.intp]:
    return rows[slice(*np.searchsorted(rows, (start, end)))]


def one_of(codes: NDArray[np.intp]) -> Callable[[NDArray[Any]], NDArray[np.bool_]]:
    """What tells whether each of a column is one of `codes`, which are sorted."""
    lows = codes[np.diff(codes, prepend=-2) > 1].tolist()
    highs = codes[np.diff(codes, append=np.iinfo(codes.dtype).max) > 1].tolist()
    if len(lows) > _FEW_RUNS:
        # What is larger than all of them is looked up as the last one, which is none of them.
        flags = np.zeros(int(codes[-1]) + 2, dtype=bool)
        flags[codes] = True
        return lambda column: np.take(flags, column, mode="clip")
    # Comparing small integers is so much faster than looking each of them up that a few rounds of it still win.
    runs = list(zip(lows, highs, strict=True)) or [(0, -1)]

    def found(column: NDArray[Any]) -> NDArray[np.bool_]:
        inside = within(column, *runs[0])
        for low, high in runs[1:]:
            inside |= within(column, low, high)
        return inside

    return found


def within(column: NDArray[Any], low: int, high: int) -> NDArray[np.bool_]:
    """Whether each of `column` lies between `low` and `high`, both included."""
    if low <= 0:
        return column <= high
    if low == high:
        return column == low
    if column.dtype.kind == "u" and high <= np.iinfo(column.dtype).max:
        # What is less than `low` becomes very large: one comparison for two.
        return column - column.dtype.type(low) <= high - low
    return (column >= low) & (column <= high)
