"""Two sets of calls compared row by row, a slice of time after the other, so that memory stays bounded."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.changes import ChangedCall, Changes, ColumnChanges, DayChanges, Examples
from supportapi.calls.record import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable

SLICE_CALLS: Final = 500_000
"""So many calls of both sides together are held at once, unless a single day has more."""

EXAMPLES: Final = 5

_COLUMNS: Final = tuple(name for name in SCHEMA if name != "call_id")
_STARTED: Final = pl.col("started_at")


_KEPT: Final = {"call_id": SCHEMA["call_id"], "started_at": SCHEMA["started_at"]}


def changes(before: pl.LazyFrame, after: pl.LazyFrame, zone: str, *, slice_calls: int = SLICE_CALLS) -> Changes:
    """What must be added to, removed from and changed in `before` to get `after`, by days of `zone`.

    Both are canonical calls; ids are unique on each side. Of calls that have no partner in their own slice of time only
    ids and instants are kept, to find those that moved to another one.
    """
    found = _Found(zone)
    gone, fresh = [pl.DataFrame(schema=_KEPT)], [pl.DataFrame(schema=_KEPT)]
    for first, end in _slices(before, after, slice_calls):
        old, new = (
            rows.filter(first <= _STARTED, end > _STARTED).collect(engine="streaming") for rows in (before, after)
        )
        found.compare(old, new)
        gone.append(old.join(new, on="call_id", how="anti").select(*_KEPT))
        fresh.append(new.join(old, on="call_id", how="anti").select(*_KEPT))
    removed, added = pl.concat(gone), pl.concat(fresh)
    moved = removed.join(added, on="call_id", how="semi").select("call_id")
    for some in moved.iter_slices(slice_calls):
        old, new = (
            rows.join(some.lazy(), on="call_id", how="semi").collect(engine="streaming") for rows in (before, after)
        )
        found.compare(old, new)
    found.removed = removed.join(moved, on="call_id", how="anti")
    found.added = added.join(moved, on="call_id", how="anti")
    return found.summed()


class _Found:
    """What was found so far."""

    def __init__(self, zone: str) -> None:
        self._day = _STARTED.dt.convert_time_zone(zone).dt.date().alias("day")
        self._changed_on: Counter[date] = Counter()
        self._columns: Counter[str] = Counter()
        self._examples: list[tuple[datetime, ChangedCall]] = []
        self.added = pl.DataFrame(schema=_KEPT)
        self.removed = pl.DataFrame(schema=_KEPT)

    def compare(self, old: pl.DataFrame, new: pl.DataFrame) -> None:
        """Note where the calls that both frames have differ."""
        both = new.join(old, on="call_id", how="inner", suffix=" before")
        differs = both.select("call_id", "started_at", *(_differs(name) for name in _COLUMNS))
        changed = differs.filter(pl.any_horizontal(f"{name} differs" for name in _COLUMNS))
        self._changed_on.update(self._by_day(changed))
        for name in _COLUMNS:
            self._columns[name] += int(changed.get_column(f"{name} differs").sum())
        for row in changed.sort("started_at", "call_id").head(EXAMPLES).iter_rows(named=True):
            columns = tuple(name for name in _COLUMNS if row[f"{name} differs"])
            self._examples.append((row["started_at"], ChangedCall(call_id=row["call_id"], columns=columns)))

    def summed(self) -> Changes:
        """All of it."""
        added, removed, changed = self._by_day(self.added), self._by_day(self.removed), self._changed_on
        self._examples.sort(key=lambda example: (example[0], example[1].call_id))
        return Changes(
            added=added.total(),
            removed=removed.total(),
            changed=changed.total(),
            days=tuple(
                DayChanges(day=day, added=added[day], removed=removed[day], changed=changed[day])
                for day in sorted({*added, *removed, *changed})
            ),
            columns=tuple(ColumnChanges(column=name, calls=n) for name, n in self._columns.most_common() if n),
            examples=Examples(
                added=_first(self.added),
                removed=_first(self.removed),
                changed=tuple(call for _, call in self._examples[:EXAMPLES]),
            ),
        )

    def _by_day(self, calls: pl.DataFrame) -> Counter[date]:
        return Counter(dict(calls.group_by(self._day).len().iter_rows()))


def _differs(name: str) -> pl.Expr:
    return pl.col(name).ne_missing(pl.col(f"{name} before")).alias(f"{name} differs")


def _first(calls: pl.DataFrame) -> tuple[str, ...]:
    return tuple(calls.sort("started_at", "call_id").head(EXAMPLES).get_column("call_id"))


def _slices(before: pl.LazyFrame, after: pl.LazyFrame, slice_calls: int) -> Iterable[tuple[datetime, datetime]]:
    """Spans of whole UTC days that hold all calls of both frames, each with as many calls as may be held at once."""
    midnight = _STARTED.dt.truncate("1d").alias("day")
    counted = pl.concat([before.select(midnight), after.select(midnight)]).group_by("day").len()
    days: list[tuple[datetime, int]] = counted.sort("day").collect(engine="streaming").rows()
    held, first = 0, None
    for day, calls in days:
        if first is not None and held + calls > slice_calls:
            yield first, day
            held, first = 0, None
        held, first = held + calls, first or day
    if first is not None:
        yield first, days[-1][0] + timedelta(days=1)
