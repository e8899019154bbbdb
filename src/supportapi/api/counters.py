"""What Prometheus asks this process: requests by route, status and source, and how long they took."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the latency histogram; everything slower falls into the one without a bound."""

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Series:
    """The requests of one route, status and source: one bucket for each bound, and the sum of their seconds."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Count one request that took `seconds`."""
        self.buckets[bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds

    @property
    def count(self) -> int:
        """How many requests it has seen."""
        return sum(self.buckets)


class Counters:
    """The counters of this process. Every label comes from a fixed set, so that their number is bounded."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, int, str, str], Series] = {}

    def series(self, route: str, status: int, source: str, memory: str) -> Series:
        """The series of a route template, status and source; `memory` is `hot` (ready bytes) or `cold`."""
        key = (route, status, source, memory)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series()
        return series

    @property
    def hot_ratio(self) -> float:
        """The share of requests that were answered from ready bytes; 0 before the first one."""
        hot = sum(series.count for (_, _, _, memory), series in self._series.items() if memory == "hot")
        return hot / (sum(series.count for series in self._series.values()) or 1)

    def exposition(self, process: str) -> str:
        """The requests of `process` in Prometheus' text format: written here, for there are thousands of lines."""
        lines = [
            "# HELP supportapi_request_duration_seconds Time from the request to the last byte of its answer.",
            "# TYPE supportapi_request_duration_seconds histogram",
        ]
        for (route, status, source, memory), series in sorted(self._series.items()):
            labels = _labels(route=route, status=str(status), source=source, memory=memory, process=process)
            lines += _histogram("supportapi_request_duration_seconds", labels, series)
        return "\n".join(lines) + "\n"


def _histogram(name: str, labels: str, series: Series) -> Iterable[str]:
    for bound, count in zip((*SECONDS, "+Inf"), accumulate(series.buckets), strict=True):
        yield f'{name}_bucket{{{labels},le="{bound}"}} {count}'
    yield f"{name}_sum{{{labels}}} {series.seconds:.9f}"
    yield f"{name}_count{{{labels}}} {series.count}"


def _labels(**labels: str) -> str:
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
