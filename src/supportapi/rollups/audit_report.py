"""What an audit asked, and how near both ways of answering came: kept with the version that it let pass."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta as Doc

from supportapi.calls.filter import Filter


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one question, both ways."""

    measure: Annotated[str, Doc(examples=["wait_p95"])]
    cell: Annotated[
        str | None, Doc(description="The member, the bucket of time, or both; null for the question as a whole.")
    ]
    expected: Annotated[float | None, Doc(description="From the plain rows; null where nothing is known.")]
    found: Annotated[float | None, Doc(description="From the rollup.")]

    @property
    def deviation(self) -> float:
        """How far apart they are, as a share of what is expected."""
        if self.expected is None or self.found is None:
            return 0.0 if self.expected is self.found else math.inf
        apart = abs(self.expected - self.found)
        return apart / abs(self.expected) if self.expected else math.inf if apart else 0.0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question of an audit. Of each measure the first 5 mismatches are listed."""

    timezone: str
    from_: Annotated[date, Doc(description="First day.")] = msgspec.field(name="from")
    to: Annotated[date, Doc(description="The day after the last one.")]
    filter: Filter
    by: Annotated[tuple[str, ...], Doc(description="The axes that it was parted by: members, then time.")]
    calls: Annotated[Compared, Doc(description="How many calls it is about.")]
    values: Annotated[int, Doc(description="How many values were compared.")]
    largest_deviation: Annotated[
        Compared | None,
        Doc(
            description="Of the values that may deviate (percentiles) the one that does most; null when all are equal."
        ),
    ]
    mismatches: Annotated[tuple[Compared, ...], Doc(description="Values on which rows and rollup disagree.")]


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was asked before a version was published; equal seeds ask the same of equal data."""

    queries: int
    seed: int
    seconds: float | None
    values: Annotated[int, Doc(description="How many values were compared in all.")]
    questions: tuple[Asked, ...]

    @property
    def mismatches(self) -> tuple[Compared, ...]:
        """Every listed mismatch of every question."""
        return tuple(mismatch for asked in self.questions for mismatch in asked.mismatches)

    @property
    def passed(self) -> bool:
        """Whether the version may be published."""
        return not self.mismatches

    def failing(self, most: int) -> list[dict[str, Any]]:
        """The first `most` questions with a mismatch, as JSON values, each with the first `most` of its mismatches."""
        wrong = [asked for asked in self.questions if asked.mismatches][:most]
        return [
            msgspec.to_builtins(msgspec.structs.replace(asked, mismatches=asked.mismatches[:most])) for asked in wrong
        ]
