"""Everything that answers questions about one version: by cells where they know enough, else by a scan of codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.calls.window import Window
from supportapi.rollups.call_index import CallIndex, Remembered
from supportapi.rollups.codes import RowCodes
from supportapi.rollups.packing import (
    ZoneHeader,
    calls_arrays,
    codes_arrays,
    read_calls,
    read_codes,
    read_zone,
    zone_arrays,
    zone_header,
)
from supportapi.rollups.questions import Answer, Measured, Member, Question, Source
from supportapi.rollups.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from supportapi.calls.filter import Filter
    from supportapi.rollups.call_rows import CallRows
    from supportapi.rollups.plan import Zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a version beside its arrays.

    `members` lists each dimension's members by code, the unknown one last; `unknown_occurs` says whether any call has
    it. `buckets` is the number of sketch buckets in use for `wait` and for `duration`. `agent_names` lists the names of
    those agents that had several, the newest one last.
    """

    rows: int
    first_us: int | None
    last_us: int | None
    columns_present: tuple[str, ...]
    members: dict[str, tuple[Member, ...]]
    unknown_occurs: dict[str, bool]
    buckets: dict[Measured, int]
    agent_names: dict[str, tuple[str, ...]]


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    facts: Facts
    base_second: int
    step_ms: int
    zones: tuple[ZoneHeader, ...]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody sees of a version who may see the calls of some regions only (see `limited.limited_to`).

    `occurring` has the codes of each dimension's members that have such calls, `data` the days with such calls in each
    zone. Of `rejudged` (row numbers) it shows that other calls of their customer decide otherwise than the cells, and
    `judged_by_all`, have it. `remembered` is that of the whole version.
    """

    occurring: dict[str, NDArray[np.intp]]
    data: dict[str, Window]
    rejudged: NDArray[np.intp]
    judged_by_all: RowCodes
    remembered: Remembered

    @property
    def regions(self) -> NDArray[np.intp]:
        """The codes of the regions that are shown."""
        return self.occurring["region"]


class Aggregates:
    """One version's cells, row codes and calls; with a `view`, those of some regions, and nothing else of them.

    `pairs`, shape `(pairs, 2)`, holds the agent and region codes of each combination that occurs, sorted; `occurring`
    the codes of each dimension's members that have calls.
    """

    def __init__(
        self,
        facts: Facts,
        zones: Mapping[str, Zone],
        pairs: NDArray[Any],
        codes: RowCodes,
        calls: CallRows,
        view: View | None = None,
    ) -> None:
        self.view = view
        self.facts = facts
        self.zone_of = zones
        self.pairs = pairs
        self.codes = codes
        self.calls = calls
        self.zones: tuple[str, ...] = tuple(zones)
        self.row_count = facts.rows
        self.columns_present = frozenset(facts.columns_present)
        self.min_started_at = _instant(facts.first_us)
        self.max_started_at = _instant(facts.last_us)
        self.stored = _every_member(facts)
        """The codes of the members that occur, whether a view shows them or not: no cell knows any other."""
        self.occurring = view.occurring if view is not None else self.stored
        self._code_of: dict[str, dict[str, int]] = {
            name: {member.key: code for code, member in zip(codes.tolist(), self.members(name), strict=True)}
            for name, codes in self.occurring.items()
        }

    def data_window(self, zone: str) -> Window:
        """From the first day with data up to the day after the last, in `zone`; empty when there are no rows."""
        return self.zone_of[zone].data if self.view is None else self.view.data[zone]

    def members(self, dimension: str) -> tuple[Member, ...]:
        """The members of `region`, `issue_type`, `channel` or `agent_id`, sorted by value, unknown last."""
        members = self.facts.members[dimension]
        codes: list[int] = self.occurring[dimension].tolist()
        return tuple(members[code] for code in codes)

    def select(self, zone: str, window: Window, limits: Filter) -> Selection:
        """The calls of a window that `limits` leave, to be asked several questions."""
        return Selection(self, zone, window, self.codes_left(limits))

    def codes_left(self, limits: Filter) -> dict[str, NDArray[np.intp]]:
        """The codes of the members that are left of each limited dimension: here a view's rule meets a question."""
        always: dict[str, NDArray[np.intp]] = {} if self.view is None else {"region": self.view.regions}
        return always | {name: self.codes_of(name, limits.members(name)) for name in limits.limited}

    def shows(self, row: int) -> bool:
        """Whether the call of a row is one of those that may be seen."""
        return self.view is None or bool(self.codes.columns["region"][row] in self.view.regions)

    def tally(self, question: Question) -> Answer:
        """What `question` asks for, alone."""
        return self._selection(question).tally(question.by)

    def histogram(self, question: Question, of: Measured) -> tuple[NDArray[np.int64], Source]:
        """`Selection.histogram` of `question` alone."""
        return self._selection(question).histogram(of, question.by)

    def longest_wait(self, question: Question) -> NDArray[np.float64]:
        """`Selection.longest_wait` of `question` alone."""
        return self._selection(question).longest_wait(question.by)

    def estimated_rows(self, question: Question) -> int:
        """How many rows a scan would touch to answer `question`; 0 when cells answer it."""
        return self._selection(question).estimated_rows(question.by)

    def codes_of(self, dimension: str, keys: Iterable[str]) -> NDArray[np.intp]:
        """The codes of the members that `keys` name, in order; a key that names no member is left out."""
        codes = self._code_of[dimension]
        return np.array(sorted(codes[key] for key in keys if key in codes), dtype=np.intp)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A header of plain values (MessagePack holds it) and the arrays by name."""
        header = _Header(
            facts=self.facts,
            base_second=self.codes.base_second,
            step_ms=self.codes.step_ms,
            zones=tuple(zone_header(name, zone) for name, zone in self.zone_of.items()),
        )
        arrays = {"pairs": self.pairs, **codes_arrays(self.codes), **calls_arrays(self.calls)}
        for zone in self.zone_of.values():
            arrays |= zone_arrays(zone)
        plain: dict[str, Any] = msgspec.to_builtins(header)
        return plain, arrays

    @classmethod
    def from_arrays(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Aggregates:
        """The aggregates of `to_arrays`; the arrays are only read, and never copied."""
        read = msgspec.convert(header, _Header)
        zones = {zone.name: read_zone(position, zone, arrays) for position, zone in enumerate(read.zones)}
        codes = read_codes(read.base_second, read.step_ms, arrays)
        return cls(read.facts, zones, arrays["pairs"], codes, read_calls(codes, keys_of(read.facts), arrays))

    @cached_property
    def call_index(self) -> CallIndex:
        """Lists the calls themselves."""
        return CallIndex(self)

    @cached_property
    def pair_keys(self) -> list[tuple[str, str]]:
        """The keys of the agent and the region of each of `pairs`."""
        agents, regions = self.facts.members["agent_id"], self.facts.members["region"]
        rows: list[list[int]] = self.pairs.tolist()
        return [(agents[agent].key, regions[region].key) for agent, region in rows]

    def _selection(self, question: Question) -> Selection:
        return self.select(question.zone, question.window, question.filter)


def _every_member(facts: Facts) -> dict[str, NDArray[np.intp]]:
    return {
        name: np.arange(len(members) - (not facts.unknown_occurs[name]), dtype=np.intp)
        for name, members in facts.members.items()
    }


def keys_of(facts: Facts) -> dict[str, list[str]]:
    """The keys of each dimension's members by code."""
    return {name: [member.key for member in members] for name, members in facts.members.items()}


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
