"""The service level under its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportapi.answers.choice import one_chosen
from supportapi.answers.insight import Found, Insight, link
from supportapi.answers.significance import LEAST_CALLS
from supportapi.measures.wilson import wilson_interval

if TYPE_CHECKING:
    from supportapi.answers.pair import Pair
    from supportapi.answers.query import MetricsQuery


def below_target(pair: Pair, query: MetricsQuery) -> list[Found]:
    """The service level of the window, where even the upper end of its 95 % interval is under `query.target`."""
    metric = one_chosen("service_level", query.threshold, query.variant)
    tally = pair.now.tally().tally
    if not pair.available([metric]) or metric.numerator is None or metric.denominator is None:
        return []
    met, of = metric.numerator(tally), metric.denominator(tally)
    high = float(wilson_interval(met, of)[1]) * 100
    if of < LEAST_CALLS or high >= query.target:
        return []
    value = float(metric.compute(tally))
    statement = (
        f"{metric.label} {value:.1f} %, under the target of {query.target:g} %: {int(met):,} of {int(of):,} calls."
    )
    insight = Insight(
        kind="below_target",
        severity="warning",
        metric=metric.key,
        dimension=None,
        member=None,
        statement=statement,
        numbers={
            "value": value,
            "target": query.target,
            "interval_high": high,
            **{name: int(count(tally)) for name, count in metric.counts.items()},
        },
        link=link(query, pair.window, include=("kpis", "series"), metrics=(metric.key,)),
    )
    return [Found(insight, query.target - value)]
