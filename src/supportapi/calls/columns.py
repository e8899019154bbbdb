"""What a mapping may say about each column of a call (see `docs/mapping.md`)."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from supportapi.calls.conditions import Condition
from supportapi.calls.decode import Table, Words
from supportapi.calls.words import FALSE_WORDS, TRUE_WORDS

ISO, EXCEL, NUMBER = "iso", "excel", "number"
EPOCHS: Final = {
    "epoch_seconds": 1,
    "epoch_milliseconds": 10**3,
    "epoch_microseconds": 10**6,
    "epoch_nanoseconds": 10**9,
}
"""Named formats of the time since 1970, and how many of their units a second has."""
NAMED_FORMATS: Final = (ISO, *EPOCHS, EXCEL)
UNITS: Final = (
    "seconds", "milliseconds", "minutes", "hours", "h:mm:ss", "h:mm", "m:ss", "iso8601", "excel_days", "words",
)  # fmt: skip
ENDED_AT_SUMS: Final = ("started_at + wait_seconds + duration_seconds", "started_at + duration_seconds")
_WORST, _BEST = 1, 5

Take = Literal["first", "last", "min", "max", "sum", "any", "all"]


class ZoneColumn(Table, frozen=True, kw_only=True):
    """The zone of a row's clock stands in another column, by `words` that stand for IANA names."""

    source: str = msgspec.field(name="from")
    words: dict[str, str]


class Column(Table, frozen=True, kw_only=True):
    """What every column may say: where its value comes from, and which rows mean it.

    `sources` are joined, of `first_of` the first that is known counts; `take` says which value a folded call has.
    """

    sources: Words = msgspec.field(default=(), name="from")
    first_of: Words = ()
    constant: str | None = None
    null_words: Words = ()
    only_when: Condition | None = None
    take: Take | None = None


class TextColumn(Column, frozen=True, kw_only=True):
    """Text; several sources are joined. `words` replaces a source's words, `other` all that are not listed there."""

    join: str = "-"
    words: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    other: str | None = None


class InstantColumn(Column, frozen=True, kw_only=True):
    """An instant; several sources (a date and a time) are joined before they are read by `formats`, tried in order.

    Without `formats` those of `started_at` count. `offsets` are what abbreviations at the end of a value stand for.
    """

    join: str = " "
    formats: Words = ()
    time_zone: str | ZoneColumn | None = None
    offsets: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    unreadable: Literal["reject", "null"] = "reject"
    derive: str | None = None
    next_day_when_before_start: bool = False


class SecondsColumn(Column, frozen=True, kw_only=True):
    """A length of time in one of the `unit`s, tried in order; or the time between two instants."""

    unit: Words = ("seconds",)
    between: tuple[InstantColumn, InstantColumn] | None = None
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    unreadable: Literal["reject", "null"] = "reject"
    outside: Literal["reject", "null"] = "null"


class FlagColumn(Column, frozen=True, kw_only=True):
    """Yes or no: by words, `other` says what any other word means; or by what `when` asks."""

    when: Condition | None = None
    true_words: Words = TRUE_WORDS
    false_words: Words = FALSE_WORDS
    other: Literal["reject", "null", "true", "false"] = "reject"


class RatingScale(Table, frozen=True, kw_only=True):
    """The source's scale from its worst value to its best, the part of 1-5 that it becomes, and how."""

    first: tuple[float, float] = msgspec.field(name="from")
    to: tuple[int, int] = (_WORST, _BEST)
    rule: str = "linear"


class RatingColumn(Column, frozen=True, kw_only=True):
    """A rating of 1-5, or of another scale with the rule that maps it; `words` stand for numbers of that scale."""

    words: dict[str, float] = msgspec.field(default_factory=dict[str, float])
    rating_scale: RatingScale | None = None
    decimal: Literal[".", ","] = "."
    unreadable: Literal["reject", "null"] = "reject"
    outside: Literal["reject", "null"] = "null"


class MappedColumns(Table, frozen=True, kw_only=True):
    """Our columns; one that is left out is null in every call."""

    call_id: TextColumn = TextColumn()
    customer_id: TextColumn | None = None
    agent_id: TextColumn | None = None
    agent_name: TextColumn | None = None
    region: TextColumn | None = None
    channel: TextColumn | None = None
    issue_type: TextColumn | None = None
    started_at: InstantColumn = InstantColumn()
    ended_at: InstantColumn | None = None
    wait_seconds: SecondsColumn | None = None
    duration_seconds: SecondsColumn | None = None
    answered: FlagColumn | None = None
    resolved: FlagColumn | None = None
    resolution: TextColumn | None = None
    rating: RatingColumn | None = None

    def given(self) -> dict[str, Column]:
        """The columns that the mapping names."""
        values: dict[str, Column | None] = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: column for name, column in values.items() if column is not None}

    def instants(self) -> dict[str, InstantColumn]:
        """Everything that is read as an instant, by a name of its own: our columns, and the two of each `between`."""
        found: dict[str, InstantColumn] = {}
        for name, column in self.given().items():
            if isinstance(column, InstantColumn) and column.derive is None:
                found[name] = column
            elif isinstance(column, SecondsColumn) and column.between is not None:
                found |= dict(zip(between_slots(name), column.between, strict=True))
        return found

    def formats(self, column: InstantColumn) -> Words:
        """The formats of `column`, which are those of `started_at` when it names none."""
        return column.formats or self.started_at.formats or (ISO,)


def between_slots(name: str) -> tuple[str, str]:
    """The columns that hold the two instants between which the length `name` lies."""
    return f"__begin:{name}", f"__end:{name}"
