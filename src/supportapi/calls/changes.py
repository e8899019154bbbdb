"""What differs between two sets of calls, told apart by `call_id`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta as Doc


class DayChanges(msgspec.Struct, frozen=True, kw_only=True):
    """One day on which something differs. A changed call counts on the day that it has after the change."""

    day: date
    added: int
    removed: int
    changed: int


class ColumnChanges(msgspec.Struct, frozen=True, kw_only=True):
    """One column in which changed calls differ."""

    column: Annotated[str, Doc(examples=["rating"])]
    calls: int


class ChangedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that both sides have, and where it differs."""

    call_id: str
    columns: tuple[str, ...]


class Examples(msgspec.Struct, frozen=True, kw_only=True):
    """The first few of each kind, in order of time."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[ChangedCall, ...]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls were added, removed and changed: in all, by day, and by column, the most frequent one first."""

    added: int
    removed: int
    changed: int
    days: tuple[DayChanges, ...]
    columns: tuple[ColumnChanges, ...]
    examples: Examples
