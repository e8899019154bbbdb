"""A call as a client sees it: its row, and what follows from it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

SERVICE_LEVEL_SECONDS: Final = 20
SHORT_ABANDON_SECONDS: Final = 5
_MINUTE: Final = 60
_HOUR: Final = 3_600


class CallRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call. Null means not known."""

    call_id: Annotated[str, Meta(description="Unique in the dataset.", examples=["c-000123"])]
    customer_id: str | None
    agent_id: Annotated[str | None, Meta(description="Null when nobody took the call, or it is not known who.")]
    agent_name: str | None
    region: str | None
    channel: str | None
    issue_type: str | None
    started_at: Annotated[datetime, Meta(description="When the call reached the centre, in UTC.")]
    ended_at: datetime | None
    wait_seconds: Annotated[float | None, Meta(description="Until answered or given up.")]
    duration_seconds: Annotated[float | None, Meta(description="Answered to ended, without wrap-up.")]
    answered: bool | None
    resolved: bool | None
    resolution: Annotated[str | None, Meta(description="The source's own word.")]
    rating: Annotated[int, Meta(ge=1, le=5)] | None
    duration_label: Annotated[str | None, Meta(description="`duration_seconds` for people.", examples=["4:05"])]
    started_at_local: Annotated[datetime, Meta(description="`started_at` in the reporting time zone.")]
    ended_at_local: datetime | None
    service_level_met: Annotated[
        bool | None,
        Meta(description="Answered within 20 s. Null for an abandon below 5 s, which the service level leaves out."),
    ]


if TYPE_CHECKING:

    class ListedCall(CallRow, frozen=True, kw_only=True):
        """One call of a list, with all its fields or with those that were asked for."""

else:
    ListedCall = msgspec.defstruct(
        "ListedCall",
        [
            ("call_id", field.type)
            if field.name == "call_id"
            else (field.name, field.type | msgspec.UnsetType, msgspec.UNSET)
            for field in msgspec.structs.fields(CallRow)
        ],
        namespace={"__doc__": "One call of a list, with all its fields or with those that were asked for."},
        module=__name__,
        frozen=True,
        kw_only=True,
    )


_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "duration_label": ("duration_seconds",),
    "started_at_local": ("started_at",),
    "ended_at_local": ("ended_at",),
    "service_level_met": ("answered", "wait_seconds"),
}
"""The columns that other fields follow from."""

_ALWAYS: Final = ("call_id", "started_at")


def columns_of(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a row that its `fields` need."""
    needed = {column for field in fields for column in _NEEDED.get(field, (field,))}
    return tuple(sorted(needed | {*_ALWAYS}))


def chosen_fields(row: dict[str, Any], zone: str, fields: tuple[str, ...]) -> dict[str, Any]:
    """As `shown`, `fields` and the id alone; `row` has their columns."""
    whole = shown({**dict.fromkeys(set(CallRow.__struct_fields__) - {*_NEEDED}), **row}, zone)
    return {name: getattr(whole, name) for name in CallRow.__struct_fields__ if name == "call_id" or name in fields}


def shown(row: dict[str, Any], zone: str) -> CallRow:
    """The call in `row` (columns of `record.SCHEMA`), with local times of `zone` (IANA name)."""
    local = ZoneInfo(zone)
    ended: datetime | None = row["ended_at"]
    return CallRow(
        **row,
        duration_label=duration_label(row["duration_seconds"]),
        started_at_local=row["started_at"].astimezone(local),
        ended_at_local=None if ended is None else ended.astimezone(local),
        service_level_met=service_level_met(row["answered"], row["wait_seconds"]),
    )


def duration_label(seconds: float | None) -> str | None:
    """`m:ss` below an hour, `h:mm:ss` from there on; halves of a second round up."""
    if seconds is None:
        return None
    whole = int(seconds + 0.5)
    hours, rest = divmod(whole, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def service_level_met(answered: bool | None, wait_seconds: float | None) -> bool | None:  # noqa: FBT001 - a column
    """Whether a call counts for (True), against (False) or not at all (None) in the default service level."""
    if answered is None:
        return None
    if answered:
        return wait_seconds is not None and wait_seconds <= SERVICE_LEVEL_SECONDS
    return None if wait_seconds is not None and wait_seconds < SHORT_ABANDON_SECONDS else False
