"""What can be wrong with a value, and whether its row is then no call or only the value null."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import polars as pl

from supportapi.calls.columns import Column, FlagColumn, InstantColumn, RatingColumn, SecondsColumn, between_slots
from supportapi.calls.slots import CLOCK, NUMBER_OF, TEXT

if TYPE_CHECKING:
    from supportapi.calls.mapping import Mapping


class Fault(msgspec.Struct, frozen=True):
    """`test` says of which rows it is true; `refuses` whether such a row is no call."""

    reason: str
    column: str
    test: pl.Expr
    refuses: bool


def faults_of(mapping: Mapping) -> list[Fault]:
    """Everything that can be wrong with the texts of a row, by column."""
    return [fault for name, column in mapping.columns.given().items() for fault in _faults(name, column, mapping)]


def _faults(name: str, column: Column, mapping: Mapping) -> list[Fault]:
    match column:
        case InstantColumn() if column.derive is None:
            # A call without a start is none, whatever is wrong with it.
            return _instant_faults(name, {name: column}, mapping, name == "started_at" or column.unreadable == "reject")
        case SecondsColumn(between=(begin, end)):
            parts = dict(zip(between_slots(name), (begin, end), strict=True))
            return _instant_faults(name, parts, mapping, column.unreadable == "reject")
        case SecondsColumn():
            return [Fault(f"{name}_unreadable", name, _wrong(name), column.unreadable == "reject")]
        case FlagColumn(when=None):
            return [Fault(f"{name}_unknown_word", name, _wrong(name), column.other == "reject")]
        case RatingColumn():
            read = pl.col(f"{NUMBER_OF}{name}").is_not_null()
            return [
                Fault(f"{name}_unreadable", name, _wrong(name) & ~read, column.unreadable == "reject"),
                Fault(f"{name}_outside_scale", name, _wrong(name) & read, column.outside == "reject"),
            ]
        case _:
            return []


def _instant_faults(name: str, parts: dict[str, InstantColumn], mapping: Mapping, refuses: bool) -> list[Fault]:  # noqa: FBT001 - a fact
    """A clock time that cannot be placed is told apart from a text that says no time."""
    placeless = {slot: _wrong(slot) & pl.col(f"{CLOCK}{slot}").is_not_null() for slot in parts}
    zoneless = [slot for slot, column in parts.items() if (column.time_zone or mapping.time_zone) is None]
    zoned = [slot for slot in parts if slot not in zoneless]
    wrong = pl.any_horizontal(_wrong(slot) for slot in parts)
    told = {"without_time_zone": zoneless, "not_in_time_zone": zoned}
    return [
        *(
            Fault(f"{name}_{reason}", name, pl.any_horizontal(placeless[slot] for slot in slots), refuses)
            for reason, slots in told.items()
            if slots
        ),
        Fault(f"{name}_unreadable", name, wrong & ~pl.any_horizontal(placeless.values()), refuses),
    ]


def _wrong(slot: str) -> pl.Expr:
    return pl.col(f"{TEXT}{slot}").is_not_null() & pl.col(slot).is_null()
