"""Waits and conversations that no column measures, told by the instant at which somebody picked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.calls.suggest.finding import Finding, Value
from supportapi.calls.suggest.seen import told
from supportapi.calls.suggest.span import Moment, candidates, share

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from supportapi.calls.suggest.span import Span
    from supportapi.calls.suggest.times import Times

_SURE: Final = 0.95
_SURE_HEADER: Final = 6


class PickUp(msgspec.Struct, frozen=True):
    """When somebody answered: after the start and before the end of its call."""

    moment: Moment
    answered: int
    rows: int


def picked_up(times: Sequence[Times], span: Span) -> PickUp | None:
    """The pick-up of each call, where a column says it and no row of it comes before the start."""
    if span.start is None or span.start.parts[-1].kind == "date":
        return None
    ends = [] if span.end is None else [span.end.values]
    for moment in candidates(times, "picked_up"):
        others = {span.start.sources, span.end.sources if span.end else ()}
        if moment.parts[-1].kind == "date" or moment.sources in others or moment.score < _SURE_HEADER:
            continue
        values = moment.values
        within = [(values >= span.start.values), *(values <= end for end in ends)]
        if all(share(test) > _SURE for test in within):
            return PickUp(moment, len(values) - values.null_count(), len(values))
    return None


def lengths_between(pick_up: PickUp, span: Span, missing: Container[str]) -> list[Finding]:
    """Those of the lengths `missing` that lie between the start, the pick-up and the end."""
    if span.start is None:
        return []
    found: list[Finding] = []
    parts = {"wait_seconds": (span.start, pick_up.moment)}
    if span.end is not None:
        parts["duration_seconds"] = (pick_up.moment, span.end)
    for name, (first, last) in parts.items():
        if name in missing:
            seconds = (last.values - first.values).dt.total_milliseconds().drop_nulls() / 1000
            middle = seconds.filter(seconds > 0).median()
            shown = f"{middle:,.0f} s" if isinstance(middle, float) else "not known"
            why = f"No column measures it: the time from {_named(first)} to {_named(last)}, the middle one is {shown}."
            between: Value = tuple(_instant(one, span.start, first) for one in (first, last))
            sources = (*first.sources, *last.sources)
            found.append(Finding(column=name, sources=sources, fields={"between": between}, why=(why,)))
    return found


def answered_from(pick_up: PickUp) -> Finding | None:
    """`answered`, of calls that were picked up, where some were not."""
    if pick_up.answered == pick_up.rows:
        return None
    column = pick_up.moment.parts[-1].column
    counted = told(pick_up.answered, pick_up.rows)
    when: dict[str, Value] = {"column": column.name, "present": True}
    if column.null_words:
        when = {"column": column.name, "is_not": column.null_words}
    return Finding(
        column="answered",
        sources=(column.name,),
        fields={"when": when},
        why=(f'No column says it in words: {counted} calls have a time in "{column.name}".',),
        decide=(f'is a call without "{column.name}" one that nobody answered?',),
    )


def _instant(moment: Moment, start: Moment, first: Moment) -> Value:
    """One end of a `between`, as short as it can be written."""
    fields: dict[str, Value] = {"from": moment.sources}
    if moment.formats != start.formats:
        fields["formats"] = moment.formats
    if moment.offsets and moment is not start:
        fields["offsets"] = dict(moment.offsets)
    words = tuple(word for part in moment.parts for word in part.column.null_words)
    if words:
        fields["null_words"] = words
    early = bool((moment.values < first.values).any())
    if early and len(moment.parts) > 1:
        fields["next_day_when_before_start"] = True
    return moment.sources[0] if len(fields) == 1 and len(moment.sources) == 1 else fields


def _named(moment: Moment) -> str:
    return " with ".join(f'"{name}"' for name in moment.sources)
