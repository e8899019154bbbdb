"""Calls whose ids or agent's name hold a text: by the words of each column, and by the ids' own bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from supportapi.rollups.call_rows import CallRows, Words
    from supportapi.rollups.codes import Rows
    from supportapi.rollups.texts import Texts

MOST_FOUND: Final = 100_000
"""After so many finds in one column a search ends: who types so little wants to see that there are many."""

_CHUNK: Final = 1 << 18
_FRONT: Final = 1
_SELECTIVE: Final = 8


def holding(calls: CallRows, text: str, first: int, end: int, most: int = MOST_FOUND) -> tuple[NDArray[np.bool_], bool]:
    """A mark for each row from `first` up to `end` that holds `text`, whatever its case, in an id or a name.

    True beside it where more rows may hold it. Where a column has more than `most` finds, the newest calls (or the
    last customers) are marked.
    """
    wanted = text.lower().encode()
    marks = np.zeros(end - first, dtype=bool)
    _mark_agents(calls, wanted, first, marks)
    bounded = _mark_customers(calls, wanted, first, marks, most)
    return marks, _mark_ids(calls, wanted, first, marks, most) or bounded


def _mark_agents(calls: CallRows, wanted: bytes, first: int, marks: NDArray[np.bool_]) -> None:
    ids = np.array([wanted in agent for agent in calls.lowered_agents] + [False], dtype=bool)
    names = _holding(calls.words["agent_name"], wanted, None)[0]
    pairs = calls.parts.name_pairs
    partial = pairs[names[pairs[:, 1]] & ~ids[pairs[:, 0]]]
    agents = np.union1d(np.flatnonzero(ids), partial[:, 0]).astype(np.intp)
    if not len(agents):
        return
    agent, name = calls.codes.columns["agent_id"], calls.words["agent_name"].codes

    def test(rows: Rows) -> NDArray[np.bool_]:
        found = np.take(ids, agent[rows], mode="clip")
        return found | np.take(names, name[rows], mode="clip") if len(partial) else found

    end, limits = first + len(marks), {"agent_id": agents}
    for each in calls.codes.postings:
        count = each.count(limits)
        rows = None if count is None or count * _SELECTIVE > len(marks) else each.between(first, end, limits)
        if rows is not None:
            marks[rows[test(rows)] - first] = True
            return
    for start in range(first, end, _CHUNK):
        chunk = slice(start, min(start + _CHUNK, end))
        marks[chunk.start - first : chunk.stop - first] |= test(chunk)


def _mark_customers(calls: CallRows, wanted: bytes, first: int, marks: NDArray[np.bool_], most: int) -> bool:
    words = calls.words["customer_id"]
    found, bounded = _holding(words, wanted, most)
    places = np.flatnonzero(found)
    if not len(places):
        return False
    low, high = int(places[0]), int(places[-1])
    together = high - low + 1 == len(places)
    for start in range(0, len(marks), _CHUNK):
        chunk = slice(start, min(start + _CHUNK, len(marks)))
        codes = words.codes[first + start : first + chunk.stop]
        # A span of codes is two comparisons; others are looked up one by one.
        marks[chunk] |= (codes >= low) & (codes <= high) if together else np.take(found, codes, mode="clip")
    return bounded


def _mark_ids(calls: CallRows, wanted: bytes, first: int, marks: NDArray[np.bool_], most: int) -> bool:
    ids, lowered = calls.parts.ids, calls.parts.lowered
    end = first + len(marks)
    places = lowered.beginnings(wanted)
    if places == _FRONT and ids is lowered:
        low, high = ids.starting_with(wanted, calls.id_order)
        if high - low == len(calls):
            marks[:] = True
            return False
        rows = calls.at_rank(np.arange(low, high))
        marks[rows[(rows >= first) & (rows < end)] - first] = True
        return False
    if not places:
        return False
    found, bounded = lowered.holding(wanted, first, end, most)
    marks[found - first] = True
    return bounded


def _holding(words: Words, wanted: bytes, most: int | None) -> tuple[NDArray[np.bool_], bool]:
    """Which words hold `wanted`, the unknown one behind them, and whether there may be more."""
    lowered: Texts = words.lowered
    found = np.zeros(len(lowered) + 1, dtype=bool)
    places = lowered.beginnings(wanted)
    if places == _FRONT and lowered is words.texts:
        low, high = lowered.starting_with(wanted)
        found[low:high] = True
        return found, False
    if not places:
        return found, False
    hits, bounded = lowered.holding(wanted, 0, len(lowered), len(lowered) + 1 if most is None else most)
    found[hits] = True
    return found, bounded
