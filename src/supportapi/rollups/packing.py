"""Zones and row codes as named arrays with a plain header: what a version's folder holds."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from supportapi.calls.window import Window
from supportapi.rollups.call_rows import ORDERED, WORDS, CallRows, RowParts, Words
from supportapi.rollups.codes import RowCodes
from supportapi.rollups.lattice import HistogramLattice, Lattice
from supportapi.rollups.pair_lattice import PairLattice
from supportapi.rollups.plan import Zone
from supportapi.rollups.postings import POSTED, Postings
from supportapi.rollups.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from supportapi.rollups.questions import Measured


_PLAIN: Final = ("by_id", "id_rank", "microsecond", "beyond", "beyond_unit", "name_pairs")
_NONE: Final = np.array([], np.uint32)
_TEXTS: Final = ("data", "ends", "places", "prefix")


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
        arrays |= {f"{prefix}-{part}": getattr(lattice, part) for part in _parts(lattice.dims)}
    for of, listed in zone.histograms.items():
        arrays |= {f"zone{zone.position}-{of}{at}": histogram.counts for at, histogram in enumerate(listed)}
    return arrays


def read_zone(position: int, header: ZoneHeader, arrays: Mapping[str, NDArray[Any]]) -> Zone:
    """The zone of `zone_header` and `zone_arrays`."""
    data = Window(header.start, header.end)
    lattices: list[Lattice | PairLattice] = []
    for at, dims in enumerate(header.lattices):
        prefix = f"zone{position}-lattice{at}"
        parts = {part: arrays[f"{prefix}-{part}"] for part in _parts(dims)}
        lattices.append(PairLattice(**parts) if dims == PairLattice.dims else Lattice(dims, **parts))
    histograms = {
        of: tuple(
            HistogramLattice(dims, step, first, arrays[f"zone{position}-{of}{at}"])
            for at, (dims, step, first) in enumerate(listed)
        )
        for of, listed in header.histograms.items()
    }
    return Zone(position, data, tuple(lattices), histograms)


def _parts(dims: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a lattice's arrays."""
    if dims == PairLattice.dims:
        return PairLattice.__struct_fields__
    return tuple(part for part in Lattice.__struct_fields__ if part != "dims")


def codes_arrays(codes: RowCodes) -> dict[str, NDArray[Any]]:
    """The arrays of the row codes by name."""
    arrays = {"classes": codes.classes, **{f"rows-{name}": column for name, column in codes.columns.items()}}
    for each in codes.postings:
        name = _posted(each.dims)
        arrays |= {f"{name}-rows": each.rows, f"{name}-starts": each.starts, f"{name}-ends": each.ends}
        arrays |= {f"{name}-{of}": buckets for of, buckets in each.buckets.items()}
    return arrays


def read_codes(base_second: int, step_ms: int, arrays: Mapping[str, NDArray[Any]]) -> RowCodes:
    """The row codes of `codes_arrays`."""
    columns = {name.removeprefix("rows-"): array for name, array in arrays.items() if name.startswith("rows-")}
    posted = [_read_postings(dims, arrays) for dims in POSTED if f"{_posted(dims)}-rows" in arrays]
    return RowCodes(columns, np.asarray(arrays["classes"]), base_second, step_ms, posted)


def calls_arrays(calls: CallRows) -> dict[str, NDArray[Any]]:
    """The arrays of the call rows, beside those of the codes, by name."""
    parts = calls.parts
    arrays: dict[str, NDArray[Any]] = {f"calls-{name}": getattr(parts, name) for name in _PLAIN}
    arrays["calls-known"] = np.array([parts.known[column] for column in ORDERED], np.int64)
    posted = [id(each.rows) for each in calls.codes.postings]
    arrays |= {f"calls-by-{column}": rows for column, rows in parts.ordered.items() if id(rows) not in posted}
    arrays |= _texts_arrays("calls-ids", parts.ids, parts.lowered)
    for column, words in calls.words.items():
        arrays[f"calls-{column}"] = words.codes
        arrays |= _texts_arrays(f"calls-{column}", words.texts, words.lowered)
    return arrays


def read_calls(codes: RowCodes, members: Mapping[str, Sequence[str]], arrays: Mapping[str, NDArray[Any]]) -> CallRows:
    """The call rows of `calls_arrays`."""
    words = {
        name: Words(*_read_texts(f"calls-{name}", arrays), codes=np.asarray(arrays[f"calls-{name}"])) for name in WORDS
    }
    ids, lowered = _read_texts("calls-ids", arrays)
    # Where each agent has a name of their own, their postings, which go by name, are the order of names as well.
    by_agent = next((each.rows for each in codes.postings if each.dims == ("agent_id",)), _NONE)
    parts = RowParts(
        ids=ids,
        lowered=lowered,
        ordered={column: arrays.get(f"calls-by-{column}", by_agent) for column in ORDERED},
        known=dict(zip(ORDERED, arrays["calls-known"].tolist(), strict=True)),
        **{name: arrays[f"calls-{name}"] for name in _PLAIN},
    )
    return CallRows(codes, members, words, parts)


def _texts_arrays(name: str, plain: Texts, lowered: Texts) -> dict[str, NDArray[Any]]:
    kept = {"text": plain} if lowered is plain else {"text": plain, "lowered": lowered}
    return {f"{name}-{kind}-{part}": getattr(texts, part) for kind, texts in kept.items() for part in _TEXTS}


def _read_texts(name: str, arrays: Mapping[str, NDArray[Any]]) -> tuple[Texts, Texts]:
    plain, lowered = (
        Texts(*(arrays[f"{name}-{kind}-{part}"] for part in _TEXTS)) if f"{name}-{kind}-data" in arrays else None
        for kind in ("text", "lowered")
    )
    if plain is None:
        raise ValueError(f"the texts of '{name}' are missing")
    return plain, lowered or plain


def _read_postings(dims: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> Postings:
    name = _posted(dims)
    kept: tuple[Measured, ...] = ("wait", "duration")
    buckets: dict[Measured, NDArray[Any]] = {of: arrays[f"{name}-{of}"] for of in kept if f"{name}-{of}" in arrays}
    rows, starts, ends = (arrays[f"{name}-{part}"] for part in ("rows", "starts", "ends"))
    return Postings(dims, rows, starts, ends, buckets)


def _posted(dims: tuple[str, ...]) -> str:
    return f"posted-{'-'.join(dims)}"
