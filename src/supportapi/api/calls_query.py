"""Which calls are listed or exported, and in which order: the parameters that `/api/calls` and its export share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.choice import Threshold
from supportapi.answers.query import FilteredQuery, Members
from supportapi.answers.query_string import unknown_name
from supportapi.calls.filter import ServiceLevelVariant
from supportapi.calls.selection import Known, Order, Selection, SortColumn
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import DEFAULT_THRESHOLD_SECONDS

if TYPE_CHECKING:
    from supportapi.calls.window import Window

StoredField = Literal[
    "call_id",
    "customer_id",
    "agent_id",
    "agent_name",
    "region",
    "channel",
    "issue_type",
    "started_at",
    "ended_at",
    "wait_seconds",
    "duration_seconds",
    "answered",
    "resolved",
    "resolution",
    "rating",
]
"""The columns of a call, in order."""

Seconds = Annotated[float, Doc(ge=0)]
SearchText = Annotated[str, Doc(min_length=1, max_length=100)]
RatingMember = Literal["1", "2", "3", "4", "5", "null"]
Weekday = Annotated[int, Doc(ge=0, le=6)]
HourOfDay = Annotated[int, Doc(ge=0, le=23)]
Instant = Annotated[datetime, Doc(tz=True)]

_KNOWN: Final = "Keep these; repeated or comma-separated. `null` keeps the calls where it is not known."
_COLUMNS: Final[dict[str, SortColumn]] = {
    "started_at": "started_at",
    "duration": "duration_seconds",
    "wait": "wait_seconds",
    "rating": "rating",
    "agent": "agent_name",
}
_SORTS: Final = [sign + name for name in _COLUMNS for sign in ("", "-")]
_DIRECTED: Final = f"-?({'|'.join(_COLUMNS)})"
_SPANS: Final = (("min_duration", "max_duration"), ("min_wait", "max_wait"), ("started_from", "started_to"))


class SortedCallsQuery(FilteredQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls, in an order."""

    customer_id: Members = ()
    answered: Annotated[tuple[Known, ...], Doc(description=_KNOWN)] = ()
    resolved: Annotated[tuple[Known, ...], Doc(description=_KNOWN)] = ()
    rating: Annotated[
        tuple[RatingMember, ...],
        Doc(description="Keep these ratings; repeated or comma-separated. `null` keeps unrated calls."),
    ] = ()
    min_duration: Annotated[Seconds | None, Doc(description="At least so many seconds.", examples=[30])] = None
    max_duration: Annotated[Seconds | None, Doc(description="At most so many seconds.", examples=[600])] = None
    min_wait: Annotated[Seconds | None, Doc(description="At least so many seconds.", examples=[20])] = None
    max_wait: Annotated[Seconds | None, Doc(description="At most so many seconds.", examples=[20])] = None
    weekday: Annotated[
        tuple[Weekday, ...],
        Doc(description="Keep these days of the week, 0 for Monday; repeated or comma-separated.", examples=[[0, 4]]),
    ] = ()
    hour: Annotated[
        tuple[HourOfDay, ...],
        Doc(
            description="Keep these hours of the clock on the wall of the reporting time zone; repeated or "
            "comma-separated.",
            examples=[[9, 10]],
        ),
    ] = ()
    started_from: Annotated[
        Instant | None,
        Doc(description="Of the window, only from this instant on.", examples=["2026-01-01T09:00:00Z"]),
    ] = None
    started_to: Annotated[
        Instant | None,
        Doc(description="Of the window, only before this instant.", examples=["2026-01-01T10:00:00Z"]),
    ] = None
    offered: Annotated[
        ServiceLevelVariant | None,
        Doc(description="Keep what the service level divides by in this variant; see the catalogue."),
    ] = None
    threshold: Annotated[
        Threshold, Doc(description="Seconds of the service level, where `offered` is `abandon_after_threshold`.")
    ] = DEFAULT_THRESHOLD_SECONDS
    q: Annotated[SearchText | None, Doc(description="Part of a call, customer or agent id, or of an agent's name.")] = (
        None
    )
    sort: Annotated[
        str,
        Doc(
            description="Columns with commas between; a leading `-` sorts downwards. Unknown values come last either "
            "way, and last ties are broken by `call_id` in the direction of the last column.",
            examples=["-duration,started_at"],
            extra_json_schema={"pattern": f"^{_DIRECTED}(,{_DIRECTED})*$"},
        ),
    ] = "-started_at"


def refuse_empty_spans(query: SortedCallsQuery) -> None:
    """Raise `ValidationFailed` for each lower bound that is above its upper one."""
    problems: list[dict[str, object]] = []
    for least, most in _SPANS:
        low: Any = getattr(query, least)
        high: Any = getattr(query, most)
        if low is not None and high is not None and low > high:
            problems.append({"field": least, "message": f"'{least}' is above '{most}'."})
    if problems:
        raise ValidationFailed(problems)


def selection_of(query: SortedCallsQuery, window: Window, zone: str) -> Selection:
    """The calls of `window` in `zone` that `query` keeps."""
    return Selection(
        window=window,
        zone=zone,
        filter=query.filter,
        customer_id=query.customer_id,
        rating=query.rating,
        answered=query.answered,
        resolved=query.resolved,
        min_duration_seconds=query.min_duration,
        max_duration_seconds=query.max_duration,
        min_wait_seconds=query.min_wait,
        max_wait_seconds=query.max_wait,
        weekday=query.weekday,
        hour=query.hour,
        started_from=query.started_from,
        started_to=query.started_to,
        offered=query.offered,
        threshold_seconds=query.threshold,
        text=query.q,
    )


def order_of(query: SortedCallsQuery) -> Order:
    """The order that `sort` spells. Raises `ValidationFailed` for what is no column, or is named twice."""
    named = query.sort.split(",")
    problems = [unknown_name(name, _SORTS, "column to sort by") for name in named if name not in _SORTS]
    columns = [name.removeprefix("-") for name in named]
    problems += [{"message": f"'{name}' is named twice."} for name in sorted({*columns}) if columns.count(name) > 1]
    if problems:
        raise ValidationFailed([{**problem, "field": "sort"} for problem in problems])
    first, *then = (Order(_COLUMNS[name.removeprefix("-")], name.startswith("-")) for name in named)
    return msgspec.structs.replace(first, then=tuple(then))
