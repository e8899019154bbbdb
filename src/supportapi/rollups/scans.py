"""Answers from the row codes: every row of the window looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from supportapi.measures.tally import COUNTS, RATINGS, Tally
from supportapi.rollups.codes import Scan
from supportapi.rollups.questions import PAIR, RATING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from supportapi.rollups.axes import Clock
    from supportapi.rollups.codes import Grouping, RowCodes, Rows
    from supportapi.rollups.plan import Plan
    from supportapi.rollups.questions import Measured

_SECONDS_AN_HOUR = 3600


def tally(codes: RowCodes, plan: Plan, rows: Sequence[Rows]) -> Tally:
    """The tally of each of the plan's cells, shape `plan.shape`; `rows` are those of the plan's days and filter."""
    return codes.tally(_scan(codes, plan, rows)).reshape(plan.shape)


def calls(codes: RowCodes, plan: Plan, rows: Sequence[Rows]) -> NDArray[np.int64]:
    """The number of calls of each of the plan's cells, shape `plan.shape`."""
    return codes.calls(_scan(codes, plan, rows)).reshape(plan.shape)


def histograms(
    codes: RowCodes, plan: Plan, rows: Sequence[Rows], buckets: Mapping[Measured, int]
) -> dict[Measured, NDArray[np.int64]]:
    """The histogram of each of the plan's cells, shape `(*plan.shape, buckets)`, of everything that `buckets` names."""
    found = codes.histograms(_scan(codes, plan, rows), buckets)
    return {of: counts.reshape(*plan.shape, buckets[of]) for of, counts in found.items()}


def longest_wait(codes: RowCodes, plan: Plan, rows: Sequence[Rows]) -> NDArray[np.float64]:
    """The longest wait of each of the plan's cells in seconds, NaN without one; shape `plan.shape`."""
    return codes.longest_wait(_scan(codes, plan, rows)).reshape(plan.shape)


def _scan(codes: RowCodes, plan: Plan, rows: Sequence[Rows]) -> Scan:
    """`rows` parted into the plan's cells (members slowest)."""
    member_of, bucket_of = _members(codes, plan), _buckets(codes, plan)
    buckets = 1 if plan.time is None else len(plan.time.keys)

    def group_of(rows: Rows) -> NDArray[np.intp]:
        if member_of is not None and bucket_of is not None:
            return member_of(rows) * buckets + bucket_of(rows)
        one = member_of or bucket_of
        return np.zeros(len(codes.columns["class"][rows]), dtype=np.intp) if one is None else one(rows)

    return Scan(rows, int(np.prod(plan.shape, dtype=np.int64)), group_of)


def _members(codes: RowCodes, plan: Plan) -> Grouping | None:
    """What gives the position along the member axis of each row; None without one."""
    groups = plan.groups
    if plan.axis is None or groups is None:
        return None
    if plan.axis == RATING:
        first = COUNTS.index("rating_1")
        rated = codes.classes[:, first : first + len(RATINGS)]
        return _looked_up(codes.columns["class"], np.where(rated.any(axis=1), rated.argmax(axis=1), len(RATINGS)))
    if plan.axis == PAIR:
        return _pairs(codes, plan, groups)
    table = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.intp)
    table[groups] = np.arange(len(groups))
    return _looked_up(codes.columns[plan.axis], table)


def _looked_up(column: NDArray[Any], table: NDArray[np.intp]) -> Grouping:
    return lambda rows: table[column[rows]]


def _pairs(codes: RowCodes, plan: Plan, groups: NDArray[np.intp]) -> Grouping:
    agents, regions = codes.columns["agent_id"], codes.columns["region"]
    chosen = plan.pairs[groups].astype(np.intp)
    width = int(plan.pairs[:, 1].max(initial=0)) + 1
    table = np.zeros((int(plan.pairs[:, 0].max(initial=0)) + 1) * width, dtype=np.intp)
    table[chosen[:, 0] * width + chosen[:, 1]] = np.arange(len(groups))
    return lambda rows: table[agents[rows].astype(np.intp) * width + regions[rows]]


def _buckets(codes: RowCodes, plan: Plan) -> Grouping | None:
    """What gives the bucket of time of each row; None without an axis of time."""
    if plan.time is None:
        return None
    if plan.time.clock is not None:
        return _by_clock(codes, plan.time.clock)
    edges = plan.time.edges
    table = np.zeros(int(edges[-1]), dtype=np.intp)
    table[edges[0] :] = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    return _looked_up(codes.columns[f"day_{plan.zone.position}"], table)


def _by_clock(codes: RowCodes, clock: Clock) -> Grouping:
    seconds = codes.columns["second"]
    changes, ahead = clock.changes - codes.base_second, clock.ahead + codes.base_second

    def hour_of(rows: Rows) -> NDArray[np.intp]:
        second = seconds[rows].astype(np.int64)
        return (second + ahead[np.searchsorted(changes, second, side="right")]) // _SECONDS_AN_HOUR % clock.buckets

    return hour_of
