"""How a value moved between two windows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta as Doc

if TYPE_CHECKING:
    from supportapi.calls.window import Window
    from supportapi.rollups.catalogue import Metric

Direction = Literal["up", "down", "flat"]
DeltaReason = Literal["no_baseline", "no_value", "zero_baseline", "partial_period", "percentage_points"]


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """This window minus the one before it."""

    absolute: Annotated[
        float | None, Doc(description="Difference in the metric's unit; for rates in percentage points.")
    ]
    percent: Annotated[float | None, Doc(description="Difference as a share of the value before; null for rates.")]
    direction: Direction | None
    good: Annotated[
        bool | None,
        Doc(description="Whether the move is for the better; null when flat, without a better side, or incomparable."),
    ]
    reason: Annotated[
        DeltaReason | None,
        Doc(
            description="Why `percent` is null: the earlier window has no data (`no_baseline`) or the value there is "
            "not known, the value now is not known (`no_value`), it was 0 (`zero_baseline`), the windows have "
            "unequally many days with data so that totals and maxima differ by that alone (`partial_period`), or rates "
            "differ by points (`percentage_points`)."
        ),
    ] = None


class Baseline(msgspec.Struct, frozen=True):
    """What is known of the two windows that are compared.

    `exists` is false when the earlier one has no data at all; `whole` is false when they do not span the same number
    of days with data, so that totals would compare unequal spans.
    """

    exists: bool
    whole: bool


NO_BASELINE: Final = Baseline(exists=False, whole=False)
"""When nothing is compared."""


def baseline(window: Window, compared: Window, data: Window) -> Baseline:
    """What data that spans `data` can say about `window` and the window that it is compared with."""
    days, days_before = window.intersect(data).days, compared.intersect(data).days
    return Baseline(exists=days_before > 0, whole=days == days_before)


def delta(metric: Metric, value: float | None, previous: float | None, base: Baseline) -> Delta:
    """The move of `metric` from `previous` to `value`; parts that cannot be known are null, with the reason."""
    if not base.exists or previous is None:
        return Delta(absolute=None, percent=None, direction=None, good=None, reason="no_baseline")
    if value is None:
        return Delta(absolute=None, percent=None, direction=None, good=None, reason="no_value")
    direction = _direction(value, previous)
    percent, reason = _percent(metric, value, previous, base)
    comparable = direction != "flat" and metric.better != "none" and reason != "partial_period"
    good = direction == metric.better if comparable else None
    return Delta(absolute=value - previous, percent=percent, direction=direction, good=good, reason=reason)


def _direction(value: float, previous: float) -> Direction:
    # Ratios of equal counts can differ in the last bit when they were reached by different sums.
    if math.isclose(value, previous, rel_tol=1e-12, abs_tol=1e-12):
        return "flat"
    return "up" if value > previous else "down"


def _percent(metric: Metric, value: float, previous: float, base: Baseline) -> tuple[float | None, DeltaReason | None]:
    if metric.unit == "percent":
        return None, "percentage_points"
    # More days hold more calls, and longer waits among them.
    if metric.adds in ("sum", "max") and not base.whole:
        return None, "partial_period"
    if previous == 0:
        return None, "zero_baseline"
    return (value - previous) / previous * 100, None
