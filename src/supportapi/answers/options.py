"""Filter options: what a client can choose from, with the number of calls behind each choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.breakdown import rating_breakdown
from supportapi.answers.delta import Baseline
from supportapi.answers.meta import Days, Meta, Truth, meta
from supportapi.answers.query import OptionsQuery, zone_of
from supportapi.rollups.questions import Question

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates


class FilterOption(msgspec.Struct, frozen=True, kw_only=True):
    """One choice of a filter."""

    value: Annotated[str, Doc(description="What the filter takes; `null` for calls without a known value.")]
    label: str
    calls: Annotated[int, Doc(description="Calls of the whole dataset behind this choice.")]


class FilterOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Every choice of every filter."""

    regions: list[FilterOption]
    issue_types: list[FilterOption]
    channels: list[FilterOption]
    ratings: list[FilterOption]
    agents: list[FilterOption]
    dates: Annotated[Days | None, Doc(description="The days that have data; null when there are no calls.")]
    timezones: tuple[str, ...]


class OptionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /api/filters/options`."""

    data: FilterOptions
    meta: Meta


def options_answer(aggregates: Aggregates, query: OptionsQuery, truth: Truth) -> OptionsAnswer:
    """The choices in the whole dataset; members by label, ratings from 5 down, what is not known last."""
    zone = zone_of(query.timezone, aggregates.zones)
    window = aggregates.data_window(zone)
    block = meta(truth, "rollup", zone, window, window)
    everything = aggregates.tally(Question(zone, window))
    rated = rating_breakdown(everything.tally, None, Baseline(exists=False, whole=False))
    return OptionsAnswer(
        data=FilterOptions(
            regions=_options(aggregates, "region", zone),
            issue_types=_options(aggregates, "issue_type", zone),
            channels=_options(aggregates, "channel", zone),
            ratings=[FilterOption(value=row.key, label=row.label, calls=row.calls) for row in rated.rows],
            agents=_options(aggregates, "agent_id", zone),
            dates=block.coverage.data,
            timezones=aggregates.zones,
        ),
        meta=block,
    )


def _options(aggregates: Aggregates, dimension: str, zone: str) -> list[FilterOption]:
    answer = aggregates.tally(Question(zone, aggregates.data_window(zone), by=(dimension,)))
    calls: list[int] = answer.tally["calls"].tolist()
    return [
        FilterOption(value=member.key, label=member.label, calls=count)
        for member, count in zip(aggregates.members(dimension), calls, strict=True)
    ]
