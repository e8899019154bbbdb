"""Answers from the lattices: a few slices subtracted and added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from supportapi.measures.tally import Tally
from supportapi.rollups.plan import PAIR_COLUMNS, Plan, covers, matching_pairs
from supportapi.rollups.questions import PAIR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.rollups.lattice import HistogramLattice, Lattice
    from supportapi.rollups.pair_lattice import PairLattice


def tally(plan: Plan, lattice: Lattice | PairLattice) -> Tally:
    """The tally of each of the plan's cells, shape `plan.shape`."""
    selection = _selection(plan, lattice.dims, lattice.shape)
    found = lattice.between(selection, plan.edges)
    return Tally(
        _shaped(plan, lattice.dims, selection, found.counts, 1), _shaped(plan, lattice.dims, selection, found.sums, 1)
    )


def calls(plan: Plan, lattice: Lattice | PairLattice) -> NDArray[np.int64]:
    """The number of calls of each of the plan's cells, shape `plan.shape`."""
    selection = _selection(plan, lattice.dims, lattice.shape)
    return _shaped(plan, lattice.dims, selection, lattice.calls_between(selection, plan.edges), 0)


def longest_wait(plan: Plan, lattice: Lattice | PairLattice) -> NDArray[np.float64]:
    """The longest wait of each of the plan's cells in seconds, NaN without one; shape `plan.shape`."""
    selection = _selection(plan, lattice.dims, lattice.shape)
    found = lattice.longest_between(selection, plan.edges)
    return _shaped(plan, lattice.dims, selection, found, 0, maximum=True)


def histogram_lattice(plan: Plan, of: str) -> HistogramLattice | None:
    """The lattice whose checkpoints hold at least a part of the plan's days, if there is one."""
    for lattice in plan.zone.histograms[of]:
        if covers(lattice.dims, plan.needed):
            by_clock = plan.time is not None and plan.time.clock is not None
            if lattice.step == 1 and not by_clock:
                return lattice
            if plan.time is None and len(set(lattice.whole_steps(*plan.days))) > 1:
                return lattice
    return None


def histogram(plan: Plan, lattice: HistogramLattice, edges: NDArray[np.intp]) -> NDArray[np.int64]:
    """The histogram of each of the plan's cells between `edges` (checkpoints); shape `(*plan.shape, buckets)`."""
    selection = _selection(plan, lattice.dims, lattice.counts.shape)
    return _shaped(plan, lattice.dims, selection, lattice.between(selection, edges), 1)


def _selection(plan: Plan, dims: tuple[str, ...], slots: tuple[int, ...]) -> list[NDArray[np.intp]]:
    """For each dimension the slots to look at: those of the axis, those that are kept, or the slot `all`."""
    selection: list[NDArray[np.intp]] = []
    for at, dim in enumerate(dims):
        every = np.array([slots[at] - 1], dtype=np.intp)
        if dim == plan.axis and plan.groups is not None:
            selection.append(plan.groups)
        elif dim == PAIR:
            selection.append(matching_pairs(plan.pairs, plan.selected))
        else:
            selection.append(plan.selected.get(dim, every))
    return selection


def _shaped(
    plan: Plan,
    dims: tuple[str, ...],
    selection: list[NDArray[np.intp]],
    values: NDArray[Any],
    trailing: int,
    *,
    maximum: bool = False,
) -> NDArray[Any]:
    """`values`, shape `(*selected, buckets, ...)`, folded to the plan's axes; `trailing` axes follow the buckets."""
    kept = dims.index(plan.axis) if plan.axis in dims else None
    if plan.axis in PAIR_COLUMNS and dims == (PAIR,):
        values = _by_column(plan, selection[0], values, maximum=maximum)
        kept = 0
    folded = tuple(at for at in range(len(dims)) if at != kept)
    if folded:
        values = _most(values, folded) if maximum else values.sum(axis=folded)
    return values if plan.time is not None else values.squeeze(axis=values.ndim - 1 - trailing)


def _by_column(plan: Plan, rows: NDArray[np.intp], values: NDArray[Any], *, maximum: bool) -> NDArray[Any]:
    """The pairs' `values` added up by agent, or by region."""
    groups = plan.groups if plan.groups is not None else np.array([], dtype=np.intp)
    members: NDArray[Any] = plan.pairs[rows, PAIR_COLUMNS.index(str(plan.axis))]
    # Members that an axis lists without any pair (none of their calls are kept) stay empty.
    at: NDArray[Any] = np.searchsorted(groups, np.asarray(members))
    found = np.full((len(groups), *values.shape[1:]), np.nan if maximum else 0, dtype=values.dtype)
    if maximum:
        np.fmax.at(found, at, values)
    else:
        np.add.at(found, at, values)
    return found


def _most(values: NDArray[np.float64], axes: tuple[int, ...]) -> NDArray[np.float64]:
    """The largest known value along `axes`, NaN where none is known."""
    return np.fmax.reduce(values, axis=axes, initial=np.nan)
