"""The calls of one window and one filter, to be asked any number of questions: what these share is made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from supportapi.calls.filter import UNKNOWN
from supportapi.measures.tally import RATINGS
from supportapi.rollups import cells, scans
from supportapi.rollups.axes import time_axis, whole
from supportapi.rollups.plan import PAIR_COLUMNS, Plan, covers, matching_pairs
from supportapi.rollups.questions import PAIR, RATING, STEP, Answer, member_axis_of, time_axis_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from supportapi.calls.window import Window
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.axes import TimeAxis
    from supportapi.rollups.codes import Rows
    from supportapi.rollups.lattice import Lattice
    from supportapi.rollups.pair_lattice import PairLattice
    from supportapi.rollups.questions import Key, Measured, Source, TimeAxisName


class Selection:
    """Answers about one choice of calls: by cells where they know enough, else by a scan of its rows.

    `selected` has the codes of the members that are left of each limited dimension. `by` names the axes of an answer,
    as in `Question`.
    """

    def __init__(
        self, aggregates: Aggregates, zone: str, window: Window, selected: Mapping[str, NDArray[np.intp]]
    ) -> None:
        self._aggregates = aggregates
        self._name, self._zone, self._window = zone, aggregates.zone_of[zone], window
        self._selected = selected
        self._sides: dict[str, tuple[Selection, Selection] | None] = {}
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._times: dict[TimeAxisName, TimeAxis] = {}
        self._tallies: dict[tuple[str, ...], Answer] = {}
        self._rows: dict[tuple[int, int], list[Rows]] = {}
        self._steps: dict[Measured, NDArray[np.int64]] = {}
        self._scanned = False

    @property
    def days(self) -> Window:
        """The days of the window that lie inside the data."""
        return self._window.intersect(self._aggregates.data_window(self._name))

    @property
    def columns_present(self) -> frozenset[str]:
        """The columns that have a value in some call of the dataset."""
        return self._aggregates.columns_present

    @property
    def scanned(self) -> bool:
        """Whether any answer so far was counted from rows."""
        return self._scanned

    def tally(self, by: tuple[str, ...] = ()) -> Answer:
        """The counts and sums."""
        if by not in self._tallies:
            self._tallies[by] = self._tallied(self._plan(by), by)
        return self._tallies[by]

    def calls(self, by: tuple[str, ...], among: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
        """The number of calls alone, as in `tally(by)`; of the members at the places `among` of its first axis."""
        plan = self._plan(by)
        lattice, groups = plan.lattice, plan.groups
        if lattice is None and among is not None and groups is not None and plan.axis == PAIR:
            return self._calls_of_pairs(by, groups[among])
        if lattice is None:
            sides = self._sides_of(plan, by)
            if sides is not None:
                return sides[0].calls(by, among) - sides[1].calls(by, among)
            found = scans.calls(self._aggregates.codes, plan, self._kept(plan.days))
            return found if among is None else found[among]
        if among is not None and groups is not None:
            plan = msgspec.structs.replace(plan, groups=groups[among])
        return cells.calls(plan, lattice)

    def histogram(self, of: Measured, by: tuple[str, ...] = ()) -> tuple[NDArray[np.int64], Source]:
        """The histogram of waits or durations, shape `(*axes, buckets)`, axes as in `tally(by)`."""
        plan = self._plan(by)
        if not by and of in self._steps:
            return self._from_steps(plan, of), "scan"
        lattice = cells.histogram_lattice(plan, of)
        if lattice is None:
            if by != (STEP,):
                return self._counted(plan, of, plan.days), "scan"
            if of not in self._steps:
                # Who draws one of them draws the other, and finding each row's step is the larger part of the work.
                self._steps |= self._count(plan, plan.days, self._aggregates.facts.buckets)
            return self._steps[of], "scan"
        if lattice.step == 1:
            return cells.histogram(plan, lattice, plan.edges), "rollup"
        start, end = lattice.whole_steps(*plan.days)
        found = cells.histogram(plan, lattice, np.array([start, end]))
        source: Source = "rollup"
        # The days between the window's ends and the next checkpoints are counted from the rows.
        for days in ((plan.days[0], start), (end, plan.days[1])):
            if days[0] < days[1]:
                found += self._counted(plan, of, days)
                source = "scan"
        return found, source

    def longest_wait(self, by: tuple[str, ...] = ()) -> NDArray[np.float64]:
        """The longest known wait in seconds, axes as in `tally(by)`; NaN where there is none."""
        plan = self._plan(by)
        if plan.lattice is not None:
            return cells.longest_wait(plan, plan.lattice)
        return scans.longest_wait(self._aggregates.codes, plan, self._kept(plan.days))

    def pairs(self) -> NDArray[np.intp]:
        """The places in the aggregates' `pairs` of those along an axis `agent_region`."""
        return matching_pairs(self._aggregates.pairs, self._selected)

    def estimated_rows(self, by: tuple[str, ...] = ()) -> int:
        """How many rows a scan would touch; 0 when cells answer."""
        plan = self._plan(by)
        if plan.lattice is not None:
            return 0
        start, end = self._aggregates.codes.span(plan.zone.position, plan.days)
        return end - start

    def _from_steps(self, plan: Plan, of: Measured) -> NDArray[np.int64]:
        """The histogram of the window from those of its steps, which are counted already, and the days before them."""
        rest = (plan.days[0], self._plan((STEP,)).days[0])
        found: NDArray[np.int64] = self._steps[of].sum(axis=0)
        return found + self._counted(plan, of, rest) if rest[0] < rest[1] else found

    def _tallied(self, plan: Plan, by: tuple[str, ...]) -> Answer:
        if plan.lattice is not None:
            return self._by_cells(plan, plan.lattice)
        sides = self._sides_of(plan, by)
        if sides is not None:
            return Answer(sides[0].tally(by).tally - sides[1].tally(by).tally, plan.keys, "scan")
        rows = self._kept(plan.days)
        return Answer(scans.tally(self._aggregates.codes, plan, rows), plan.keys, "scan")

    def _by_cells(self, plan: Plan, lattice: Lattice | PairLattice) -> Answer:
        """What the cells count; of a view, with the calls that it judges otherwise than they do."""
        found, view = cells.tally(plan, lattice), self._aggregates.view
        if view is None or not len(view.rejudged):
            return Answer(found, plan.keys, "rollup")
        codes = self._aggregates.codes
        rows = list(codes.kept(self._zone.position, plan.days, self._selected, view.rejudged))
        moved = scans.tally(codes, plan, rows) - scans.tally(view.judged_by_all, plan, rows)
        if not moved.counts.any():
            return Answer(found, plan.keys, "rollup")
        self._scanned = True
        return Answer(found + moved, plan.keys, "scan")

    def _calls_of_pairs(self, by: tuple[str, ...], pairs: NDArray[np.intp]) -> NDArray[np.int64]:
        """The number of calls of some pairs, from the rows of their agents alone."""
        agents = np.unique(self._aggregates.pairs[pairs, 0]).astype(np.intp)
        theirs = self._alike({**self._selected, "agent_id": agents})
        self._scanned = True
        return theirs.calls(by)[np.searchsorted(theirs.pairs(), pairs)]

    def _sides_of(self, plan: Plan, by: tuple[str, ...]) -> tuple[Selection, Selection] | None:
        """The calls under all limits but one, and those of them that it leaves out: ours are the difference.

        Where cells know the former, and the latter are fewer rows to look at than ours.
        """
        for name in self._selected:
            if plan.axis == name or (plan.axis == PAIR and name in PAIR_COLUMNS):
                continue
            if name not in self._sides:
                self._sides[name] = self._parted_by(name)
            sides = self._sides[name]
            if sides is not None and sides[0].estimated_rows(by) == 0:
                self._scanned = True
                return sides
        return None

    def _parted_by(self, name: str) -> tuple[Selection, Selection] | None:
        """The calls without the limit on `name`, and those that it leaves out; None where that is not quicker."""
        rows, codes = self._aggregates.codes, self._selected[name]
        if not rows.are_many(self._selected):
            return None  # they are found sooner than another answer could be subtracted
        # Of all members, those that a view does not show included: it is them that cells must be rid of.
        rest = np.setdiff1d(self._aggregates.stored[name], codes)
        if not rows.is_rarer({name: rest}, {name: codes}):
            return None
        others = {other: kept for other, kept in self._selected.items() if other != name}
        return self._alike(others), self._alike({**others, name: rest})

    def _alike(self, selected: Mapping[str, NDArray[np.intp]]) -> Selection:
        return Selection(self._aggregates, self._name, self._window, selected)

    def _counted(self, plan: Plan, of: Measured, days: tuple[int, int]) -> NDArray[np.int64]:
        return self._count(plan, days, {of: self._aggregates.facts.buckets[of]})[of]

    def _count(
        self, plan: Plan, days: tuple[int, int], buckets: Mapping[Measured, int]
    ) -> dict[Measured, NDArray[np.int64]]:
        codes, time = self._aggregates.codes, plan.time
        self._scanned = True
        if plan.axis is None and (time is None or time.clock is None):
            edges = np.array(days, dtype=np.intp) if time is None else time.edges
            posted = codes.posted_histograms(plan.zone.position, edges, self._selected, buckets)
            if posted is not None:
                return posted if time is not None else {of: found[0] for of, found in posted.items()}
        return scans.histograms(codes, plan, self._kept(days), buckets)

    def _kept(self, days: tuple[int, int]) -> list[Rows]:
        """The rows of `days` that the filter leaves."""
        self._scanned = True
        if days not in self._rows:
            self._rows[days] = list(self._aggregates.codes.kept(self._zone.position, days, self._selected))
        return self._rows[days]

    def _plan(self, by: tuple[str, ...]) -> Plan:
        """How a question parted `by` will be answered."""
        if by not in self._plans:
            self._plans[by] = self._planned(member_axis_of(by), by)
        return self._plans[by]

    def _planned(self, axis: str | None, by: tuple[str, ...]) -> Plan:
        zone, along = self._zone, time_axis_of(by)
        time = None if along is None else self._time(along)
        start, end = (whole(self._window, zone.data) if time is None else time.edges[[0, -1]]).tolist()
        groups = self._groups(axis)
        needed = frozenset({*self._selected, *(PAIR_COLUMNS if axis == PAIR else () if axis is None else (axis,))})
        usable = () if time is not None and time.clock is not None else zone.lattices
        return Plan(
            zone=zone,
            days=(start, end),
            selected=self._selected,
            axis=axis,
            groups=groups,
            time=time,
            keys=(*self._member_keys(axis, groups), *(() if time is None else (time.keys,))),
            needed=needed,
            lattice=next((lattice for lattice in usable if covers(lattice.dims, needed)), None),
            pairs=self._aggregates.pairs,
        )

    def _time(self, along: TimeAxisName) -> TimeAxis:
        if along not in self._times:
            self._times[along] = time_axis(self._window, along, self._name, self._zone.data)
        return self._times[along]

    def _groups(self, axis: str | None) -> NDArray[np.intp] | None:
        if axis is None:
            return None
        if axis == RATING:
            return np.array([*RATINGS, 0], dtype=np.intp)
        if axis == PAIR:
            return self.pairs()
        return self._selected.get(axis, self._aggregates.occurring[axis])

    def _member_keys(self, axis: str | None, groups: NDArray[np.intp] | None) -> tuple[tuple[Key, ...], ...]:
        if axis is None or groups is None:
            return ()
        members = self._aggregates.facts.members
        if axis == RATING:
            return ((*(str(rating) for rating in RATINGS), UNKNOWN),)
        codes: list[int] = groups.tolist()
        if axis == PAIR:
            return (tuple(map(self._aggregates.pair_keys.__getitem__, codes)),)
        return (tuple(members[axis][code].key for code in codes),)
