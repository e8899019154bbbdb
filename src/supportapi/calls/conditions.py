"""Questions about one source column of a row: which rows are calls, when a value counts, what makes a flag true."""

from __future__ import annotations

from typing import Final, cast

import msgspec
import polars as pl

from supportapi.calls.decode import Table, Words

_WAYS: Final = ("is", "is_not", "matches", "present", "above")


class Condition(Table, frozen=True, kw_only=True):
    """What is asked of `column`: exactly one of the others. Case makes no difference to words."""

    column: str
    is_: Words = msgspec.field(default=(), name="is")
    is_not: Words = ()
    matches: str | None = None
    present: bool | None = None
    above: float | None = None

    def told(self) -> str:
        """The condition for people, as in `queue is_not Test, Demo`."""
        way, value = next(iter(self._said().items()))
        words = ", ".join(cast("Words", value)) if isinstance(value, tuple) else str(value)
        return f"{self.column} {way} {words.lower() if way == 'present' else words}"

    def problems(self, place: str) -> list[str]:
        """What is wrong with it."""
        if len(self._said()) != 1:
            return [f"{place}: say exactly one of {', '.join(_WAYS)}."]
        if self.matches is None:
            return []
        try:
            pl.Series([""]).str.contains(self.matches)
        except pl.exceptions.ComputeError as cause:
            told = [line.removeprefix("error: ") for line in str(cause).splitlines() if line.startswith("error: ")]
            return [f"{place}.matches: '{self.matches}' is no regular expression: {', '.join(told)}."]
        return []

    def holds(self, text: pl.Expr) -> pl.Expr:
        """Whether it holds for `text`, the column's trimmed text; null where that is empty and says nothing.

        An empty cell is none of any words, so `is_not` holds for it.
        """
        word = text.str.to_lowercase()
        if self.present is not None:
            return text.is_not_null() if self.present else text.is_null()
        if self.is_:
            return word.is_in(lowered(self.is_))
        if self.is_not:
            return ~word.is_in(lowered(self.is_not)).fill_null(value=False)
        if self.matches is not None:
            return text.str.contains(self.matches)
        return text.cast(pl.Float64, strict=False) > self.above

    def _said(self) -> dict[str, object]:
        values = (self.is_, self.is_not, self.matches, self.present, self.above)
        return {way: value for way, value in zip(_WAYS, values, strict=True) if value is not None and value != ()}


def lowered(words: Words) -> list[str]:
    """`words` as they are compared."""
    return [word.lower() for word in words]
