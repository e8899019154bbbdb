"""The truth block that every answer carries: which data, how fresh, which window, served from where."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec import Meta as Doc

from supportapi.calls.window import Window, partial_day
from supportapi.measures.sketch import RELATIVE_ERROR

Source = Literal["prepared", "rollup", "scan"]
StaleReason = Literal[
    "manifest_changed",
    "manifest_unreadable",
    "build_failed",
    "rolled_back",
    "redis_unreachable",
    "watcher_silent",
    "version_lost",
]


RegionsField = Annotated[
    tuple[str, ...] | UnsetType,
    Doc(
        description="The answer knows the calls of these regions alone, because whoever asks may see no others. Absent "
        "where nothing is left out.",
        examples=[["north"]],
    ),
]


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """Which version answers, and how far it can be trusted to be the newest."""

    version: str
    dataset_hash: str
    as_of: datetime | None
    built_at: datetime
    stale: bool = False
    stale_reason: StaleReason | None = None
    regions: RegionsField = UNSET


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """A span of days in the reporting time zone: from the first one up to the day after the last."""

    from_: Annotated[date, Doc(description="First day.")] = msgspec.field(name="from")
    to: Annotated[date, Doc(description="The day after the last one.")]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the window has data at all."""

    data: Annotated[Days | None, Doc(description="The days that the dataset spans; null when it holds no calls.")]
    complete: Annotated[bool, Doc(description="True when the whole window lies inside the data.")]
    missing: Annotated[tuple[Days, ...], Doc(description="The parts of the window that lie outside the data.")]
    partial_day: Annotated[
        date | None,
        Doc(
            description="The last day that has data, where its newest call (`as_of`) began more than an hour before "
            "its end: calls of that day may be missing. Null when the day is over."
        ),
    ] = None


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """How values that are not exact were come by."""

    percentiles: Literal["ddsketch"] = "ddsketch"
    relative_error: Annotated[float, Doc(description="A percentile is off by at most this share of its value.")] = (
        RELATIVE_ERROR
    )


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer comes from."""

    version: Annotated[str, Doc(description="The name of the snapshot.", examples=["3f9c1d0a55b2e871"])]
    dataset_hash: Annotated[str, Doc(description="SHA-256 of the dataset behind it.")]
    as_of: Annotated[datetime | None, Doc(description="Start of the newest call in the data (watermark).")]
    built_at: Annotated[datetime, Doc(description="When the snapshot was computed.")]
    source: Annotated[Source, Doc(description="What served this: prepared bytes, the rollup, or a scan of the rows.")]
    stale: Annotated[bool, Doc(description="True when a newer dataset is known, or when nobody can tell.")]
    stale_reason: StaleReason | None
    window: Days
    compare_window: Days | None
    timezone: Annotated[str, Doc(description="IANA name of the zone in which days begin.", examples=["UTC"])]
    coverage: Coverage
    method: Method
    regions: RegionsField = UNSET


def meta(truth: Truth, source: Source, zone: str, window: Window, data: Window, compared: Window | None = None) -> Meta:
    """The truth block of an answer about `window`, for data that spans `data`."""
    return Meta(
        version=truth.version,
        dataset_hash=truth.dataset_hash,
        as_of=truth.as_of,
        built_at=truth.built_at,
        source=source,
        stale=truth.stale,
        stale_reason=truth.stale_reason,
        window=_days(window),
        compare_window=None if compared is None else _days(compared),
        timezone=zone,
        coverage=coverage(window, data, partial_day(truth.as_of, zone)),
        method=Method(),
        regions=truth.regions,
    )


def coverage(window: Window, data: Window, partial: date | None = None) -> Coverage:
    """Which parts of `window` have no data, because the dataset begins later or ends earlier."""
    inside = window.intersect(data)
    parts = (window,) if inside.days == 0 else (Window(window.start, inside.start), Window(inside.end, window.end))
    missing = tuple(_days(part) for part in parts if part.days)
    return Coverage(data=_days(data) if data.days else None, complete=not missing, missing=missing, partial_day=partial)


def _days(window: Window) -> Days:
    return Days(from_=window.start, to=window.end)
