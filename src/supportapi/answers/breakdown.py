"""Breakdowns: the window's calls parted by the members of a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec import Meta as Doc

from supportapi.answers.delta import Baseline, Delta, delta
from supportapi.answers.figures import Figures, known
from supportapi.calls.filter import UNKNOWN
from supportapi.measures.tally import RATINGS
from supportapi.rollups.catalogue import metric_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supportapi.measures.tally import Tally

Dimension = Literal["region", "issue_type", "channel", "rating"]

MEMBER_DIMENSIONS: Final[tuple[Dimension, ...]] = ("region", "issue_type", "channel")
ROW_METRICS: Final = (
    "answer_rate",
    "service_level",
    "average_speed_of_answer",
    "average_duration",
    "resolution_rate",
    "csat",
    "average_rating",
)

_Value = Annotated[
    float | UnsetType | None,
    Doc(description="Absent in the breakdown by rating, and where it means nothing for one agent."),
]


class BreakdownRow(msgspec.Struct, frozen=True, kw_only=True):
    """One member of a dimension."""

    key: Annotated[str, Doc(description="`null` stands for the calls whose value is not known.", examples=["North"])]
    label: Annotated[str, Doc(examples=["North"])]
    calls: int
    share: Annotated[float | None, Doc(description="Percent of the calls of all rows.")]
    delta: Annotated[Delta | None, Doc(description="The move of `calls`; null when nothing is compared.")]
    answer_rate: _Value = UNSET
    service_level: _Value = UNSET
    average_speed_of_answer: _Value = UNSET
    average_duration: _Value = UNSET
    resolution_rate: _Value = UNSET
    csat: _Value = UNSET
    average_rating: _Value = UNSET


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    """The members of one dimension that have calls in either window, most calls first."""

    dimension: Dimension
    rows: list[BreakdownRow]


def breakdown(
    dimension: Dimension, now: Figures, before: Figures | None, labels: Mapping[str, str], base: Baseline
) -> Breakdown:
    """A row for each member with calls in the window or in the one before (a full outer join).

    `now` and `before` are parted by `dimension`; a member that only one of them knows counts 0 in the other. Of
    `ROW_METRICS` a row has those that `now` has.
    """
    earlier = {} if before is None else dict(zip(before.keys[0], before.tally["calls"].tolist(), strict=True))
    calls: list[int] = now.tally["calls"].tolist()
    total = sum(calls)
    rows: list[BreakdownRow] = []
    for index, key in enumerate(now.keys[0]):
        previous = None if before is None or not base.exists else earlier.get(key, 0)
        if calls[index] or previous:
            counted = _counted(key, labels[key], calls[index], total)
            values: dict[str, Any] = {
                name: known(float(now.values[name][index]), metric_of(name).unit)
                for name in ROW_METRICS
                if name in now.values
            }
            rows.append(BreakdownRow(**counted, **values, delta=_move(before, calls[index], previous, base)))
    return Breakdown(dimension=dimension, rows=_most_calls_first(rows))


def rating_breakdown(now: Tally, before: Tally | None, base: Baseline) -> Breakdown:
    """The calls of each rating, 5 first, then those without one; `now` and `before` are one group each."""
    rows: list[BreakdownRow] = []
    total = int(now["calls"])
    for key in (*map(str, reversed(RATINGS)), UNKNOWN):
        calls = _rated(now, key)
        previous = None if before is None or not base.exists else _rated(before, key)
        if calls or previous:
            label = "Not rated" if key == UNKNOWN else key
            counted = _counted(key, label, calls, total)
            rows.append(BreakdownRow(**counted, delta=_move(before, calls, previous, base)))
    return Breakdown(dimension="rating", rows=rows)


def _rated(tally: Tally, key: str) -> int:
    return int(tally["calls"] - tally["rated"]) if key == UNKNOWN else int(tally[f"rating_{key}"])


def _counted(key: str, label: str, calls: int, total: int) -> dict[str, Any]:
    return {"key": key, "label": label, "calls": calls, "share": calls / total * 100 if total else None}


def _move(before: object | None, calls: int, previous: int | None, base: Baseline) -> Delta | None:
    return None if before is None else delta(metric_of("calls"), calls, previous, base)


def _most_calls_first(rows: list[BreakdownRow]) -> list[BreakdownRow]:
    return sorted(rows, key=lambda row: (-row.calls, row.key == UNKNOWN, row.key))
