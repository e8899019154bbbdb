"""Answers from the row codes: every row of the window looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from supportapi.measures.tally import COUNTS, RATINGS, SUMS, Tally
from supportapi.rollups.codes import Grouping, RowCodes, Scan
from supportapi.rollups.questions import PAIR, RATING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from supportapi.rollups.plan import Plan

_SECONDS_AN_HOUR = 3600


def tally(codes: RowCodes, plan: Plan, sizes: Mapping[str, int]) -> Tally:
    """The tally of each of the plan's cells, shape `plan.shape`; `sizes` is the number of codes of each dimension."""
    found = codes.tally(scan(codes, plan, sizes, plan.days))
    return Tally(found.counts.reshape(*plan.shape, len(COUNTS)), found.sums.reshape(*plan.shape, len(SUMS)))


def histogram(
    codes: RowCodes, plan: Plan, sizes: Mapping[str, int], of: str, buckets: int, days: tuple[int, int]
) -> NDArray[np.int64]:
    """The histogram of each of the plan's cells over `days`, shape `(*plan.shape, buckets)`."""
    return codes.histogram(scan(codes, plan, sizes, days), of, buckets).reshape(*plan.shape, buckets)


def longest_wait(codes: RowCodes, plan: Plan, sizes: Mapping[str, int]) -> NDArray[np.float64]:
    """The longest wait of each of the plan's cells in seconds, NaN without one; shape `plan.shape`."""
    return codes.longest_wait(scan(codes, plan, sizes, plan.days)).reshape(plan.shape)


def scan(codes: RowCodes, plan: Plan, sizes: Mapping[str, int], days: tuple[int, int]) -> Scan:
    """The rows of `days` that the plan keeps, parted into its cells (members slowest)."""
    keep = {name: _flags(chosen, sizes[name]) for name, chosen in plan.selected.items()}
    member_of = _members(codes, plan, sizes)
    bucket_of = _buckets(codes, plan)
    buckets = 1 if plan.time is None else len(plan.time.keys)

    def group_of(columns: Mapping[str, NDArray[Any]], rows: Any) -> NDArray[Any]:
        group = member_of(columns, rows)
        if bucket_of is None:
            return group
        bucket = bucket_of(columns, rows)
        return np.where((group < 0) | (bucket < 0), -1, group * buckets + bucket)

    return Scan(plan.zone.position, days, keep, int(np.prod(plan.shape, dtype=np.int64)), group_of)


def _flags(chosen: NDArray[np.intp], size: int) -> NDArray[np.bool_]:
    flags = np.zeros(size, dtype=bool)
    flags[chosen] = True
    return flags


def _members(codes: RowCodes, plan: Plan, sizes: Mapping[str, int]) -> Grouping:
    """What gives the position along the member axis of each row, -1 where it has none."""
    groups = plan.groups
    if plan.axis is None or groups is None:
        return lambda columns, rows: np.zeros(len(columns["class"][rows]), dtype=np.int64)
    if plan.axis == RATING:
        first = COUNTS.index("rating_1")
        rated = codes.classes[:, first : first + len(RATINGS)]
        return _looked_up("class", np.where(rated.any(axis=1), rated.argmax(axis=1), len(RATINGS)))
    if plan.axis == PAIR:
        return _pairs(plan, groups, sizes)
    table = np.full(sizes[plan.axis], -1, dtype=np.int64)
    table[groups] = np.arange(len(groups))
    return _looked_up(plan.axis, table)


def _looked_up(name: str, table: NDArray[Any]) -> Grouping:
    return lambda columns, rows: table[columns[name][rows]]


def _pairs(plan: Plan, groups: NDArray[np.intp], sizes: Mapping[str, int]) -> Grouping:
    regions = sizes["region"]
    table = np.full(sizes["agent_id"] * regions, -1, dtype=np.int64)
    chosen = plan.pairs[groups].astype(np.int64)
    table[chosen[:, 0] * regions + chosen[:, 1]] = np.arange(len(groups))

    def pair_of(columns: Mapping[str, NDArray[Any]], rows: Any) -> NDArray[Any]:
        return table[columns["agent_id"][rows].astype(np.int64) * regions + columns["region"][rows]]

    return pair_of


def _buckets(codes: RowCodes, plan: Plan) -> Grouping | None:
    """What gives the bucket of time of each row, -1 where it lies outside; None without an axis of time."""
    if plan.time is None:
        return None
    if plan.time.seconds is not None:
        return _hours(codes, plan.time.seconds)
    edges = plan.time.edges
    table = np.full(max(plan.zone.data.days, 1), -1, dtype=np.int64)
    table[edges[0] : edges[-1]] = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    return _looked_up(f"day_{plan.zone.position}", table)


def _hours(codes: RowCodes, starts: NDArray[np.int64]) -> Grouping:
    count = len(starts)
    first = int(starts[0]) - codes.base_second if count else 0

    def hour_of(columns: Mapping[str, NDArray[Any]], rows: Any) -> NDArray[Any]:
        hour = (columns["second"][rows].astype(np.int64) - first) // _SECONDS_AN_HOUR
        return np.where((hour < 0) | (hour >= count), -1, hour)

    return hour_of
