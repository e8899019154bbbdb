"""Why a number changed: the calls that differ between two versions, and how each KPI moved with them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta as Doc

from supportapi.answers.delta import Baseline
from supportapi.answers.figures import Figures, figures
from supportapi.answers.meta import Days
from supportapi.answers.overview import KpiCard, overview
from supportapi.answers.query import FilteredQuery, window_of, zone_of
from supportapi.calls.changes import Changes
from supportapi.calls.window import RelativeRange, Window
from supportapi.errors import ValidationFailed
from supportapi.rollups.aggregates import Aggregates
from supportapi.rollups.catalogue import METRICS, availability
from supportapi.rollups.questions import STEP

if TYPE_CHECKING:
    from collections.abc import Callable


class DiffQuery(FilteredQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`GET /api/versions/{a}...{b}`."""

    default_range: ClassVar[RelativeRange] = "all"

    range: Annotated[
        RelativeRange | None,
        Doc(description="A window that ends with the last day that either version has data of. `all` by default."),
    ] = None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two versions."""

    version: str
    dataset_hash: str
    built_at: datetime
    as_of: datetime | None
    calls: Annotated[int, Doc(description="Its calls in the window, under the filters.")]


class VersionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """`before`, what happened to it, `after`: calls of `after` = calls of `before` + added - removed."""

    before: Side
    after: Side
    calls: Changes
    files_shared: Annotated[int, Doc(description="Files that both versions have: equal, and so not compared.")]
    kpis: Annotated[list[KpiCard], Doc(description="`value` is that of `after`, `previous` that of `before`.")]


class DiffMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared. Nothing of it ever changes: versions do not."""

    source: Literal["scan"] = "scan"
    window: Days
    timezone: str


class DiffAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /api/versions/{a}...{b}`."""

    data: VersionDiff
    meta: DiffMeta


class Named(msgspec.Struct, frozen=True):
    """A version by its provenance, and what answers questions about it."""

    version: str
    dataset_hash: str
    built_at: datetime
    as_of: datetime | None
    files: frozenset[str]
    aggregates: Aggregates


def version_diff(
    before: Named, after: Named, query: DiffQuery, compare: Callable[[Window, str], Changes]
) -> DiffAnswer:
    """The answer to `query`; `compare` gives what differs between the calls of a window in a zone.

    Raises `ValidationFailed` for a zone or window that cannot be answered.
    """
    zones = tuple(zone for zone in after.aggregates.zones if zone in before.aggregates.zones)
    if not zones:
        message = "The two versions have no reporting time zone in common."
        raise ValidationFailed([{"field": "timezone", "message": message}])
    zone = zone_of(query.timezone, zones)
    window = window_of(query, _span(before.aggregates.data_window(zone), after.aggregates.data_window(zone)))
    present = after.aggregates.columns_present
    shown = [metric for metric in METRICS if availability(metric, present) is None]
    old, new = (figures(side.aggregates.select(zone, window, query.filter), (), shown) for side in (before, after))
    steps = figures(after.aggregates.select(zone, window, query.filter), (STEP,), shown)
    both = Baseline(exists=True, whole=True)
    return DiffAnswer(
        data=VersionDiff(
            before=_side(before, old),
            after=_side(after, new),
            calls=compare(window, zone),
            files_shared=len(before.files & after.files),
            kpis=overview(present, METRICS, new, _available(before.aggregates, old), steps, both),
        ),
        meta=DiffMeta(window=Days(from_=window.start, to=window.end), timezone=zone),
    )


def _span(one: Window, other: Window) -> Window:
    """The days from the first to the last that either has."""
    if not one.days or not other.days:
        return other if other.days else one
    return Window(min(one.start, other.start), max(one.end, other.end))


def _available(aggregates: Aggregates, found: Figures) -> Figures:
    """`found`, with what the version's columns cannot tell unknown instead of 0."""
    lacking = [metric.key for metric in METRICS if availability(metric, aggregates.columns_present) is not None]
    return msgspec.structs.replace(found, values={**found.values, **dict.fromkeys(lacking, np.array(np.nan))})


def _side(named: Named, found: Figures) -> Side:
    return Side(
        version=named.version,
        dataset_hash=named.dataset_hash,
        built_at=named.built_at,
        as_of=named.as_of,
        calls=int(found.tally["calls"]),
    )
