"""Distributions: how many waits or durations are how long, from the sketch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta as Doc

from supportapi.answers.drill_down import CallsLink
from supportapi.answers.figures import known
from supportapi.measures.sketch import EDGES, quantiles
from supportapi.rollups.catalogue import COLUMN_ABSENT
from supportapi.rollups.questions import Measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.answers.drill_down import DrillDown
    from supportapi.answers.pair import Pair

ROUND_SECONDS: Final = (
    5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400, 7_200, 10_800,
    14_400, 21_600, 28_800, 43_200, 86_400, 172_800, 345_600, 604_800, 1_209_600, 2_592_000,
)  # fmt: skip
"""Where bins end, as people count: the same for every answer, so that two of them can be laid over each other."""

_PERCENTILES: Final = (50, 90, 95, 99)


def _sketch_ends() -> NDArray[np.intp]:
    """For each of `ROUND_SECONDS` the last bucket of the sketch that its bin holds: the one that ends nearest to it."""
    wanted = np.array(ROUND_SECONDS) * 1000
    above = np.searchsorted(EDGES, wanted)
    return np.where(wanted - EDGES[above - 1] < EDGES[above] - wanted, above - 1, above)


_ENDS: Final = _sketch_ends()


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """The calls whose value is more than `above` and at most `up_to` seconds."""

    above: Annotated[float | None, Doc(description="Null for the first bin, which has the zeros, too.")]
    up_to: Annotated[float | None, Doc(description="Null for the last bin, which has no end.")]
    round_above: Annotated[float, Doc(description="The round number that `above` stands for, for a label.")]
    round_up_to: Annotated[float | None, Doc(description="The round number that `up_to` stands for.")]
    calls: int
    share: Annotated[float, Doc(description="Percent of the calls with a known value.")]
    links: CallsLink


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds; null when no value is known."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class DistributionMethod(msgspec.Struct, frozen=True, kw_only=True):
    """What is exact and what is not."""

    counts: Annotated[Literal["exact"], Doc(description="The calls of a bin are exact for `above` and `up_to`.")] = (
        "exact"
    )
    edges: Annotated[
        Literal["nearest_sketch_edge"],
        Doc(
            description="Each bin ends where a bucket of the sketch ends: the one nearest to the round number, less "
            "than 1.1 % away."
        ),
    ] = "nearest_sketch_edge"


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """How long waits or durations are."""

    of: Measured
    available: bool
    reason: Annotated[str | None, Doc(description="Why it is not available.", examples=["column_absent"])]
    known: Annotated[int, Doc(description="Calls with a known value: those of all bins.")]
    unknown: Annotated[int, Doc(description="Calls without one.")]
    bins: Annotated[
        list[Bin], Doc(description="From the first to the last one that has calls; those between included.")
    ]
    percentiles: Percentiles
    method: DistributionMethod


def distribution(pair: Pair, of: Measured) -> Distribution:
    """The waits or durations of the window."""
    histogram, _ = pair.now.histogram(of)
    counts = [int(part.sum()) for part in np.split(histogram, np.minimum(_ENDS + 1, len(histogram)))]
    measured = sum(counts)
    found: list[float] = quantiles(histogram, [percent / 100 for percent in _PERCENTILES]).tolist()
    p50, p90, p95, p99 = (known(value, "seconds") for value in found)
    available = f"{of}_seconds" in pair.aggregates.columns_present
    return Distribution(
        of=of,
        available=available,
        reason=None if available else COLUMN_ABSENT,
        known=measured,
        unknown=int(pair.now.tally().tally["calls"]) - measured,
        bins=_bins(of, counts, measured, pair.drill_down()),
        percentiles=Percentiles(p50=p50, p90=p90, p95=p95, p99=p99),
        method=DistributionMethod(),
    )


def _bins(of: Measured, counts: list[int], measured: int, drill_down: DrillDown) -> list[Bin]:
    filled = np.flatnonzero(counts)
    ends: list[float | None] = [*(EDGES[_ENDS] / 1000).tolist(), None]
    rounded: list[float | None] = [*ROUND_SECONDS, None]
    return [
        Bin(
            above=ends[at - 1] if at else None,
            up_to=ends[at],
            round_above=rounded[at - 1] or 0 if at else 0,
            round_up_to=rounded[at],
            calls=counts[at],
            share=counts[at] / measured * 100,
            links=CallsLink(drill_down.link(_between(of, at))),
        )
        for at in (range(int(filled[0]), int(filled[-1]) + 1) if filled.size else ())
    ]


def _between(of: Measured, at: int) -> dict[str, str]:
    """What keeps the calls of the bin `at`: values are whole milliseconds, so above an edge is one more than it."""
    ends: list[int] = EDGES[_ENDS].tolist()
    lowest = ends[at - 1] + 1 if at else 0
    kept = {f"min_{of}": f"{lowest / 1000:.3f}"}
    return kept | {f"max_{of}": f"{ends[at] / 1000:.3f}"} if at < len(ends) else kept
