"""Zones and row codes as named arrays with a plain header: what a version's folder holds."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from supportapi.calls.window import Window
from supportapi.rollups.codes import RowCodes
from supportapi.rollups.lattice import HistogramLattice, Lattice
from supportapi.rollups.pair_lattice import PairLattice
from supportapi.rollups.plan import Zone
from supportapi.rollups.postings import POSTED, Postings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from supportapi.rollups.questions import Measured


class ZoneHeader(msgspec.Struct, frozen=True):
    """Where a zone's days begin and end, and its lattices: dimensions, and of histograms step and first bucket."""

    name: str
    start: date
    end: date
    lattices: tuple[tuple[str, ...], ...]
    histograms: dict[str, tuple[tuple[tuple[str, ...], int, int], ...]]


def zone_header(name: str, zone: Zone) -> ZoneHeader:
    """The header of one zone."""
    return ZoneHeader(
        name=name,
        start=zone.data.start,
        end=zone.data.end,
        lattices=tuple(lattice.dims for lattice in zone.lattices),
        histograms={
            of: tuple((one.dims, one.step, one.first) for one in listed) for of, listed in zone.histograms.items()
        },
    )


def zone_arrays(zone: Zone) -> dict[str, NDArray[Any]]:
    """The arrays of one zone by name."""
    arrays: dict[str, NDArray[Any]] = {}
    for at, lattice in enumerate(zone.lattices):
        prefix = f"zone{zone.position}-lattice{at}"
        if isinstance(lattice, PairLattice):
            arrays[f"{prefix}-marks"], arrays[f"{prefix}-before"] = lattice.marks, lattice.before
        arrays[f"{prefix}-counts"], arrays[f"{prefix}-sums"] = lattice.counts, lattice.sums
        arrays[f"{prefix}-longest"] = lattice.longest
    for of, listed in zone.histograms.items():
        arrays |= {f"zone{zone.position}-{of}{at}": histogram.counts for at, histogram in enumerate(listed)}
    return arrays


def read_zone(position: int, header: ZoneHeader, arrays: Mapping[str, NDArray[Any]]) -> Zone:
    """The zone of `zone_header` and `zone_arrays`."""
    data = Window(header.start, header.end)
    lattices: list[Lattice | PairLattice] = []
    for at, dims in enumerate(header.lattices):
        prefix = f"zone{position}-lattice{at}"
        counts, sums, longest = (arrays[f"{prefix}-{part}"] for part in ("counts", "sums", "longest"))
        if dims == PairLattice.dims:
            marks, before = arrays[f"{prefix}-marks"], arrays[f"{prefix}-before"]
            lattices.append(PairLattice(marks, before, counts, sums, longest))
        else:
            lattices.append(Lattice(dims, counts, sums, longest))
    histograms = {
        of: tuple(
            HistogramLattice(dims, step, first, arrays[f"zone{position}-{of}{at}"])
            for at, (dims, step, first) in enumerate(listed)
        )
        for of, listed in header.histograms.items()
    }
    return Zone(position, data, tuple(lattices), histograms)


def codes_arrays(codes: RowCodes) -> dict[str, NDArray[Any]]:
    """The arrays of the row codes by name."""
    arrays = {"classes": codes.classes, **{f"rows-{name}": column for name, column in codes.columns.items()}}
    for each in codes.postings:
        name = _posted(each.dims)
        arrays |= {f"{name}-rows": each.rows, f"{name}-ends": each.ends}
        arrays |= {f"{name}-{of}": buckets for of, buckets in each.buckets.items()}
    return arrays


def read_codes(base_second: int, arrays: Mapping[str, NDArray[Any]]) -> RowCodes:
    """The row codes of `codes_arrays`."""
    columns = {name.removeprefix("rows-"): array for name, array in arrays.items() if name.startswith("rows-")}
    posted = [_read_postings(dims, arrays) for dims in POSTED if f"{_posted(dims)}-rows" in arrays]
    return RowCodes(columns, np.asarray(arrays["classes"]), base_second, posted)


def _read_postings(dims: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> Postings:
    name = _posted(dims)
    kept: tuple[Measured, ...] = ("wait", "duration")
    buckets: dict[Measured, NDArray[Any]] = {of: arrays[f"{name}-{of}"] for of in kept if f"{name}-{of}" in arrays}
    return Postings(dims, arrays[f"{name}-rows"], arrays[f"{name}-ends"], buckets)


def _posted(dims: tuple[str, ...]) -> str:
    return f"posted-{'-'.join(dims)}"
