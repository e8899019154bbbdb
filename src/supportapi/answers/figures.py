"""The metrics of one selection: each fetched from where it lives, all of one shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.measures.sketch import quantiles
from supportapi.measures.tally import Tally
from supportapi.rollups.catalogue import Metric
from supportapi.rollups.formulas import computed
from supportapi.rollups.questions import Measured, Source

if TYPE_CHECKING:
    from supportapi.rollups.catalogue import Unit
    from supportapi.rollups.selection import Selection


class Figures(msgspec.Struct, frozen=True):
    """Values of `metrics` by key, each of the answer's shape (NaN where unknown), with what they come from.

    `histograms` and `longest` are there as far as `metrics` need them.
    """

    tally: Tally
    keys: tuple[tuple[Any, ...], ...]
    values: Mapping[str, NDArray[np.float64]]
    source: Source
    metrics: tuple[Metric, ...]
    histograms: Mapping[Measured, NDArray[np.int64]]
    longest: NDArray[np.float64] | None

    def take(self, at: NDArray[np.intp]) -> Figures:
        """Only the groups at positions `at` of the first axis, in that order."""
        return Figures(
            self.tally.take(at),
            (tuple(self.keys[0][index] for index in at.tolist()), *self.keys[1:]),
            {key: found[at] for key, found in self.values.items()},
            self.source,
            self.metrics,
            {of: found[at] for of, found in self.histograms.items()},
            None if self.longest is None else self.longest[at],
        )

    def together(self, at: NDArray[np.intp]) -> Figures:
        """The groups at positions `at` of the first axis as one, without a key: ratios are made of what adds."""
        tally = self.tally.take(at).sum(axis=0)
        tally = tally.reshape((1, *tally.shape))
        histograms: dict[Measured, NDArray[np.int64]] = {
            of: found[at].sum(axis=0, keepdims=True) for of, found in self.histograms.items()
        }
        longest = None
        if self.longest is not None:
            longest = np.fmax.reduce(self.longest[at], axis=0, initial=np.nan, keepdims=True)
        values = _values(self.metrics, tally, histograms, longest)
        return Figures(tally, ((None,), *self.keys[1:]), values, self.source, self.metrics, histograms, longest)


def figures(selection: Selection, by: tuple[str, ...], metrics: Iterable[Metric]) -> Figures:
    """Every one of `metrics`, parted `by`; histograms and maxima are fetched once, and only when asked for."""
    wanted = tuple(metrics)
    answer = selection.tally(by)
    sources = {answer.source}
    histograms: dict[Measured, NDArray[np.int64]] = {}
    sketched: list[Measured] = [metric.of for metric in wanted if metric.of is not None]
    for of in dict.fromkeys(sketched):
        histograms[of], source = selection.histogram(of, by)
        sources.add(source)
    longest = selection.longest_wait(by) if any(metric.needs == "longest_wait" for metric in wanted) else None
    values = _values(wanted, answer.tally, histograms, longest)
    source = "scan" if "scan" in sources else "rollup"
    return Figures(answer.tally, answer.keys, values, source, wanted, histograms, longest)


def values_at(found: Figures, at: NDArray[np.intp], metrics: Iterable[Metric]) -> dict[str, NDArray[np.float64]]:
    """The values of `metrics` of the groups at positions `at` of the first axis.

    Those that a tally tells are computed for these groups alone; `found` has the others.
    """
    wanted = tuple(metrics)
    told = computed(tuple(metric for metric in wanted if metric.needs == "tally"), found.tally.take(at))
    return told | {metric.key: found.values[metric.key][at] for metric in wanted if metric.needs != "tally"}


def known(value: float, unit: Unit) -> float | None:
    """`value` as JSON shows it: null where it is unknown, whole where it counts."""
    if math.isnan(value):
        return None
    return int(value) if unit == "count" else float(value)


def known_all(values: NDArray[np.float64], unit: Unit) -> list[float | None]:
    """`known` of each of a one-dimensional array."""
    listed: list[float] = values.tolist()
    if unit == "count":
        return [None if value != value else int(value) for value in listed]  # noqa: PLR0124  NaN alone differs from itself
    return [None if value != value else value for value in listed]  # noqa: PLR0124  as above


def _values(
    metrics: tuple[Metric, ...],
    tally: Tally,
    histograms: Mapping[Measured, NDArray[np.int64]],
    longest: NDArray[np.float64] | None,
) -> dict[str, NDArray[np.float64]]:
    values = computed(tuple(metric for metric in metrics if metric.needs == "tally"), tally)
    for of, histogram in histograms.items():
        sketched = [metric for metric in metrics if metric.of == of]
        found = quantiles(histogram, [metric.quantile for metric in sketched if metric.quantile is not None])
        values |= {metric.key: found[..., index] for index, metric in enumerate(sketched)}
    if longest is not None:
        values |= {metric.key: longest for metric in metrics if metric.needs == "longest_wait"}
    return values
