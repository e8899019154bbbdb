"""What a customer thought of a call: on which scale it was asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.suggest.finding import Finding, Value
from supportapi.calls.suggest.headers import spoken, weight
from supportapi.calls.suggest.seen import Seen, best, told
from supportapi.calls.values import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST: Final = 0.9
_SCALES: Final = (
    (1.0, 5.0, None),
    (0.0, 5.0, "linear"),
    (1.0, 10.0, "ceil(x/2)"),
    (0.0, 10.0, "linear"),
    (0.0, 100.0, "linear"),
)
_NOT_OURS: Final = re.compile(r"(?<!\w)(nps|recommend\w*)(?!\w)")
_BEST: Final = 5.0


def rating_by(columns: Sequence[Seen]) -> tuple[Finding | None, dict[str, str]]:
    """The customer's rating and its scale; and why other columns that might have been meant are none."""
    left = {
        column.name: "how likely a customer recommends us is no rating of the call"
        for column in columns
        if _NOT_OURS.search(column.header)
    }
    for column in best(list(columns), lambda seen: weight("rating", seen.header)):
        found = _scaled(column)
        if found is not None:
            return found, left
        left[column.name] = "a rating in words: say which numbers they are, and it can be mapped"
    return None, left


def _scaled(column: Seen) -> Finding | None:
    decimal = "," if column.matches(r"\d+,\d+|\d+") == 1.0 and column.matches(r"\d+") < 1.0 else "."
    number = column.values.select(number=numbers(pl.col("value"), decimal), count="count").drop_nulls()
    read = int(number["count"].sum())
    if not column.known or read < _MOST * column.known:
        return None
    low, high = (float(number["number"].min()), float(number["number"].max()))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - there are some
    fitting = [scale for scale in _SCALES if scale[0] <= low and high <= scale[1]]
    if not fitting:
        return None
    first, last, rule = fitting[0]
    whole = bool((number["number"] == number["number"].floor()).all())
    rule = rule or (None if whole else "linear")
    fields: dict[str, Value] = {"decimal": ","} if decimal == "," else {}
    said = spoken("rating", column.header)
    why = [f'The header says "{said}"; {told(read, column.rows)} rows are rated, from {low:g} to {high:g}.']
    if read < column.known:
        fields["unreadable"] = "null"
        why.append(f"{column.known - read:,} values are no numbers: null, so that no row is lost for them.")
    decide: tuple[str, ...] = ()
    if rule is not None:
        fields["rating_scale"] = {"from": (first, last), "to": (1.0, _BEST), "rule": rule}
        why.append(f"Taken as a scale of {first:g}-{last:g}; the rule {rule} makes it 1-5.")
        if high < last or low > first:
            decide = (f"is {first:g}-{last:g} the whole scale? The values end at {low:g} and {high:g}.",)
    elif high < _BEST:
        decide = (f"is 1-5 the scale? No value is above {high:g}.",)
    return Finding(column="rating", sources=(column.name,), fields=fields, why=tuple(why), decide=decide)
