"""What times say about their zone in words: abbreviations behind a time, and columns that name a zone for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from supportapi.calls.suggest.finding import Value
    from supportapi.calls.suggest.seen import Seen

_KNOWN: Final = ("Z", "UTC", "GMT")
"""Abbreviations that need no declaration."""
_OFFSETS: Final = {
    "PST": "-08:00", "PDT": "-07:00", "MST": "-07:00", "MDT": "-06:00", "CST": "-06:00", "CDT": "-05:00",
    "EST": "-05:00", "EDT": "-04:00", "AKST": "-09:00", "AKDT": "-08:00", "HST": "-10:00", "BRT": "-03:00",
    "WET": "+00:00", "WEST": "+01:00", "BST": "+01:00", "CET": "+01:00", "CEST": "+02:00", "MEZ": "+01:00",
    "MESZ": "+02:00", "EET": "+02:00", "EEST": "+03:00", "MSK": "+03:00", "IST": "+05:30", "SGT": "+08:00",
    "HKT": "+08:00", "JST": "+09:00", "KST": "+09:00", "AWST": "+08:00", "ACST": "+09:30", "AEST": "+10:00",
    "AEDT": "+11:00", "NZST": "+12:00", "NZDT": "+13:00", "SAST": "+02:00",
}  # fmt: skip
_SEVERAL: Final = {"CST": "China's", "IST": "Israel's or Ireland's", "BST": "Bangladesh's"}
_MOST_ZONES: Final = 60


def offsets_of(abbreviations: Iterable[str]) -> dict[str, str] | None:
    """What has to be declared for `abbreviations`; None when one of them is not known."""
    words = sorted({word for word in abbreviations if word not in _KNOWN})
    return {word: _OFFSETS[word] for word in words} if all(word in _OFFSETS for word in words) else None


def doubts(offsets: Iterable[str]) -> tuple[str, ...]:
    """Questions about abbreviations that mean several zones."""
    return tuple(
        f"is {word} {_OFFSETS[word]}? It may be {_SEVERAL[word]} time too: then mend offsets."
        for word in offsets
        if word in _SEVERAL
    )


def zone_column(columns: Sequence[Seen]) -> dict[str, Value] | None:
    """A `time_zone` for the clock of each row, where a column holds names of zones and nothing else."""
    names = available_timezones()
    for column in columns:
        zones = [str(value) for value in column.values["value"]] if 0 < column.distinct <= _MOST_ZONES else []
        if zones and all(zone in names and ("/" in zone or zone == "UTC") for zone in zones):
            words: dict[str, Value] = {zone: zone for zone in sorted(zones)}
            return {"from": column.name, "words": words}
    return None
