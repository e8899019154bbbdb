"""The numbers of an answer, by what they are of: so that ours and those of a peer can be compared."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

METRICS: Final = ("calls", "answer_rate", "average_duration", "resolution_rate", "csat", "average_rating")
DIMENSIONS: Final = ("region", "issue_type", "channel")
_TOLERANCE: Final = 1e-9
_UNKNOWN: Final = "null"

Numbers = dict[tuple[str, ...], float | None]


def numbers(body: bytes) -> Numbers:
    """The numbers of an answer of ours, of a FastAPI peer, or of ROAPI."""
    answer: Any = json.loads(body)
    return dict(_of_rows(answer) if body.startswith(b"[") else _of_dashboard(answer.get("data", answer)))


def differences(ours: Numbers, theirs: Numbers) -> list[str]:
    """What one of them lacks, or says otherwise."""
    return [
        f"{' '.join(place)}: ours {ours.get(place, 'absent')}, theirs {theirs.get(place, 'absent')}"
        for place in sorted(ours.keys() | theirs.keys())
        if place not in ours or place not in theirs or not _equal(ours[place], theirs[place])
    ]


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_TOLERANCE)


def _of_dashboard(data: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], float | None]]:
    for card in data["kpis"]:
        yield ("now", card["key"]), card["value"]
        yield ("before", card["key"]), card["previous"]
    for series in data["series"]:
        for point in series["points"]:
            yield ("day", point["start"][:10], series["key"]), point["value"]
    for breakdown in data["breakdowns"]:
        for row in breakdown["rows"]:
            for key in METRICS:
                yield (breakdown["dimension"], row["key"] or _UNKNOWN, key), row[key]


def _of_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], float | None]]:
    for row in rows:
        part = row["part"]
        # ROAPI leaves out what is null.
        named = ("now" if row["now"] else "before",) if part == "all" else (part, row.get(part, _UNKNOWN))
        for key in METRICS:
            yield (*named, key), row.get(key)
