"""Every column of every call, mapped by all processes: a row costs microseconds, wherever it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.calls.filter import value_of
from supportapi.measures.tally import COUNTS, RATINGS
from supportapi.rollups.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from supportapi.calls.selection import SortColumn
    from supportapi.rollups.codes import RowCodes, Rows

WORDS: Final = ("customer_id", "agent_name", "resolution")
"""The columns that no aggregate knows, each a list of its words and a number for each row."""

ORDERED: Final[tuple[SortColumn, ...]] = ("duration_seconds", "wait_seconds", "rating", "agent_name")
"""The columns, beside the time, that rows are kept in the order of."""

_MICROSECONDS: Final = 1_000_000


class Words(msgspec.Struct, frozen=True):
    """A column of words. `codes` numbers those of `texts`, which are sorted; `len(texts)` where it is not known.

    `lowered` are the same texts in lower case.
    """

    texts: Texts
    lowered: Texts
    codes: NDArray[Any]


class CallRows:
    """The calls by row number, which is their place in the order of `started_at`, then `call_id`.

    `ids` (and in lower case `lowered`) stand in order of rows; `by_id` lists the rows in order of their ids, and
    `id_rank` says where each row stands there: both are empty where ids rise with rows. For each column of `ORDERED`,
    `ordered` lists the rows upwards, ties by id, those without a value last, and `known` says how many have one.
    `microsecond` is what a start has beyond its second, empty where nothing has; `beyond` what the time from start
    to end has beyond wait and duration in steps of `beyond_unit` microseconds, the least number there is where the end
    is not known; empty where no call has anything. `name_pairs` lists which agents (codes) ever had which names.
    """

    def __init__(
        self, codes: RowCodes, members: Mapping[str, Sequence[str]], words: Mapping[str, Words], parts: RowParts
    ) -> None:
        self.codes = codes
        self.words = words
        self.parts = parts
        self.values = {name: [value_of(key) for key in keys] for name, keys in members.items()}
        count = {name: codes.classes[:, COUNTS.index(name)].astype(bool) for name in COUNTS}
        self.known = {"wait": count["wait_known"], "duration": count["duration_known"]}
        self.short_abandon = count["short_abandons"]
        self.answered = _flags(count["answered"], count["unanswered"])
        self.resolved = _flags(count["resolved"], count["resolved_known"] & ~count["resolved"])
        self.rating = sum((count[f"rating_{rating}"] * rating for rating in RATINGS), np.zeros(len(codes.classes), int))

    def __len__(self) -> int:
        return self.codes.rows

    @property
    def id_order(self) -> NDArray[np.uint32] | None:
        """The rows in order of their ids; None where they stand so."""
        return self.parts.by_id if len(self.parts.by_id) else None

    @cached_property
    def lowered_agents(self) -> list[bytes]:
        """The ids of all known agents, in lower case, by code."""
        return [value.lower().encode() for value in self.values["agent_id"] if value is not None]

    @cached_property
    def columns(self) -> dict[str, Callable[[NDArray[Any]], list[Any]]]:
        """How each column's values are read for some rows."""
        return {
            "call_id": self.parts.ids.take,
            **{name: _reader(self.values[name], self.codes.columns[name]) for name in self.values},
            **{name: _word_reader(words) for name, words in self.words.items()},
            "started_at": lambda rows: _instants(self.started_us(rows)),
            "ended_at": self._ended,
            "wait_seconds": lambda rows: self._seconds("wait", rows),
            "duration_seconds": lambda rows: self._seconds("duration", rows),
            "answered": lambda rows: self._of_class(_KNOWN_FLAGS, self.answered, rows),
            "resolved": lambda rows: self._of_class(_KNOWN_FLAGS, self.resolved, rows),
            "rating": lambda rows: self._of_class((None, *RATINGS), self.rating, rows),
        }

    def take(self, rows: NDArray[Any], columns: Sequence[str] | None = None) -> dict[str, list[Any]]:
        """The values of some rows, in their order, by column: of `columns`, or of all there are."""
        return {name: self.columns[name](rows) for name in columns or self.columns}

    def find(self, call_id: str) -> int | None:
        """The row of the call with this id, or None."""
        wanted, order = call_id.encode(), self.id_order
        first, _ = self.parts.ids.starting_with(wanted, order)
        if first == len(self):
            return None
        row = first if order is None else int(order[first])
        return row if self.parts.ids[row] == wanted else None

    def rank(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Where rows stand in the order of ids."""
        return self.parts.id_rank[rows] if len(self.parts.id_rank) else rows

    def at_rank(self, ranks: NDArray[Any]) -> NDArray[Any]:
        """The rows that stand there in the order of ids."""
        return self.parts.by_id[ranks] if len(self.parts.by_id) else ranks

    def sort_values(self, column: SortColumn, rows: Rows) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Numbers that stand in the same order as the values of `column`, and which of them are known."""
        if column == "started_at":
            started = self.started_us(rows)
            return started, np.ones(len(started), dtype=bool)
        if column in self.words:
            codes = self.words[column].codes[rows]
            return codes, codes < len(self.words[column].texts)
        if column == "rating":
            ratings = self.codes.columns["rating"][rows]
            return ratings, ratings > 0
        of = column.removesuffix("_seconds")
        steps = self.codes.columns[f"{of}_steps"][rows]
        known = self.known[of]
        if known.all():
            return steps, np.ones(len(steps), dtype=bool)
        ordered = self.parts.ordered.get(column)
        if ordered is not None and self.parts.known[column] and self.codes.columns[f"{of}_steps"][ordered[0]]:
            return steps, steps > 0  # the least known one is not 0, as the unknown ones stand
        return steps, np.take(known, self.codes.columns["class"][rows], mode="clip")

    def started_us(self, rows: Rows) -> NDArray[np.int64]:
        """When calls started, in microseconds since 1970."""
        micros = (self.codes.columns["second"][rows].astype(np.int64) + self.codes.base_second) * _MICROSECONDS
        return micros + self.parts.microsecond[rows] if len(self.parts.microsecond) else micros

    def ended_us(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """When calls ended, in microseconds since 1970, and of which of them that is known."""
        ended = self.started_us(rows) + self.codes.taken_us(rows)
        if not len(self.parts.beyond):
            return ended, np.ones(len(ended), dtype=bool)
        beyond = self.parts.beyond[rows]
        known = beyond != np.iinfo(beyond.dtype).min
        return ended + np.where(known, beyond, 0).astype(np.int64) * int(self.parts.beyond_unit[0]), known

    def _ended(self, rows: NDArray[Any]) -> list[datetime | None]:
        ended, known = self.ended_us(rows)
        return [end if told else None for end, told in zip(_instants(ended), known.tolist(), strict=True)]

    def _seconds(self, of: str, rows: NDArray[Any]) -> list[float | None]:
        known = self.known[of][self.codes.columns["class"][rows]].tolist()
        seconds = (self.codes.columns[f"{of}_steps"][rows].astype(np.int64) * self.codes.step_ms / 1000).tolist()
        return [second if told else None for second, told in zip(seconds, known, strict=True)]

    def _of_class(self, values: Sequence[Any], number: NDArray[Any], rows: NDArray[Any]) -> list[Any]:
        return [values[at] for at in number[self.codes.columns["class"][rows]].tolist()]


class RowParts(msgspec.Struct, frozen=True):
    """The arrays of `CallRows` that are its own; see there."""

    ids: Texts
    lowered: Texts
    by_id: NDArray[np.uint32]
    id_rank: NDArray[np.uint32]
    ordered: dict[str, NDArray[np.uint32]]
    known: dict[str, int]
    microsecond: NDArray[np.int32]
    beyond: NDArray[Any]
    beyond_unit: NDArray[np.int64]
    name_pairs: NDArray[np.uint32]


_KNOWN_FLAGS: Final = (None, True, False)


def _flags(true: NDArray[np.bool_], false: NDArray[np.bool_]) -> NDArray[np.int8]:
    """The place in `_KNOWN_FLAGS` of each class's flag."""
    return true.astype(np.int8) + 2 * false.astype(np.int8)


def _reader(values: Sequence[str | None], codes: NDArray[Any]) -> Callable[[NDArray[Any]], list[str | None]]:
    return lambda rows: [values[code] for code in codes[rows].tolist()]


def _word_reader(words: Words) -> Callable[[NDArray[Any]], list[str | None]]:
    unknown, texts = len(words.texts), words.texts
    return lambda rows: [None if code == unknown else texts[code].decode() for code in words.codes[rows].tolist()]


def _instants(microseconds: NDArray[np.int64]) -> list[datetime]:
    moments: list[datetime] = microseconds.astype("datetime64[us]").tolist()
    return [moment.replace(tzinfo=UTC) for moment in moments]
