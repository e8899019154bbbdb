"""What can be asked of the aggregates, and the form of an answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal

import msgspec

from supportapi.calls.filter import Filter
from supportapi.calls.window import GRAINS, Grain, Window
from supportapi.measures.tally import Tally

Source = Literal["rollup", "scan"]
Measured = Literal["wait", "duration"]
Key = str | tuple[str, str]
TimeKey = date | datetime | tuple[int, int]
TimeAxisName = Grain | Literal["step", "hour_of_week"]

PAIR: Final = "agent_region"
RATING: Final = "rating"
STEP: Final = "step"
HOUR_OF_WEEK: Final = "hour_of_week"
TIME_AXES: Final[tuple[TimeAxisName, ...]] = (*GRAINS, STEP, HOUR_OF_WEEK)


class Question(msgspec.Struct, frozen=True):
    """Which calls, and how to part them.

    `by` names at most one member axis (`region`, `issue_type`, `channel`, `rating`, `agent_id`, `agent_region`) and at
    most one time axis (`hour`, `day`, `week`, `month`; `step`, as in `window.step_starts`; `hour_of_week`, the hour on
    the clock of each weekday); the answer's axes come in that order, members first.
    """

    zone: str
    window: Window
    filter: Filter = Filter()
    by: tuple[str, ...] = ()


def member_axis_of(by: tuple[str, ...]) -> str | None:
    """The axis of members, if there is one."""
    return next((name for name in by if name not in TIME_AXES), None)


def time_axis_of(by: tuple[str, ...]) -> TimeAxisName | None:
    """The axis of time, if there is one."""
    return next((name for name in TIME_AXES if name in by), None)


class Member(msgspec.Struct, frozen=True):
    """One value of a dimension: `key` as a client spells it (see `filter.key_of`), `label` as a person reads it."""

    key: str
    label: str


class Answer(msgspec.Struct, frozen=True):
    """A tally with the keys along each of its axes.

    They are members (agent and region pairs for `agent_region`) and the first day of each bucket (for `hour` its
    first instant, in UTC; for `hour_of_week` weekday, 0 for Monday, and hour).
    """

    tally: Tally
    keys: tuple[tuple[Key | TimeKey, ...], ...]
    source: Source
