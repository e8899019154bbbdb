"""How a question will be answered: codes instead of names, day numbers instead of days, and by which cells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.calls.window import Window
from supportapi.rollups.axes import TimeAxis
from supportapi.rollups.lattice import HistogramLattice, Lattice
from supportapi.rollups.pair_lattice import PairLattice
from supportapi.rollups.questions import PAIR, Key, TimeKey

PAIR_COLUMNS: Final = ("agent_id", "region")
NO_DAYS: Final = Window(date(1970, 1, 1), date(1970, 1, 1))
"""The days with data of no calls at all."""


class Zone(msgspec.Struct, frozen=True):
    """One reporting time zone's day axis (`position` counts the version's zones) and the arrays along it.

    `histograms` has the lattices of `wait` and of `duration`, finest first.
    """

    position: int
    data: Window
    lattices: tuple[Lattice | PairLattice, ...]
    histograms: Mapping[str, tuple[HistogramLattice, ...]]


class Plan(msgspec.Struct, frozen=True):
    """A question in codes.

    `days` are numbers since the first day with data. `selected` has the member codes of each limited dimension.
    `groups` are the codes along `axis` (ratings, or rows of `pairs`, for those axes). `lattice` is None when no lattice
    knows every dimension in `needed`.
    """

    zone: Zone
    days: tuple[int, int]
    selected: Mapping[str, NDArray[np.intp]]
    axis: str | None
    groups: NDArray[np.intp] | None
    time: TimeAxis | None
    keys: tuple[tuple[Key | TimeKey, ...], ...]
    needed: frozenset[str]
    lattice: Lattice | PairLattice | None
    pairs: NDArray[Any]

    @property
    def edges(self) -> NDArray[np.intp]:
        """The day numbers between which each bucket lies; one bucket without an axis of time."""
        return np.array(self.days, dtype=np.intp) if self.time is None else self.time.edges

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the answer: members, then buckets."""
        return tuple(len(keys) for keys in self.keys)


def covers(dims: tuple[str, ...], needed: frozenset[str]) -> bool:
    """Whether cells over `dims` tell apart everything that is `needed`; pairs tell nothing of all of them together."""
    if dims == (PAIR,) and not needed:
        return False
    known = {name for dim in dims for name in (PAIR_COLUMNS if dim == PAIR else (dim,))}
    return needed <= known


def matching_pairs(pairs: NDArray[Any], selected: Mapping[str, NDArray[np.intp]]) -> NDArray[np.intp]:
    """The rows of `pairs` (agent code, region code) that the limits on agents and regions leave."""
    kept = np.ones(len(pairs), dtype=bool)
    for column, name in enumerate(PAIR_COLUMNS):
        if name in selected:
            kept &= np.isin(pairs[:, column], selected[name])
    return np.flatnonzero(kept)
