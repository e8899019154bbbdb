"""Everything that answers questions about one version: by cells where they know enough, else by a scan of codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from supportapi.calls.filter import DIMENSIONS, UNKNOWN, Filter
from supportapi.measures.tally import RATINGS
from supportapi.rollups import cells, scans
from supportapi.rollups.axes import time_axis, whole
from supportapi.rollups.packing import ZoneHeader, codes_arrays, read_codes, read_zone, zone_arrays, zone_header
from supportapi.rollups.plan import PAIR_COLUMNS, Plan, Zone, covers, matching_pairs
from supportapi.rollups.questions import PAIR, RATING, Answer, Key, Measured, Member, Question, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from supportapi.calls.window import Window
    from supportapi.rollups.codes import RowCodes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a version beside its arrays.

    `members` lists each dimension's members by code, the unknown one last; `unknown_occurs` says whether any call has
    it. `buckets` is the number of sketch buckets in use for `wait` and for `duration`.
    """

    rows: int
    first_us: int | None
    last_us: int | None
    columns_present: tuple[str, ...]
    members: dict[str, tuple[Member, ...]]
    unknown_occurs: dict[str, bool]
    buckets: dict[str, int]


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    facts: Facts
    base_second: int
    zones: tuple[ZoneHeader, ...]


class Aggregates:
    """One version's cells and row codes.

    `pairs`, shape `(pairs, 2)`, holds the agent and region codes of each combination that occurs, sorted.
    """

    def __init__(self, facts: Facts, zones: Mapping[str, Zone], pairs: NDArray[Any], codes: RowCodes) -> None:
        self.facts = facts
        self.zone_of = zones
        self.pairs = pairs
        self.codes = codes
        self.zones: tuple[str, ...] = tuple(zones)
        self.row_count = facts.rows
        self.columns_present = frozenset(facts.columns_present)
        self.min_started_at = _instant(facts.first_us)
        self.max_started_at = _instant(facts.last_us)
        self._sizes = {name: len(facts.members[name]) for name in DIMENSIONS}
        self._occurring = {
            name: np.arange(self._sizes[name] - (not facts.unknown_occurs[name]), dtype=np.intp) for name in DIMENSIONS
        }
        self._code_of = {name: {m.key: code for code, m in enumerate(self.members(name))} for name in DIMENSIONS}

    def data_window(self, zone: str) -> Window:
        """From the first day with data up to the day after the last, in `zone`; empty when there are no rows."""
        return self.zone_of[zone].data

    def members(self, dimension: str) -> tuple[Member, ...]:
        """The members of `region`, `issue_type`, `channel` or `agent_id`, sorted by value, unknown last."""
        return self.facts.members[dimension][: len(self._occurring[dimension])]

    def tally(self, question: Question) -> Answer:
        """What `question` asks for."""
        plan = self.plan(question)
        if plan.lattice is not None:
            return Answer(cells.tally(plan, plan.lattice), plan.keys, "rollup")
        return Answer(scans.tally(self.codes, plan, self._sizes), plan.keys, "scan")

    def histogram(self, question: Question, of: Measured) -> tuple[NDArray[np.int64], Source]:
        """The histogram of waits or durations, shape `(*axes, buckets)`, axes as in `tally(question)`."""
        plan = self.plan(question)
        buckets = self.facts.buckets[of]
        lattice = cells.histogram_lattice(plan, of)
        if lattice is None:
            return scans.histogram(self.codes, plan, self._sizes, of, buckets, plan.days), "scan"
        if lattice.step == 1:
            return cells.histogram(plan, lattice, plan.edges), "rollup"
        start, end = lattice.whole_steps(*plan.days)
        found = cells.histogram(plan, lattice, np.array([start, end]))
        source: Source = "rollup"
        # The days between the window's ends and the next checkpoints are counted from the rows.
        for days in ((plan.days[0], start), (end, plan.days[1])):
            if days[0] < days[1]:
                found += scans.histogram(self.codes, plan, self._sizes, of, buckets, days)
                source = "scan"
        return found, source

    def longest_wait(self, question: Question) -> NDArray[np.float64]:
        """The longest known wait in seconds, axes as in `tally(question)`; NaN where there is none."""
        plan = self.plan(question)
        if plan.lattice is not None:
            return cells.longest_wait(plan, plan.lattice)
        return scans.longest_wait(self.codes, plan, self._sizes)

    def estimated_rows(self, question: Question) -> int:
        """How many rows a scan would touch to answer `question`; 0 when cells answer it."""
        plan = self.plan(question)
        if plan.lattice is not None:
            return 0
        start, end = self.codes.span(plan.zone.position, plan.days)
        return end - start

    def plan(self, question: Question) -> Plan:
        """How `question` will be answered."""
        zone = self.zone_of[question.zone]
        axis, grain = question.member_axis, question.grain
        time = None if grain is None else time_axis(question.window, grain, question.zone, zone.data)
        start, end = whole(question.window, zone.data).tolist()
        selected = {name: self._selected(question.filter, name) for name in question.filter.limited}
        groups = self._groups(axis, selected)
        needed = frozenset({*selected, *(PAIR_COLUMNS if axis == PAIR else () if axis is None else (axis,))})
        usable = () if time is not None and time.seconds is not None else zone.lattices
        return Plan(
            zone=zone,
            days=(start, end),
            selected=selected,
            axis=axis,
            groups=groups,
            time=time,
            keys=(*self._member_keys(axis, groups), *(() if time is None else (time.keys,))),
            needed=needed,
            lattice=next((lattice for lattice in usable if covers(lattice.dims, needed)), None),
            pairs=self.pairs,
        )

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A header of plain values (MessagePack holds it) and the arrays by name."""
        header = _Header(
            facts=self.facts,
            base_second=self.codes.base_second,
            zones=tuple(zone_header(name, zone) for name, zone in self.zone_of.items()),
        )
        arrays = {"pairs": self.pairs, **codes_arrays(self.codes)}
        for zone in self.zone_of.values():
            arrays |= zone_arrays(zone)
        plain: dict[str, Any] = msgspec.to_builtins(header)
        return plain, arrays

    @classmethod
    def from_arrays(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Aggregates:
        """The aggregates of `to_arrays`; the arrays are only read, and never copied."""
        read = msgspec.convert(header, _Header)
        zones = {zone.name: read_zone(position, zone, arrays) for position, zone in enumerate(read.zones)}
        return cls(read.facts, zones, arrays["pairs"], read_codes(read.base_second, arrays))

    def _selected(self, limits: Filter, dimension: str) -> NDArray[np.intp]:
        """The codes of the members that `limits` keeps, in order; a key that names no member keeps nothing."""
        codes = self._code_of[dimension]
        return np.array(sorted(codes[key] for key in limits.members(dimension) if key in codes), dtype=np.intp)

    def _groups(self, axis: str | None, selected: Mapping[str, NDArray[np.intp]]) -> NDArray[np.intp] | None:
        if axis is None:
            return None
        if axis == RATING:
            return np.array([*RATINGS, 0], dtype=np.intp)
        if axis == PAIR:
            return matching_pairs(self.pairs, selected)
        return selected.get(axis, self._occurring[axis])

    def _member_keys(self, axis: str | None, groups: NDArray[np.intp] | None) -> tuple[tuple[Key, ...], ...]:
        if axis is None or groups is None:
            return ()
        members = self.facts.members
        if axis == RATING:
            return ((*(str(rating) for rating in RATINGS), UNKNOWN),)
        if axis == PAIR:
            agents, regions = members["agent_id"], members["region"]
            rows: list[list[int]] = self.pairs[groups].tolist()
            return (tuple((agents[agent].key, regions[region].key) for agent, region in rows),)
        codes: list[int] = groups.tolist()
        return (tuple(members[axis][code].key for code in codes),)


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
