"""What the calls of each day are, in a few bytes: two datasets differ on just the days whose digests do."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from supportapi.calls.record import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

Digests = dict[date, str]


def day_digests(calls: pl.LazyFrame, zone: str) -> Digests:
    """A digest of the calls of each day of `zone` that has any, whatever their order.

    They are equal for equal rows and the same Polars; another one may hash otherwise, and then every day differs.
    """
    found = (
        calls.select(
            pl.col("started_at").dt.convert_time_zone(zone).dt.date().alias("day"),
            pl.struct(*COLUMNS).hash(0).alias("digest"),
        )
        .group_by("day")
        .agg(pl.len(), pl.col("digest").bitwise_xor())
        .sort("day")
        .collect(engine="streaming")
    )
    return {day: _told(calls_of_day, digest) for day, calls_of_day, digest in found.iter_rows()}


def added_up(parts: Iterable[Digests]) -> Digests:
    """The digests of all calls together, from those of some of them each."""
    calls: dict[date, int] = {}
    digests: dict[date, int] = {}
    for part in parts:
        for day, told in part.items():
            count, _, digest = told.partition("-")
            calls[day] = calls.get(day, 0) + int(count)
            digests[day] = digests.get(day, 0) ^ int(digest, 16)
    return {day: _told(calls[day], digests[day]) for day in sorted(calls)}


def changed_days(before: Digests, after: Digests) -> list[date]:
    """The days that have other calls in one than in the other, in order."""
    return sorted(day for day in before.keys() | after.keys() if before.get(day) != after.get(day))


def _told(calls: int, digest: int) -> str:
    return f"{calls}-{digest:016x}"
