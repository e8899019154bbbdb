"""Insights: the few statements that a supervisor would want, each computed, tested against chance, and linked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.busy_hours import peak
from supportapi.answers.insight import SEVERITIES, Found, Insight
from supportapi.answers.movers import movers
from supportapi.answers.significance import LEAST_CALLS
from supportapi.answers.target import below_target
from supportapi.answers.usual import earlier_windows, unusual

if TYPE_CHECKING:
    from supportapi.answers.pair import Pair
    from supportapi.answers.query import MetricsQuery

_MOST: Final = 10
_MOST_OF_A_KIND: Final = 4


class Insights(msgspec.Struct, frozen=True, kw_only=True):
    """What stands out, the gravest first."""

    items: Annotated[list[Insight], Doc(description="At most 10, and of each kind at most 4.")]
    left_out: Annotated[int, Doc(description="How many more there would be.")]
    least_calls: Annotated[int, Doc(description="Numbers of fewer calls than this produce none.")]
    periods: Annotated[
        int,
        Doc(description="How many earlier windows of the same length say what is usual; below 8 nothing is unusual."),
    ]


def insights(pair: Pair, query: MetricsQuery) -> Insights:
    """What stands out in the window, under its filter."""
    windows = earlier_windows(pair.window, pair.data)
    kinds = [movers(pair, query), unusual(pair, query, windows), below_target(pair, query), peak(pair, query)]
    kept = [found for each in kinds for found in sorted(each, key=_gravity)[:_MOST_OF_A_KIND]]
    shown = sorted(kept, key=_gravity)[:_MOST]
    return Insights(
        items=[found.insight for found in shown],
        left_out=sum(map(len, kinds)) - len(shown),
        least_calls=LEAST_CALLS,
        periods=len(windows),
    )


def _gravity(found: Found) -> tuple[int, float]:
    return SEVERITIES.index(found.insight.severity), -found.size
