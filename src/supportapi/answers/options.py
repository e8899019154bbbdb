"""Filter options: what a client can choose from, with the number of calls that each choice would leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from msgspec import Meta as Doc

from supportapi.answers.breakdown import RATING_LABELS, best_rating_first, calls_by_rating
from supportapi.answers.meta import Days, Meta, Truth, meta
from supportapi.answers.query import OptionsQuery, window_of, zone_of
from supportapi.calls.filter import DIMENSIONS
from supportapi.rollups.questions import Answer, Question

if TYPE_CHECKING:
    from supportapi.measures.tally import Tally
    from supportapi.rollups.aggregates import Aggregates


class FilterOption(msgspec.Struct, frozen=True, kw_only=True):
    """One choice of a filter."""

    value: Annotated[str, Doc(description="What the filter takes; `null` for calls without a known value.")]
    label: str
    calls: Annotated[int, Doc(description="Calls that this choice would leave in the window.")]


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
    """Every choice that the dataset has, with the calls that it would leave in the window of `query`.

    Each dimension is counted under the filters of all the others but not its own, so that a choice says what comes of
    adding it. Members by label, ratings from 5 down, what is not known last.
    """
    zone = zone_of(query.timezone, aggregates.zones)
    data = aggregates.data_window(zone)
    window = window_of(query, data)
    parted = {name: _without(aggregates, Question(zone, window, query.filter), name) for name in DIMENSIONS}
    whole = aggregates.tally(Question(zone, window, query.filter))
    options = {name: _options(aggregates, name, answer) for name, answer in parted.items()}
    scanned = any(answer.source == "scan" for answer in (whole, *parted.values()))
    block = meta(truth, "scan" if scanned else "rollup", zone, window, data)
    return OptionsAnswer(
        data=FilterOptions(
            regions=options["region"],
            issue_types=options["issue_type"],
            channels=options["channel"],
            ratings=_ratings(aggregates.tally(Question(zone, data)).tally, whole.tally),
            agents=options["agent_id"],
            dates=block.coverage.data,
            timezones=aggregates.zones,
        ),
        meta=block,
    )


def _without(aggregates: Aggregates, question: Question, dimension: str) -> Answer:
    """The calls of `question` by the members of `dimension`, whichever of them its own filter keeps."""
    others = msgspec.structs.replace(question.filter, **{dimension: ()})
    return aggregates.tally(msgspec.structs.replace(question, filter=others, by=(dimension,)))


def _options(aggregates: Aggregates, dimension: str, answer: Answer) -> list[FilterOption]:
    calls: list[int] = answer.tally["calls"].tolist()
    return [
        FilterOption(value=member.key, label=member.label, calls=count)
        for member, count in zip(aggregates.members(dimension), calls, strict=True)
    ]


def _ratings(everything: Tally, remaining: Tally) -> list[FilterOption]:
    """The ratings that the dataset has at all; no filter of these options limits them."""
    keys, left = tuple(RATING_LABELS), calls_by_rating(remaining)
    return [
        FilterOption(value=keys[at], label=RATING_LABELS[keys[at]], calls=int(left[at]))
        for at in best_rating_first(np.flatnonzero(calls_by_rating(everything)).tolist(), keys)
    ]
