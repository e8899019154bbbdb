"""Every metric: name, formula, unit, columns, how it adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.measures.tally import RATINGS, REPEAT_COUNTS, REPEAT_DAYS, THRESHOLDS_SECONDS, Tally

if TYPE_CHECKING:
    from collections.abc import Collection

    from supportapi.calls.filter import ServiceLevelVariant

Unit = Literal["count", "percent", "seconds", "rating"]
Better = Literal["up", "down", "none"]
Additivity = Literal["sum", "ratio", "max", "sketch"]
Needs = Literal["tally", "histogram", "longest_wait"]
Measured = Literal["wait", "duration"]
Part = Callable[[Tally], NDArray[np.int64]]

DEFAULT_THRESHOLD_SECONDS: Final = 20
NO_AGENT_BEFORE_ANSWER: Final = "no_agent_before_answer"
COLUMN_ABSENT: Final = "column_absent"


class Metric(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one number means and how to get it.

    `needs` says what a caller fetches: for `tally` call `compute(tally)`; for `histogram` take the quantile
    `quantile` of the histogram of `of`; for `longest_wait` ask for that. `scale` is what numerator / denominator is
    multiplied by. `proportion` marks the ratios of one number of calls to another, which rank by their Wilson
    interval. Every part is a weighted sum of what a tally counts (see `formulas`). `counts` are always shown with the
    value. `agent_reason` says why the metric means nothing for one agent; None when it does.
    """

    key: str
    label: str
    unit: Unit
    better: Better
    formula: str
    adds: Additivity
    columns: tuple[str, ...] = ()
    null_policy: str = "0 when there are no calls"
    needs: Needs = "tally"
    numerator: Part | None = None
    denominator: Part | None = None
    scale: float = 1.0
    proportion: bool = False
    of: Measured | None = None
    quantile: float | None = None
    counts: Mapping[str, Part] = {}
    agent_reason: str | None = None

    def compute(self, tally: Tally) -> NDArray[np.float64]:
        """The metric of each group, shape `tally.shape`; NaN where it is unknown (nothing to divide by).

        Raises `ValueError` for a metric that does not come from a tally (see `needs`).
        """
        if self.numerator is None:
            raise ValueError(f"{self.key} needs a {self.needs}, not a tally")
        top = self.numerator(tally).astype(np.float64) * self.scale
        return top if self.denominator is None else _divided(top, self.denominator(tally))


def _divided(top: NDArray[np.float64], bottom: NDArray[np.int64]) -> NDArray[np.float64]:
    return top / np.where(bottom > 0, bottom, np.nan)


def _measure(name: str) -> Part:
    return lambda tally: tally[name]


def _offered(tally: Tally) -> NDArray[np.int64]:
    return tally["answered"] + tally["unanswered"]


def _offered_long(tally: Tally) -> NDArray[np.int64]:
    return _offered(tally) - tally["short_abandons"]


def _long_abandons(tally: Tally) -> NDArray[np.int64]:
    return tally["unanswered"] - tally["short_abandons"]


def _satisfied(tally: Tally) -> NDArray[np.int64]:
    return tally["rating_4"] + tally["rating_5"]


def _net_satisfied(tally: Tally) -> NDArray[np.int64]:
    return _satisfied(tally) - tally["rating_1"] - tally["rating_2"]


def _rating_points(tally: Tally) -> NDArray[np.int64]:
    points = [rating * tally[f"rating_{rating}"] for rating in RATINGS]
    return np.sum(points, axis=0)


_NO_COUNTS: Final[Mapping[str, Part]] = {}
_NULL_RATIO: Final = "null when there is nothing to divide by"
_UNSEEN: Final = NO_AGENT_BEFORE_ANSWER
_SECONDS: Final = 0.001
_PERCENT: Final = 100.0


def _count(
    key: str, label: str, better: Better, formula: str, columns: tuple[str, ...], agent_reason: str | None = None
) -> Metric:
    return Metric(
        key=key, label=label, unit="count", better=better, formula=formula, adds="sum", columns=columns,
        numerator=_measure(key), agent_reason=agent_reason,
    )  # fmt: skip


def _rate(
    key: str,
    label: str,
    better: Better,
    formula: str,
    columns: tuple[str, ...],
    over: tuple[Part, Part],
    agent_reason: str | None = None,
    *,
    counts: Mapping[str, Part] = _NO_COUNTS,
) -> Metric:
    return Metric(
        key=key, label=label, unit="percent", better=better, formula=formula, adds="ratio", columns=columns,
        null_policy=_NULL_RATIO, numerator=over[0], denominator=over[1], scale=_PERCENT, proportion=True,
        counts=counts, agent_reason=agent_reason,
    )  # fmt: skip


def _mean(
    key: str, label: str, formula: str, columns: tuple[str, ...], over: tuple[str, str], agent_reason: str | None = None
) -> Metric:
    return Metric(
        key=key, label=label, unit="seconds", better="down", formula=formula, adds="ratio", columns=columns,
        null_policy=_NULL_RATIO, numerator=_measure(over[0]), denominator=_measure(over[1]), scale=_SECONDS,
        agent_reason=agent_reason,
    )  # fmt: skip


def _percentile(of: Measured, percent: int) -> Metric:
    return Metric(
        key=f"{of}_p{percent}",
        label=f"{of.capitalize()} P{percent}",
        unit="seconds",
        better="down",
        formula=f"{percent}th percentile of known {of}s, from a sketch with a relative error of at most 1 %",
        adds="sketch",
        columns=(f"{of}_seconds",),
        null_policy="null when none is known",
        needs="histogram",
        of=of,
        quantile=percent / 100,
    )


VARIANTS: Final[dict[ServiceLevelVariant, str]] = {
    "standard": "calls answered or not, without those given up within 5 s",
    "answered_only": "answered calls",
    "abandon_after_threshold": "answered calls and those given up after the threshold",
    "all_offered": "calls answered or not",
}
"""What each variant of the service level divides by."""


@lru_cache(64)
def service_level(threshold_seconds: int, variant: ServiceLevelVariant = "standard") -> Metric:
    """Percent of calls answered within `threshold_seconds` (one of `THRESHOLDS_SECONDS`, else `ValueError`)."""
    if threshold_seconds not in THRESHOLDS_SECONDS:
        raise ValueError(f"no service level at {threshold_seconds} s; there are {THRESHOLDS_SECONDS}")
    counts = {name: _measure(name) for name in ("answered", "unanswered", "short_abandons")}
    if variant == "abandon_after_threshold":
        counts["unanswered_after_threshold"] = _measure(f"beyond_{threshold_seconds}")
    denominators: dict[ServiceLevelVariant, Part] = {
        "standard": _offered_long,
        "answered_only": _measure("answered"),
        "abandon_after_threshold": lambda tally: tally["answered"] + tally[f"beyond_{threshold_seconds}"],
        "all_offered": _offered,
    }
    return _rate(
        "service_level",
        f"Service level ({threshold_seconds} s)",
        "up",
        f"calls answered with a wait of at most {threshold_seconds} s / {VARIANTS[variant]}",
        ("answered", "wait_seconds"),
        (_measure(f"within_{threshold_seconds}"), denominators[variant]),
        agent_reason=_UNSEEN,
        counts={"answered_within": _measure(f"within_{threshold_seconds}"), **counts},
    )


_WAITED: Final = ("answered", "wait_seconds")

METRICS: tuple[Metric, ...] = (
    _count("calls", "Calls", "none", "number of calls", ()),
    _count("answered", "Answered", "up", "calls that were answered", ("answered",)),
    _count("unanswered", "Unanswered", "down", "calls that were not answered", ("answered",), agent_reason=_UNSEEN),
    _rate(
        "answer_rate", "Answer rate", "up", "answered / (answered + unanswered)", ("answered",),
        (_measure("answered"), _offered), agent_reason=_UNSEEN,
    ),
    _rate(
        "abandonment_rate", "Abandonment rate", "down", "unanswered / (answered + unanswered)", ("answered",),
        (_measure("unanswered"), _offered), agent_reason=_UNSEEN,
    ),
    _rate(
        "abandonment_rate_excl_short", "Abandonment rate without short ones", "down",
        "(unanswered - SA) / (answered + unanswered - SA), SA: unanswered after less than 5 s",
        _WAITED, (_long_abandons, _offered_long), agent_reason=_UNSEEN,
    ),
    service_level(DEFAULT_THRESHOLD_SECONDS, "standard"),
    _mean(
        "average_speed_of_answer", "Average speed of answer",
        "sum of waits / calls, of answered calls of known wait",
        _WAITED, ("wait_answered_ms", "wait_answered_known"),
    ),
    _mean(
        "average_wait_unanswered", "Average wait of unanswered calls",
        "sum of waits / calls, of unanswered calls with a known wait",
        _WAITED, ("wait_unanswered_ms", "wait_unanswered_known"), agent_reason=_UNSEEN,
    ),
    Metric(
        key="longest_wait", label="Longest wait", unit="seconds", better="down", formula="largest known wait",
        adds="max", columns=("wait_seconds",), null_policy="null when none is known", needs="longest_wait",
    ),
    *(_percentile("wait", percent) for percent in (50, 90, 95, 99)),
    _mean(
        "average_duration", "Average duration", "sum of durations / calls, of calls with a known duration",
        ("duration_seconds",), ("duration_ms", "duration_known"),
    ),
    *(_percentile("duration", percent) for percent in (50, 90, 95, 99)),
    Metric(
        key="total_talk_time", label="Total talk time", unit="seconds", better="none", formula="sum of known durations",
        adds="sum", columns=("duration_seconds",), numerator=_measure("duration_ms"), scale=_SECONDS,
    ),
    _count("resolved", "Resolved", "up", "calls that ended the issue", ("resolved",)),
    _rate(
        "resolution_rate", "Resolution rate", "up", "resolved / resolved or not, of calls not known to be unanswered",
        ("resolved",), (_measure("resolved_handled"), _measure("resolved_known_handled")),
    ),
    _rate(
        "resolved_share_of_calls", "Resolved share of calls", "up", "resolved / resolved or not, of all calls",
        ("resolved",), (_measure("resolved"), _measure("resolved_known")),
    ),
    _rate(
        "first_contact_resolution", "First contact resolution", "up",
        f"resolved calls without a later one of the same customer and issue type within {REPEAT_DAYS} days / resolved "
        f"calls of known customers whose {REPEAT_DAYS} days have passed",
        ("customer_id", "resolved"), (_measure("resolved_without_repeat"), _measure("resolved_matured")),
        counts={
            **{name: _measure(name) for name in REPEAT_COUNTS},
            "resolved_for_unknown": lambda of: of["resolved"] - of["resolved_young"] - of["resolved_matured"],
        },
    ),
    _rate(
        "csat", "CSAT", "up", "ratings of 4 or 5 / rated calls", ("rating",), (_satisfied, _measure("rated")),
        counts={f"rating_{rating}": _measure(f"rating_{rating}") for rating in RATINGS},
    ),
    Metric(
        key="average_rating", label="Average rating", unit="rating", better="up",
        formula="sum of ratings / rated calls",
        adds="ratio", columns=("rating",), null_policy=_NULL_RATIO, numerator=_rating_points,
        denominator=_measure("rated"),
    ),
    _count("rated", "Rated", "none", "calls that have a rating", ("rating",)),
    _rate(
        "response_rate", "Response rate", "up",
        "rated calls / calls not known to be unanswered; above 100 % where unanswered calls were rated too, "
        "which ranks like 100 %",
        ("rating",), (_measure("rated"), _measure("handled")),
    ),
    Metric(
        key="net_satisfaction", label="Net satisfaction", unit="percent", better="up",
        formula="percent of ratings of 4 or 5 less percent of ratings of 1 or 2", adds="ratio", columns=("rating",),
        null_policy=_NULL_RATIO, numerator=_net_satisfied, denominator=_measure("rated"), scale=_PERCENT,
    ),
)  # fmt: skip
"""Every metric of the service, in the order in which a screen lists them."""

_BY_KEY: Final = {metric.key: metric for metric in METRICS}


def metric_of(key: str) -> Metric:
    """The metric called `key`; raises `KeyError` when there is none."""
    return _BY_KEY[key]


def availability(metric: Metric, columns_present: Collection[str], *, by_agent: bool = False) -> str | None:
    """Why a dataset with values in `columns_present` cannot give `metric` (of one agent); None when it can."""
    if by_agent and metric.agent_reason is not None:
        return metric.agent_reason
    return None if all(column in columns_present for column in metric.columns) else COLUMN_ABSENT
