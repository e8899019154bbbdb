"""A merged state and its rows become the arrays that answer questions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from supportapi.calls.filter import UNKNOWN, key_of
from supportapi.calls.window import Window
from supportapi.measures.tally import COUNTS, SUMS
from supportapi.rollups.aggregates import Aggregates, Facts, keys_of
from supportapi.rollups.encode import in_order_of_time, row_codes
from supportapi.rollups.encode_rows import call_rows
from supportapi.rollups.lattice import (
    HistogramLattice,
    Lattice,
    columns,
    fold_all,
    histogram_bytes,
    lattice_bytes,
    narrowed,
)
from supportapi.rollups.pair_lattice import PairLattice, pair_bytes
from supportapi.rollups.plan import NO_DAYS, Zone, covers
from supportapi.rollups.questions import PAIR, Member
from supportapi.rollups.repeats import completed
from supportapi.rollups.states import CELL_KEYS, DIMENSIONS, LONGEST_WAIT, PartialState

if TYPE_CHECKING:
    from collections.abc import Sequence

_BASE: Final = CELL_KEYS["base"]
_CANDIDATES: Final[tuple[tuple[str, ...], ...]] = (
    _BASE,
    (PAIR,),
    ("region", "issue_type"),
    ("region", "channel"),
    ("issue_type", "channel"),
    ("region",),
    ("issue_type",),
    ("channel",),
    (),
)
_CHECKPOINT_DAYS: Final = 28
_LARGE_CHECKPOINT_DAYS: Final = 7
_LARGE_ROWS: Final = 20_000_000
"""Above so many rows the days beside a checkpoint hold too many of them to be scanned in a request."""

_EPOCH: Final = date(1970, 1, 1)


def build(state: PartialState, calls: pl.LazyFrame, zones: Sequence[str], budget_bytes: int) -> Aggregates:
    """The aggregates of the canonical `calls` that `state` was made of, with dense arrays of at most `budget_bytes`.

    Dimensions that do not fit are answered from the row codes: slower, and never wrong.
    """
    days = {name: _days(state, name) for name in zones}
    ordered = in_order_of_time(calls)
    codes = row_codes(ordered, state.members, days, _by_name(state))
    state = completed(state, codes, days)
    pairs = _pairs(state, zones)
    budget = _Budget(budget_bytes)
    used = _Used(*columns(codes.classes), {of: _used_buckets(state, zones, of) for of in ("wait", "duration")})
    made = {name: _zone(state, position, name, days[name], pairs, used, budget) for position, name in enumerate(zones)}
    facts = Facts(
        rows=state.rows,
        first_us=state.first_us,
        last_us=state.last_us,
        columns_present=tuple(sorted(name for name, known in state.known.items() if known or not state.rows)),
        members={name: _members(state, name) for name in DIMENSIONS},
        unknown_occurs={name: state.known[name] < state.rows for name in DIMENSIONS},
        buckets={"wait": used.buckets["wait"].stop, "duration": used.buckets["duration"].stop},
        agent_names=_several_names(state),
    )
    return Aggregates(facts, made, pairs, codes, call_rows(ordered, codes, keys_of(facts)))


class _Used(msgspec.Struct, frozen=True):
    """The columns of counts that differ (see `columns`), and the buckets from the first to the last one with calls."""

    columns: list[int]
    column_of: NDArray[np.intp]
    buckets: dict[str, range]


class _Budget:
    """What is left to spend on dense arrays."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, size: int) -> bool:
        """Whether `size` bytes are left; then they are taken."""
        if size > self._left:
            return False
        self._left -= size
        return True


def _days(state: PartialState, zone: str) -> Window:
    """The days with data of `zone`, from the first to the last."""
    days = state.cells[f"{zone}/base"].get_column("day")
    first, last = days.min(), days.max()
    if not isinstance(first, date) or not isinstance(last, date):
        return NO_DAYS
    return Window(first, last + timedelta(days=1))


def _zone(
    state: PartialState,
    position: int,
    name: str,
    data: Window,
    pairs: NDArray[Any],
    used: _Used,
    budget: _Budget,
) -> Zone:
    sizes = _sizes(state)
    lattices = _lattices(state, name, pairs, data, used, budget)
    step = _LARGE_CHECKPOINT_DAYS if state.rows > _LARGE_ROWS else _CHECKPOINT_DAYS
    histograms: dict[str, tuple[HistogramLattice, ...]] = {"wait": (), "duration": ()}
    for dims, width in (((), 1), *(((dim,), 1) for dim in _BASE), (_BASE, step)):
        for of, listed in histograms.items():
            shape = tuple(sizes[dim] for dim in dims)
            if budget.spend(histogram_bytes(shape, data.days, width, len(used.buckets[of]))):
                histograms[of] = (
                    *listed,
                    _histogram(state, f"{name}/{of}", dims, shape, width, used.buckets[of], data),
                )
    return Zone(position, data, lattices, histograms)


def _lattices(
    state: PartialState, name: str, pairs: NDArray[Any], data: Window, used: _Used, budget: _Budget
) -> tuple[Lattice | PairLattice, ...]:
    """As many of the candidates as the budget leaves room for and no larger one makes needless."""
    sizes = _sizes(state)
    base, cells = (state.cells[f"{name}/{kind}"] for kind in ("base", "pairs"))
    lattices: list[Lattice | PairLattice] = []
    for dims in _CANDIDATES:
        if dims == (PAIR,):
            if budget.spend(pair_bytes(len(pairs), cells.height, data.days)):
                lattices.append(_pair_lattice(cells, pairs, data, used))
        elif not any(covers(have.dims, frozenset(dims)) for have in lattices):
            shape = tuple(sizes[dim] for dim in dims)
            if budget.spend(lattice_bytes(shape, data.days)):
                lattices.append(_lattice(base, dims, shape, data, used, _count_type(state.rows)))
    return tuple(lattices)


def _count_type(most: int) -> type[np.int32 | np.int64]:
    # A running total never exceeds the number of calls that it goes through.
    return np.int32 if most < 2**31 else np.int64


def _pair_lattice(cells: pl.DataFrame, pairs: NDArray[Any], data: Window, used: _Used) -> PairLattice:
    width = int(pairs[:, 1].max(initial=0)) + 1
    known = pairs[:, 0].astype(np.int64) * width + pairs[:, 1]
    wanted = cells.get_column("agent_id").to_numpy().astype(np.int64) * width + cells.get_column("region").to_numpy()
    longest = cells.get_column(LONGEST_WAIT).fill_null(-1).to_numpy() + 1
    measures = (_counts(cells, used), cells.select(SUMS).to_numpy(), longest)
    at = (np.searchsorted(known, wanted), _day_numbers(cells, data))
    return PairLattice.of_cells(data.days, len(pairs), at, measures, used.column_of)


def _lattice(
    cells: pl.DataFrame,
    dims: tuple[str, ...],
    sizes: tuple[int, ...],
    data: Window,
    used: _Used,
    count_type: type[np.int32 | np.int64],
) -> Lattice:
    at = _slots(cells, dims)
    day = _day_numbers(cells, data)
    slots = tuple(size + 1 for size in sizes)
    counts = np.zeros((*slots, data.days + 1, len(used.columns)), count_type)
    sums = np.zeros((*slots, data.days + 1, len(SUMS)), np.int64)
    longest = np.zeros((*slots, data.days), np.int64)
    np.add.at(counts, (*at, day + 1), _counts(cells, used).astype(counts.dtype))
    np.add.at(sums, (*at, day + 1), cells.select(SUMS).to_numpy())
    np.maximum.at(longest, (*at, day), cells.get_column(LONGEST_WAIT).fill_null(-1).to_numpy() + 1)
    for dense, maximum in ((counts, False), (sums, False), (longest, True)):
        fold_all(dense, len(sizes), maximum=maximum)
    np.cumsum(counts, axis=-2, out=counts)
    np.cumsum(sums, axis=-2, out=sums)
    return Lattice(dims, used.column_of, counts, sums, narrowed(longest))


def _histogram(
    state: PartialState,
    kind: str,
    dims: tuple[str, ...],
    sizes: tuple[int, ...],
    step: int,
    buckets: range,
    data: Window,
) -> HistogramLattice:
    cells = state.cells[kind]
    checkpoints = data.days // step + 1
    counts = np.zeros((*(size + 1 for size in sizes), checkpoints, len(buckets)), np.int32)
    after = _day_numbers(cells, data) // step + 1
    # The days after the last checkpoint are never part of a whole step.
    inside = after < checkpoints
    at = tuple(slot[inside] for slot in _slots(cells, dims))
    bucket, calls = cells.get_column("bucket").to_numpy()[inside], cells.get_column("n").to_numpy()[inside]
    np.add.at(counts, (*at, after[inside], bucket - buckets.start), calls.astype(np.int32))
    fold_all(counts, len(sizes))
    np.cumsum(counts, axis=-2, out=counts)
    return HistogramLattice(dims, step, buckets.start, counts)


def _sizes(state: PartialState) -> dict[str, int]:
    """How many members of each dimension have calls, the unknown one among them."""
    return {name: len(members) + (state.known[name] < state.rows) for name, members in state.members.items()}


def _counts(cells: pl.DataFrame, used: _Used) -> NDArray[np.int64]:
    return cells.select(COUNTS[at] for at in used.columns).to_numpy()


def _slots(cells: pl.DataFrame, dims: tuple[str, ...]) -> tuple[NDArray[np.intp], ...]:
    """The slot of each cell along each of `dims`."""
    return tuple(cells.get_column(dim).to_numpy().astype(np.intp) for dim in dims)


def _day_numbers(cells: pl.DataFrame, data: Window) -> NDArray[np.intp]:
    origin = (data.start - _EPOCH).days
    return cells.get_column("day").cast(pl.Int32).to_numpy().astype(np.intp) - origin


def _pairs(state: PartialState, zones: Sequence[str]) -> NDArray[np.uint32]:
    cells = state.cells[f"{zones[0]}/pairs"]
    return cells.select("agent_id", "region").unique().sort("agent_id", "region").to_numpy().astype(np.uint32)


def _used_buckets(state: PartialState, zones: Sequence[str], of: str) -> range:
    """The buckets from the first to the last one that is used."""
    buckets = state.cells[f"{zones[0]}/{of}"].get_column("bucket")
    first, last = buckets.min(), buckets.max()
    return range(first, last + 1) if isinstance(first, int) and isinstance(last, int) else range(1)


def _by_name(state: PartialState) -> NDArray[np.intp]:
    """The codes of all agents in the order of their newest names, the unknown one last."""
    names = dict(zip(state.agents["agent_id"].to_list(), state.agents["agent_name"].to_list(), strict=True))
    listed = [names.get(agent) for agent in state.members["agent_id"]]
    codes = sorted(range(len(listed)), key=lambda code: (listed[code] is None, listed[code] or ""))
    return np.array([*codes, len(listed)], np.intp)


def _several_names(state: PartialState) -> dict[str, tuple[str, ...]]:
    names = state.agents.group_by("agent_id", maintain_order=True).agg("agent_name")
    several = names.filter(pl.col("agent_name").list.len() > 1)
    return {key_of(agent): tuple(listed) for agent, listed in several.iter_rows()}


def _members(state: PartialState, name: str) -> tuple[Member, ...]:
    labels: dict[str, str] = {}
    if name == "agent_id":
        # Rows are sorted by when a name was last seen: the newest one stays.
        labels = dict(zip(state.agents["agent_id"].to_list(), state.agents["agent_name"].to_list(), strict=True))
    known = (Member(key_of(value), labels.get(value, value)) for value in state.members[name])
    return (*known, Member(UNKNOWN, "Unknown"))
