"""What a source wrote, as values: words, lengths of time, yes or no, ratings. Null where it cannot be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.columns import between_slots
from supportapi.calls.mapping_problems import RATING_RULE
from supportapi.calls.record import plain_word, whole_milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.columns import FlagColumn, InstantColumn, RatingColumn, RatingScale, SecondsColumn, TextColumn

_SECONDS: Final = {"seconds": 1.0, "milliseconds": 0.001, "minutes": 60.0, "hours": 3600.0, "excel_days": 86_400.0}
_SIGN: Final = r"(?i)^(?<sign>[+-]?)"
_DAYS: Final = r"(?:(?<d>\d+)(?:\.| ?d(?:ays?)?,? *| +))?"
_PART: Final = r"\d+(?:[.,]\d+)?"
_AND: Final = r"[\s,]*(?:and )?"
_CLOCKS: Final = {
    "h:mm:ss": rf"{_SIGN}{_DAYS}(?<h>\d+):(?<m>[0-5]?\d):(?<s>[0-5]?\d(?:[.,]\d+)?)$",
    "h:mm": rf"{_SIGN}{_DAYS}(?<h>\d+):(?<m>[0-5]\d)$",
    "m:ss": rf"{_SIGN}(?<m>\d+):(?<s>[0-5]?\d(?:[.,]\d+)?)$",
    "iso8601": rf"{_SIGN}P(?:(?<w>{_PART})W)?(?:(?<d>{_PART})D)?"
    rf"(?:T(?:(?<h>{_PART})H)?(?:(?<m>{_PART})M)?(?:(?<s>{_PART})S)?)?$",
    "words": rf"{_SIGN}(?:(?<w>{_PART}) ?w(?:(?:ee)?ks?)?)?{_AND}(?:(?<d>{_PART}) ?d(?:ays?)?)?{_AND}"
    rf"(?:(?<h>{_PART}) ?h(?:(?:ou)?rs?)?)?{_AND}(?:(?<m>{_PART}) ?m(?:in(?:ute)?s?)?\.?)?{_AND}"
    rf"(?:(?<s>{_PART}) ?s(?:ec(?:ond)?s?)?\.?)?{_AND}(?:(?<ms>{_PART}) ?(?:ms(?:ec)?s?|milliseconds?))?$",
}
_FIELD_SECONDS: Final = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_WORST, _BEST = 1, 5
_EXACT: Final = 9
"""Decimals to round to before a ceiling or floor: 35 / 5 must not be a hair above 7."""


def words(text: pl.Expr, column: TextColumn) -> pl.Expr:
    """Text by the words that stand for the source's; null for what becomes the empty word."""
    if not column.words and column.other is None:
        return text
    listed = {word.lower(): meant for word, meant in column.words.items()}
    other = text if column.other is None else pl.when(text.is_not_null()).then(pl.lit(column.other))
    said = text.str.to_lowercase().replace_strict(listed, default=other, return_dtype=pl.String) if listed else other
    return pl.when(said != "").then(said)


def seconds(text: pl.Expr, column: SecondsColumn) -> pl.Expr:
    """Lengths of time in seconds, by the first of the column's units that reads the text."""
    number = numbers(text, column.decimal, column.thousands)
    return pl.coalesce(
        number * _SECONDS[unit] if unit in _SECONDS else _clock_seconds(text, _CLOCKS[unit]) for unit in column.unit
    )


def between(name: str, parts: tuple[InstantColumn, InstantColumn]) -> pl.Expr:
    """The time from the first to the second instant of `parts`, in seconds."""
    begin, end = (pl.col(slot) for slot in between_slots(name))
    if parts[1].next_day_when_before_start:
        end = pl.when(end < begin).then(end + pl.duration(days=1)).otherwise(end)
    return whole_milliseconds((end - begin).dt.total_microseconds() / 1_000_000)


def flags(text: pl.Expr, column: FlagColumn) -> pl.Expr:
    """Yes or no; null for words that are neither and have no meaning by `other`."""
    true_words, false_words = column.true_words, column.false_words
    # Most words stand there as they are listed: only the others are worth being made plain.
    other = pl.when(~text.is_in([*true_words, *false_words])).then(text)
    word = plain_word(other)
    known = (
        pl.when(text.is_in(true_words) | word.is_in(_plain(true_words)))
        .then(pl.lit(True))  # noqa: FBT003 - a value
        .when(text.is_in(false_words) | word.is_in(_plain(false_words)))
        .then(pl.lit(False))  # noqa: FBT003 - a value
    )
    if column.other in {"true", "false"}:
        return known.when(text.is_not_null()).then(pl.lit(column.other == "true"))
    return known.otherwise(None)


def rated(text: pl.Expr, column: RatingColumn) -> pl.Expr:
    """The number that a rating's text stands for on the source's scale, by words or as it is; `%` is left aside."""
    number = numbers(text.str.replace(r" ?%$", ""), column.decimal)
    if not column.words:
        return number
    listed = {word.lower(): meant for word, meant in column.words.items()}
    return pl.coalesce(text.str.to_lowercase().replace_strict(listed, default=None, return_dtype=pl.Float64), number)


def ratings(number: pl.Expr, scale: RatingScale | None) -> pl.Expr:
    """Ratings of 1-5; a number that lies outside of the scale has none."""
    if scale is None:
        return pl.when(number.is_between(_WORST, _BEST) & (number == number.floor())).then(number).cast(pl.Int8)
    worst, best = scale.first
    rule = RATING_RULE.fullmatch(scale.rule)
    if rule is not None and rule[1] is not None:
        shrunk = (number / float(rule[2])).round(_EXACT)
        mapped = {"ceil": shrunk.ceil(), "floor": shrunk.floor(), "round": (shrunk + 0.5).floor()}[rule[1]]
    else:
        mapped = (number - worst) * (scale.to[1] - scale.to[0]) / (best - worst) + scale.to[0]
        mapped = (mapped.round(_EXACT) + 0.5).floor()
    inside = number.is_between(min(scale.first), max(scale.first)) & mapped.is_between(_WORST, _BEST)
    return pl.when(inside).then(mapped).cast(pl.Int8)


def numbers(text: pl.Expr, decimal: str, thousands: str | None = None) -> pl.Expr:
    """Finite numbers. Signs that group digits must stand where they group three; with a decimal comma dots do."""
    grouping = thousands or ("." if decimal == "," else None)
    if grouping is not None:
        sign, point = re.escape(grouping), re.escape(decimal)
        grouped = text.str.contains(rf"^[+-]?\d{{1,3}}(?:{sign}\d{{3}})+(?:{point}\d*)?$")
        text = pl.when(grouped).then(text.str.replace_all(grouping, "", literal=True)).otherwise(text)
    if decimal == ",":
        # A dot that groups nothing is no decimal point here.
        text = pl.when(~text.str.contains(".", literal=True)).then(text.str.replace(",", ".", literal=True))
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _clock_seconds(text: pl.Expr, pattern: str) -> pl.Expr:
    fields = text.str.extract_groups(pattern)
    names = [name for name in _FIELD_SECONDS if f"(?<{name}>" in pattern]
    amounts = [
        fields.struct.field(name).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
        * _FIELD_SECONDS[name]
        for name in names
    ]
    total = pl.sum_horizontal(amounts)
    signed = pl.when(fields.struct.field("sign") == "-").then(-total).otherwise(total)
    # Units without any amount ("P", "") are no length of time.
    return pl.when(text.str.contains(pattern) & pl.any_horizontal(amount.is_not_null() for amount in amounts)).then(
        signed
    )


def _plain(listed: Sequence[str]) -> list[str]:
    return [" ".join(word.lower().replace("_", " ").replace("-", " ").split()) for word in listed]
