"""The window that a question is about beside the one that it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supportapi.answers.delta import NO_BASELINE, baseline
from supportapi.answers.drill_down import DrillDown
from supportapi.answers.figures import Figures, figures
from supportapi.answers.meta import Meta, Truth, meta
from supportapi.answers.query import WindowedQuery, window_of, zone_of
from supportapi.calls.window import Window, comparison_window, partial_day
from supportapi.errors import ValidationFailed
from supportapi.rollups.catalogue import DEFAULT_THRESHOLD_SECONDS, availability

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.answers.delta import Baseline
    from supportapi.calls.filter import Filter, ServiceLevelVariant
    from supportapi.calls.window import Comparison
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.rollups.catalogue import Metric
    from supportapi.rollups.questions import Source
    from supportapi.rollups.selection import Selection


class Pair:
    """The calls of two windows under one filter, `now` and `before`, and whatever else is asked beside them.

    `compared` and `before` are None when nothing is compared; `base` says what can be compared. `data` is the window of
    the whole dataset.
    """

    def __init__(
        self, aggregates: Aggregates, zone: str, window: Window, compared: Window | None, limits: Filter
    ) -> None:
        self.aggregates = aggregates
        self.zone = zone
        self.data = aggregates.data_window(zone)
        self.window = window
        self.compared = compared
        self.limits = limits
        self.base: Baseline = NO_BASELINE if compared is None else baseline(window, compared, self.data)
        self._selections: list[Selection] = []
        self._drill_downs: dict[tuple[int, ServiceLevelVariant], DrillDown] = {}
        self.now = self.select(window, limits)
        self.before = None if compared is None else self.select(compared, limits)

    @classmethod
    def of(cls, aggregates: Aggregates, query: WindowedQuery, compare: Comparison, *, complete: bool = False) -> Pair:
        """The windows of `query`, with `complete` without a last day that may have calls to come.

        Raises `ValidationFailed` for a zone or a window that cannot be answered.
        """
        zone = zone_of(query.timezone, aggregates.zones)
        data = aggregates.data_window(zone)
        partial = partial_day(aggregates.max_started_at, zone) if complete else None
        if partial is None:
            window = window_of(query, data)
        else:
            asked = window_of(query, Window(data.start, partial))
            window = Window(asked.start, min(asked.end, partial))
            if window.start >= window.end:
                message = f"'complete' leaves out {partial}, the last day that has data, and then no day is left."
                raise ValidationFailed([{"field": "complete", "message": message}])
        return cls(aggregates, zone, window, comparison_window(window, compare), query.filter)

    @property
    def source(self) -> Source:
        """What served everything that was asked so far: a scan, if any part of it was scanned."""
        return "scan" if any(selection.scanned for selection in self._selections) else "rollup"

    def select(self, window: Window, limits: Filter) -> Selection:
        """The calls of any window, under any limits."""
        selection = self.aggregates.select(self.zone, window, limits)
        self._selections.append(selection)
        return selection

    def limited(self, limits: Filter) -> Pair:
        """The calls of the same windows that other `limits` leave; what serves them is noted here, too."""
        other = Pair(self.aggregates, self.zone, self.window, self.compared, limits)
        self._selections += other._selections
        return other

    def narrowed(self, axis: str, keys: Iterable[str]) -> Selection:
        """The calls of the window whose member along `axis` is one of `keys`."""
        return self.select(self.window, msgspec.structs.replace(self.limits, **{axis: tuple(sorted(keys))}))

    def ask(self, by: tuple[str, ...], metrics: Iterable[Metric]) -> tuple[Figures, Figures | None]:
        """`metrics` of either window, parted `by`."""
        wanted = tuple(metrics)
        return figures(self.now, by, wanted), None if self.before is None else figures(self.before, by, wanted)

    def available(self, metrics: Iterable[Metric]) -> list[Metric]:
        """Those of `metrics` that the dataset can give."""
        present = self.aggregates.columns_present
        return [metric for metric in metrics if availability(metric, present) is None]

    def labels(self, axis: str) -> dict[str, str]:
        """The label of each member along `axis`, by key."""
        return labels(self.aggregates, axis)

    def drill_down(
        self, threshold: int = DEFAULT_THRESHOLD_SECONDS, variant: ServiceLevelVariant = "standard"
    ) -> DrillDown:
        """Links to the calls of the window, with the service level as it is asked for."""
        asked = (threshold, variant)
        if asked not in self._drill_downs:
            timezone = None if self.zone == self.aggregates.zones[0] else self.zone
            self._drill_downs[asked] = DrillDown(self.window, timezone, self.limits, threshold, variant)
        return self._drill_downs[asked]

    def meta(self, truth: Truth) -> Meta:
        """The truth block of an answer about both."""
        return meta(truth, self.source, self.zone, self.window, self.data, self.compared)


def labels(aggregates: Aggregates, dimension: str) -> dict[str, str]:
    """The label of each member of `dimension`, by key."""
    return {member.key: member.label for member in aggregates.members(dimension)}
