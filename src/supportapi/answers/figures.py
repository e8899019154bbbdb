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
from supportapi.rollups.questions import Source

if TYPE_CHECKING:
    from supportapi.rollups.catalogue import Metric, Unit
    from supportapi.rollups.questions import Measured
    from supportapi.rollups.selection import Selection


class Figures(msgspec.Struct, frozen=True):
    """Values by metric key, each of the answer's shape (NaN where unknown), with the tally that most come from."""

    tally: Tally
    keys: tuple[tuple[Any, ...], ...]
    values: Mapping[str, NDArray[np.float64]]
    source: Source


def figures(selection: Selection, by: tuple[str, ...], metrics: Iterable[Metric]) -> Figures:
    """Every one of `metrics`, parted `by`; histograms and maxima are fetched once, and only when asked for."""
    wanted = tuple(metrics)
    answer = selection.tally(by)
    values = {metric.key: metric.compute(answer.tally) for metric in wanted if metric.needs == "tally"}
    sources = {answer.source}
    for of in ("wait", "duration"):
        sketched = [metric for metric in wanted if metric.of == of]
        if sketched:
            found, source = _percentiles(selection, by, of, sketched)
            values |= found
            sources.add(source)
    for metric in wanted:
        if metric.needs == "longest_wait":
            values[metric.key] = selection.longest_wait(by)
    return Figures(answer.tally, answer.keys, values, "scan" if "scan" in sources else "rollup")


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


def _percentiles(
    selection: Selection, by: tuple[str, ...], of: Measured, metrics: list[Metric]
) -> tuple[dict[str, NDArray[np.float64]], Source]:
    histogram, source = selection.histogram(of, by)
    found = quantiles(histogram, [metric.quantile for metric in metrics if metric.quantile is not None])
    return {metric.key: found[..., index] for index, metric in enumerate(metrics)}, source
