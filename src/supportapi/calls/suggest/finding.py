"""What is found for one of our columns, and what a person has to decide: the parts that a suggestion is made of."""

from __future__ import annotations

from typing import Final

import msgspec

DECIDE: Final = "DECIDE"
"""Stands where only a person knows the value. No field accepts it, so nothing is ingested before it is replaced."""
ORIGINS: Final = ("between", "when", "first_of")
"""Fields that say where a value comes from, instead of `from`."""

Value = str | bool | float | tuple["Value", ...] | dict[str, "Value"]
"""What a field of a mapping may hold."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a mapping for one of our columns; without `sources` only a person can write them.

    `sources` are the columns that it is made of: `from`, unless one of `fields` says another origin. `why` is the
    evidence. `decide` says what a person should look at: of these lines where a value is `DECIDE`, ingest refuses until
    it is replaced. `offered` are lines to use instead, written as comments.
    """

    column: str
    sources: tuple[str, ...]
    fields: dict[str, Value] = {}
    why: tuple[str, ...] = ()
    decide: tuple[str, ...] = ()
    offered: tuple[dict[str, Value], ...] = ()

    @property
    def lines(self) -> dict[str, Value]:
        """Every field that is written, the origin first."""
        origin: dict[str, Value] = {} if any(name in self.fields for name in ORIGINS) else {"from": self.sources}
        return origin | self.fields


class Folding(msgspec.Struct, frozen=True):
    """The table `[fold]`, for rows that are parts of one call."""

    fields: dict[str, Value]
    why: str
    decide: str


class Left(msgspec.Struct, frozen=True):
    """A source column that stays out, why, and a few of its values (none where they are personal)."""

    source: str
    why: str
    examples: str = ""
