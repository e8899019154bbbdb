"""Drill-down: for each number of an aggregate a link to `/api/calls` that lists exactly the calls behind it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

import msgspec
from msgspec import Meta as Doc

from supportapi.measures.tally import RATINGS, SHORT_ABANDON_SECONDS
from supportapi.rollups.catalogue import DEFAULT_THRESHOLD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from supportapi.calls.filter import Filter, ServiceLevelVariant
    from supportapi.calls.window import Window
    from supportapi.rollups.catalogue import Metric

    Kept = Mapping[str, str]
    """Parameters of `/api/calls`, and what they keep, percent-encoded."""

CALLS_PATH: Final = "/api/calls"

CallsUrl = Annotated[
    str | None,
    Doc(
        description="Lists exactly the calls that the number counts or is computed from: of a ratio, a mean or a "
        "percentile those that it divides by. Null where there are none by definition (the rated calls among those "
        "not rated), or where no filter can say which, as of first contact resolution.",
        examples=["/api/calls?from=2026-01-01&to=2026-02-01&region=North"],
    ),
]


class CallsLink(msgspec.Struct, frozen=True, gc=False):
    """Where the calls behind it are."""

    calls: CallsUrl


EVERY: Final[Kept] = {}
_RATED: Final[Kept] = {"rating": ",".join(map(str, RATINGS))}
_OFFERED: Final[Kept] = {"answered": "true,false"}
_HANDLED: Final[Kept] = {"answered": "true,null"}
_WAITED: Final[Kept] = {"min_wait": "0"}
_TALKED: Final[Kept] = {"min_duration": "0"}

_COUNTED: Final[Mapping[str, Kept]] = {
    "calls": EVERY,
    "answered": {"answered": "true"},
    "unanswered": {"answered": "false"},
    "answer_rate": _OFFERED,
    "abandonment_rate": _OFFERED,
    "abandonment_rate_excl_short": {"offered": "standard"},
    "average_speed_of_answer": {"answered": "true", **_WAITED},
    "average_wait_unanswered": {"answered": "false", **_WAITED},
    "longest_wait": _WAITED,
    **{f"wait_p{percent}": _WAITED for percent in (50, 90, 95, 99)},
    "average_duration": _TALKED,
    **{f"duration_p{percent}": _TALKED for percent in (50, 90, 95, 99)},
    "total_talk_time": _TALKED,
    "resolved": {"resolved": "true"},
    "resolution_rate": {**_HANDLED, "resolved": "true,false"},
    "resolved_share_of_calls": {"resolved": "true,false"},
    **dict.fromkeys(("csat", "average_rating", "rated", "net_satisfaction"), _RATED),
    "response_rate": _HANDLED,
    # Counts that stand beside a metric.
    "short_abandons": {"answered": "false", "max_wait": f"{SHORT_ABANDON_SECONDS - 0.001:.3f}"},
    **{f"rating_{rating}": {"rating": str(rating)} for rating in RATINGS},
}
"""The calls that each number counts, or that it is computed from. Waits are whole milliseconds: below 5 is 4.999.

First contact resolution and its counts are not here: no filter says that a customer is known, or called again.
"""


class DrillDown:
    """Links to the calls of one window and one filter; `timezone` is None for the default zone.

    Windows are spelled by their days, whatever range was asked for, so that a link keeps its calls when days are added.
    """

    def __init__(
        self,
        window: Window,
        timezone: str | None,
        limits: Filter,
        threshold: int = DEFAULT_THRESHOLD_SECONDS,
        variant: ServiceLevelVariant = "standard",
    ) -> None:
        self._days = window.days
        self._head = _days(window.start.isoformat(), window.end.isoformat())
        members = {name: ",".join(map(spelled, limits.members(name))) for name in limits.limited}
        self._limits: Kept = members if timezone is None else {"timezone": spelled(timezone), **members}
        self._asked = _service_level(threshold, variant)

    def kept(self, metric: Metric) -> Kept | None:
        """What keeps the calls that `metric` counts or is computed from."""
        return self._named(metric.key)

    def link(self, kept: Kept | None = EVERY, among: Kept = EVERY) -> str | None:
        """The calls of the window that `kept` keeps of those `among` which it counts."""
        tail = self._tail(kept, among)
        return None if tail is None else self._head + tail

    def counts(self, metric: Metric) -> dict[str, str]:
        """A link for each of the counts that are shown beside `metric`."""
        links = {name: self.link(self._named(name)) for name in metric.counts}
        return {name: link for name, link in links.items() if link is not None}

    def series(self, kept: Kept | None, begun: Iterable[str]) -> list[CallsLink]:
        """A link for each bucket: `begun` is what `heads` gives."""
        tail = self._tail(kept, EVERY)
        if tail is None:
            return [CallsLink(None) for _ in begun]
        return [CallsLink(head + tail) for head in begun]

    def _named(self, name: str) -> Kept | None:
        return self._asked.get(name, _COUNTED.get(name))

    def _tail(self, kept: Kept | None, among: Kept) -> str | None:
        if kept is None or not self._days:
            return None
        rating = among.get("rating")
        if rating is not None and rating not in kept.get("rating", rating).split(","):
            return None
        return "".join(f"&{name}={text}" for name, text in {**self._limits, **kept, **among}.items())


def spelled(key: str) -> str:
    """`key` as one value of a parameter: a comma that belongs to it parts nothing."""
    return quote(key, safe="")


def heads(window: Window, starts: Sequence[date | datetime]) -> list[str]:
    """How the links of the buckets of `window` that begin at `starts` begin: days, or instants for hours."""
    if not starts:
        return []
    if isinstance(starts[0], datetime):
        head, hour = _days(window.start.isoformat(), window.end.isoformat()), timedelta(hours=1)
        instants = [_instant(start) for start in (*starts, starts[-1] + hour)]
        return [f"{head}&started_from={start}&started_to={end}" for start, end in pairwise(instants)]
    days = [day.isoformat() for day in (max(starts[0], window.start), *starts[1:], window.end)]
    return [_days(start, end) for start, end in pairwise(days)]


def _days(start: str, end: str) -> str:
    return f"{CALLS_PATH}?from={start}&to={end}"


def _instant(moment: date | datetime) -> str:
    # Hours begin at instants in UTC; a plus sign in a query would be a blank.
    return moment.isoformat().replace("+00:00", "Z")


def _service_level(threshold: int, variant: ServiceLevelVariant) -> Mapping[str, Kept]:
    """What the service level divides by, and its counts, as it was asked for."""
    limit = {"threshold": str(threshold)} if variant == "abandon_after_threshold" else EVERY
    return {
        "service_level": {"offered": variant, **limit},
        "answered_within": {"answered": "true", "max_wait": str(threshold)},
        "unanswered_after_threshold": {"answered": "false", "min_wait": f"{threshold}.001"},
    }
