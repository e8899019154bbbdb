"""A version as somebody sees it who may see the calls of some regions only: the same arrays, and no other calls."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from supportapi.calls.filter import DIMENSIONS, value_of
from supportapi.calls.window import Window
from supportapi.measures.tally import COUNTS, REPEAT_COUNTS
from supportapi.rollups.aggregates import Aggregates, View, keys_of
from supportapi.rollups.call_rows import CallRows
from supportapi.rollups.codes import RowCodes, one_of
from supportapi.rollups.follow_ups import COUNTED, judged
from supportapi.rollups.plan import NO_DAYS
from supportapi.rollups.questions import Member

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.rollups.aggregates import Facts
    from supportapi.rollups.plan import Zone

_CHUNK: Final = 1 << 20
_ALWAYS: Final = ("call_id", "started_at")
_RESOLVED: Final = COUNTS.index("resolved")
_JUDGED: Final = [COUNTS.index(name) for name in REPEAT_COUNTS]
_NUMBERED: Final = np.array([1, 2, 1], np.int8)
"""What each of `REPEAT_COUNTS` adds to the number of a verdict (see `COUNTED`)."""

Rows = NDArray[np.intp]


def limited_to(aggregates: Aggregates, regions: Iterable[str]) -> Aggregates:
    """What `aggregates` would be if the dataset held the calls of these `regions` (keys of members) alone.

    Every answer is that of such a dataset, from the arrays of the whole one: cells of other regions are left out when
    they are added up. What calls of other regions decide is decided anew: the days with data, which members and
    columns there are, agents' newest names, and whether a customer called again.
    """
    shown = aggregates.codes_of("region", regions)
    rows = np.flatnonzero(one_of(shown)(aggregates.codes.columns["region"]))
    facts = _facts(aggregates, rows)
    codes, rejudged = _judged_anew(aggregates, rows)
    view = View(
        occurring={name: _occurring(aggregates, name, rows) for name in DIMENSIONS},
        data={name: _days(aggregates.codes, zone, rows) for name, zone in aggregates.zone_of.items()},
        rejudged=rejudged,
        judged_by_all=aggregates.codes,
        remembered=aggregates.call_index.remembered,
    )
    calls = CallRows(codes, keys_of(facts), aggregates.calls.words, aggregates.calls.parts)
    return Aggregates(facts, aggregates.zone_of, aggregates.pairs, codes, calls, view)


def _occurring(aggregates: Aggregates, name: str, rows: Rows) -> NDArray[np.intp]:
    return np.flatnonzero(np.bincount(aggregates.codes.columns[name][rows]))


def _days(codes: RowCodes, zone: Zone, rows: Rows) -> Window:
    if not len(rows):
        return NO_DAYS
    days = codes.columns[f"day_{zone.position}"][rows]
    first, last = int(days.min()), int(days.max())
    return Window(zone.data.start + timedelta(days=first), zone.data.start + timedelta(days=last + 1))


def _facts(aggregates: Aggregates, rows: Rows) -> Facts:
    facts, started = aggregates.facts, aggregates.calls.started_us(rows[[0, -1]] if len(rows) else rows).tolist()
    agents, names = facts.members["agent_id"], _names(aggregates, rows)
    labelled = (Member(one.key, names[code][-1] if code in names else _unnamed(one)) for code, one in enumerate(agents))
    return msgspec.structs.replace(
        facts,
        rows=len(rows),
        first_us=min(started, default=None),
        last_us=max(started, default=None),
        columns_present=tuple(name for name in aggregates.calls.columns if _is_present(aggregates, name, rows)),
        members=facts.members | {"agent_id": tuple(labelled)},
        agent_names={agents[code].key: tuple(listed) for code, listed in names.items() if len(listed) > 1},
    )


def _unnamed(agent: Member) -> str:
    value = value_of(agent.key)
    return agent.label if value is None else value


def _names(aggregates: Aggregates, rows: Rows) -> dict[int, list[str]]:
    """The names of agents, by code, in the calls of `rows`: the one that was seen last comes last."""
    calls, words = aggregates.calls, aggregates.calls.words["agent_name"]
    pairs, width = calls.parts.name_pairs.astype(np.int64), len(words.texts) + 1
    spelled, last = pairs[:, 0] * width + pairs[:, 1], np.full(len(pairs), -1, np.intp)
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        agents = aggregates.codes.columns["agent_id"][part].astype(np.int64)
        # Of rows that fall on one place the last one stays.
        last[np.searchsorted(spelled, agents * width + words.codes[part])] = part
    known = (pairs[:, 0] < len(aggregates.facts.members["agent_id"]) - 1) & (pairs[:, 1] < len(words.texts))
    seen = np.flatnonzero(known & (last >= 0))
    names: dict[int, list[str]] = {}
    for place in seen[np.lexsort((pairs[seen, 1], calls.started_us(last[seen])))].tolist():
        names.setdefault(int(pairs[place, 0]), []).append(words.texts[int(pairs[place, 1])].decode())
    return names


def _is_present(aggregates: Aggregates, column: str, rows: Rows) -> bool:
    """Whether any of `rows` has a value in `column`; without rows every column is one that may have some."""
    calls, codes = aggregates.calls, aggregates.codes
    if not len(rows) or column in _ALWAYS:
        return True
    if column in DIMENSIONS:
        return bool((codes.columns[column][rows] < len(aggregates.facts.members[column]) - 1).any())
    if column in calls.words:
        return bool((calls.words[column].codes[rows] < len(calls.words[column].texts)).any())
    if column == "ended_at":
        return bool(calls.ended_us(rows)[1].any())
    told = {
        "answered": calls.answered > 0,
        "resolved": calls.resolved > 0,
        "rating": calls.rating > 0,
        "wait_seconds": calls.known["wait"],
        "duration_seconds": calls.known["duration"],
    }
    return bool(told[column][codes.columns["class"][rows]].any())


def _judged_anew(aggregates: Aggregates, rows: Rows) -> tuple[RowCodes, Rows]:
    """The row codes with each of `rows` judged by these calls alone, and those of them that this judges otherwise."""
    codes, calls, customers = aggregates.codes, aggregates.calls, aggregates.calls.words["customer_id"]
    known = rows[customers.codes[rows] < len(customers.texts)]
    if not len(known):
        return codes, known
    classes = codes.columns["class"][known]
    verdicts = judged(
        customers.codes[known].astype(np.int64),
        codes.columns["issue_type"][known].astype(np.int64),
        calls.started_us(known),
        codes.classes[:, _RESOLVED].astype(bool)[classes],
        int(calls.started_us(rows[-1:])[0]),
    )
    moved = np.flatnonzero(verdicts != (codes.classes[:, _JUDGED] @ _NUMBERED)[classes])
    if not len(moved):
        return codes, moved
    pairs = np.stack((classes[moved].astype(np.intp), verdicts[moved].astype(np.intp)), axis=1)
    kinds, kind = np.unique(pairs, axis=0, return_inverse=True)
    added = codes.classes[kinds[:, 0]]
    added[:, _JUDGED] = COUNTED[kinds[:, 1]]
    column = codes.columns["class"].copy()
    column[known[moved]] = len(codes.classes) + kind.reshape(-1)
    classes_now = np.concatenate((codes.classes, added))
    columns = {**codes.columns, "class": column}
    return RowCodes(columns, classes_now, codes.base_second, codes.step_ms, codes.postings), known[moved]
