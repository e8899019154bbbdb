"""What a publish changes, for those who listen: which days have other calls, and which answers say something else."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.answers.prepared import PATHS, PreparedAnswer
from supportapi.calls.day_digests import Digests, changed_days
from supportapi.errors import SnapshotIncomplete
from supportapi.snapshots.keys import FORMAT
from supportapi.snapshots.pointer import DAYS, PREPARED, DaySpan, Difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from supportapi.snapshots.shelf import Shelf

_NAMES: Final = {path: str(kind.__struct_config__.tag) for kind, path in PATHS.items()}
_CALLS: Final = "calls"
_OF_THE_CALLS: Final = {_CALLS, "metrics", "agents", "options"}
"""What may say something else whenever the calls of a day do, even where no prepared answer shows it."""


def difference(shelf: Shelf, parts: Mapping[str, bytes]) -> Difference:
    """How a version of these `parts` differs from the current one; what cannot be compared is not known (None)."""
    pointer = shelf.current()
    if pointer is None:
        return Difference()
    if pointer.format != FORMAT:
        return Difference(since=pointer.version)
    try:
        held = compared_parts(shelf, pointer.version)
    except SnapshotIncomplete:  # it falls out this very moment, or Redis lost it
        return Difference(since=pointer.version)
    if not {DAYS, PREPARED} <= held.keys() & parts.keys():
        return Difference(since=pointer.version)
    before, after = (msgspec.json.decode(each[DAYS], type=Digests) for each in (held, parts))
    days = changed_days(before, after)
    sections = _sections(held[PREPARED], parts[PREPARED])
    if days:
        sections |= _OF_THE_CALLS
    return Difference(
        since=pointer.version,
        days=tuple(_spans(days)),
        sections=tuple(name for name in (*_NAMES.values(), _CALLS) if name in sections),
    )


def compared_parts(shelf: Shelf, version: str) -> dict[str, bytes]:
    """What a version on the shelf is compared by: one of an earlier release has no digests of its days.

    Raises `SnapshotIncomplete`.
    """
    return shelf.read(version, *(part for part in shelf.parts(version) if part in (DAYS, PREPARED)))


def _sections(before: bytes, after: bytes) -> set[str]:
    """The kinds of answers of which a prepared one says something else."""
    old, new = (_data(each) for each in (before, after))
    return {_NAMES[path] for path, query in old.keys() | new.keys() if old.get((path, query)) != new.get((path, query))}


def _data(prepared: bytes) -> dict[tuple[str, str], bytes]:
    answers: Sequence[PreparedAnswer] = msgspec.msgpack.decode(prepared, type=tuple[PreparedAnswer, ...])
    # Their `meta` names the version, and so never is the same.
    return {(each.path, each.query): bytes(msgspec.json.decode(each.body, type=_Data).data) for each in answers}


class _Data(msgspec.Struct):
    data: msgspec.Raw


def _spans(days: Sequence[date]) -> list[DaySpan]:
    """`days` as spans without a gap."""
    if not days:
        return []
    starts = [days[0], *(after for before, after in pairwise(days) if (after - before).days > 1)]
    ends = [*(before for before, after in pairwise(days) if (after - before).days > 1), days[-1]]
    return [DaySpan.between(first, last) for first, last in zip(starts, ends, strict=True)]
