"""What names a call: one column, the smallest combination that does, or nothing, and then what to do about it."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.suggest.finding import Finding, Folding
from supportapi.calls.suggest.headers import spoken, weight
from supportapi.calls.suggest.newest import Newest
from supportapi.calls.suggest.seen import Seen, best, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LISTED: Final = 14
_MOST_PARTS: Final = 3
_FEW_REPEATS: Final = 0.05
_WITHIN: Final = re.compile(
    r"(?<!\w)(line|lines|node|switch|segment|leg|site|unit|server id|system|vdn|trunk|tenant)(?!\w)"
)
_LEGS: Final = re.compile(r"(?<!\w)(legs?|segments?|part|hop|seq(uence)?|participant)(?!\w)")
_EVENTS: Final = re.compile(r"(?<!\w)(events?|action|activity|step|ereignis|verb|evento|activite|событие)(?!\w)")


class Key(msgspec.Struct, frozen=True):
    """What names a call; and how its rows are folded, or the column of `events` that says what happened in each.

    Or which of the rows of a call is its `newest`.
    """

    finding: Finding
    fold: Folding | None = None
    events: Seen | None = None
    newest: Newest | None = None


def key_by(
    columns: Sequence[Seen],
    moments: Sequence[str],
    repeated: pl.Series,
    newest: Callable[[Seen], Newest | None],
) -> Key:
    """`call_id`; `moments` are the columns of the start, for a key that has to be made.

    `repeated` says which rows repeat an earlier one in every column of the file, `newest` which one of several stays.
    """
    likely = best(list(columns), lambda seen: weight("call_id", seen.header) if seen.known else 0)
    for column in likely:
        if column.is_unique:
            return Key(_single(column, likely))
    nearly = [column for column in likely if column.known - column.distinct <= _FEW_REPEATS * column.rows]
    if nearly:
        later = newest(nearly[0])
        return Key(_repeated(nearly[0], repeated, later), newest=later)
    if likely and (event := next((column for column in columns if _EVENTS.search(column.header)), None)):
        return Key(_several(likely[0], "rows"), events=event)
    if likely and (leg := next((column for column in columns if _is_leg(column, likely[0])), None)):
        return Key(_several(likely[0], "legs"), fold=_legs(likely[0], leg))
    if likely and (later := newest(likely[0])):
        return Key(_repeated(likely[0], repeated, later), newest=later)
    return Key(_combined(columns, likely, moments, repeated))


def _single(column: Seen, likely: Sequence[Seen]) -> Finding:
    said = spoken("call_id", column.header)
    why = [f'The header says "{said}", and every one of the {column.rows:,} rows looked at has its own.']
    rivals = [other for other in likely if other.is_unique and other is not column]
    why += [f'Unique as well: "{other.name}".' for other in rivals[:2]]
    return Finding(column="call_id", sources=(column.name,), why=tuple(why))


def _repeated(column: Seen, repeated: pl.Series, newest: Newest | None) -> Finding:
    repeats = column.known - column.distinct
    same = int((repeated & column.texts.is_not_null()).sum())
    stays = "the first stays" if newest is None else "the newest stays, see [duplicates]"
    why = [f"{repeats:,} rows repeat an earlier id, {same:,} of them in every column: of duplicates {stays}."]
    if column.known < column.rows:
        why.append(f"{column.rows - column.known:,} rows have none and will be rejected.")
    others = f'are the {repeats - same:,} others duplicates too? To keep the last row: [duplicates] keep = "last".'
    decide = () if newest is not None or same == repeats else (others,)
    return Finding(column="call_id", sources=(column.name,), why=tuple(why), decide=decide)


def _several(column: Seen, what: str) -> Finding:
    per_call = column.known / max(column.distinct, 1)
    why = f"{column.distinct:,} ids in {told(column.known, column.rows)} rows, {per_call:.1f} {what} for each."
    return Finding(column="call_id", sources=(column.name,), why=(why,))


def _is_leg(column: Seen, key: Seen) -> bool:
    """Whether the column numbers the parts of what `key` names."""
    if not _LEGS.search(column.header) or column.known < column.rows:
        return False
    pairs = pl.DataFrame([key.texts.alias("key"), column.texts.alias("leg")])
    return pairs.n_unique() == pairs.height


def _legs(column: Seen, leg: Seen) -> Folding:
    return Folding(
        fields={"key": ("call_id",)},
        why=f'"{leg.name}" numbers the rows of one "{column.name}". Of a call it is the earliest start, the latest '
        "end, the first wait, the talk times added up, and of everything else the first that is known.",
        decide=f'are rows of one "{column.name}" parts of one call? If each is a call of its own, remove [fold] and '
        f'write call_id = ["{column.name}", "{leg.name}"].',
    )


def _combined(columns: Sequence[Seen], likely: Sequence[Seen], moments: Sequence[str], repeated: pl.Series) -> Finding:
    """The smallest combination of complete columns that is unique, with a likely id or the start in it if it can."""
    complete = [column for column in columns if column.known == column.rows and column.distinct > 1]
    ordered = sorted(complete, key=lambda column: (_standing(column, likely, moments), -column.distinct))[:_LISTED]
    copies = int(repeated.sum())
    texts = [column.texts.filter(~repeated).alias(column.name) for column in ordered]
    frame = pl.DataFrame(texts)
    nearest: tuple[int, set[str]] = (0, set(moments))
    for parts in _combinations(ordered, likely, moments):
        names = {part.name for part in parts}
        if names & set(moments):
            names |= set(moments) & set(frame.columns)  # a clock without its date names nothing
        distinct = int(frame.select(pl.struct(names).n_unique()).item())
        if distinct == frame.height:
            return _made(columns, names, likely, copies)
        nearest = max(nearest, (distinct, names), key=lambda found: found[0])
    lost = frame.height - nearest[0]
    asked = f"what names a call? These come nearest; {lost:,} rows repeat an earlier one and would be duplicates."
    return Finding(
        column="call_id",
        sources=_in_order(columns, nearest[1]),
        why=("No column and no combination of three is unique.",),
        decide=(asked if nearest[1] else "what names a call? Nothing here does.",),
    )


def _combinations(ordered: Sequence[Seen], likely: Sequence[Seen], moments: Sequence[str]) -> list[tuple[Seen, ...]]:
    """Every combination of up to three columns: those with a likely id first, then small ones, then natural ones.

    An instant alone names nothing where another column does.
    """

    def order(parts: tuple[Seen, ...]) -> tuple[bool, int, bool, int]:
        places = [place for place, column in enumerate(ordered) if column in parts]
        only_moments = all(part.name in moments for part in parts)
        return not any(part in likely for part in parts), len(parts), only_moments, sum(places)

    sizes = range(1, _MOST_PARTS + 1)
    return sorted((parts for size in sizes for parts in combinations(ordered, size)), key=order)


def _standing(column: Seen, likely: Sequence[Seen], moments: Sequence[str]) -> int:
    """How naturally a column is part of a key: ids, what they count within, the start, then anything else."""
    if column in likely:
        return 0
    if _WITHIN.search(column.header):
        return 1
    return 2 if column.name in moments else 3


def _made(columns: Sequence[Seen], names: set[str], likely: Sequence[Seen], copies: int) -> Finding:
    parts = [column for column in columns if column.name in names]
    rows = parts[0].rows
    single = ", ".join(f'"{part.name}" has {part.distinct:,} values' for part in parts)
    why = f"No column is unique alone ({single}); together they are, in all {rows - copies:,} rows looked at."
    if len(parts) == 1:
        why = f"This column is unique in all {rows - copies:,} rows looked at."
    if copies:
        why += f" {copies:,} rows repeat another in every column: of duplicates the first stays."
    by_chance = (
        ()
        if any(part in likely for part in parts)
        else ("does this name a call? No header says so; it may be by chance.",)
    )
    return Finding(column="call_id", sources=_in_order(columns, names), why=(why,), decide=by_chance)


def _in_order(columns: Sequence[Seen], names: set[str]) -> tuple[str, ...]:
    """Parts of a key in the order of the file, as its readers would write them."""
    return tuple(column.name for column in columns if column.name in names)
