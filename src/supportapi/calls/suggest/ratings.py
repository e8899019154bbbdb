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
_GRADES: Final = re.compile(r"(?<!\w)(schulnoten?|note|grade)(?!\w)")
_BEST_IS_1: Final = re.compile(r"(?<!\w)schulnoten?(?!\w)")
_WORST_GRADE: Final = 6.0
_BY_RATING: Final = {
    5.0: (
        "very good|excellent|very satisfied|outstanding|sehr gut|sehr zufrieden|excelente|muy bueno|muy bien|"
        "muy satisfecho|très bien|très satisfait|muito bom|muito satisfeito|ótimo|ottimo|molto soddisfatto|uitstekend|"
        "zeer goed|zeer tevreden"
    ),
    4.0: "good|satisfied|gut|zufrieden|bueno|bien|satisfecho|satisfait|bom|satisfeito|buono|soddisfatto|goed|tevreden",
    3.0: "neutral|ok|okay|average|fair|mittel|teils teils|regular|moyen|neutre|neutro|sufficiente|neutraal|voldoende",
    2.0: (
        "bad|poor|dissatisfied|unsatisfied|schlecht|unzufrieden|malo|insatisfecho|mauvais|insatisfait|ruim|insatisfeito|"
        "scarso|insoddisfatto|slecht|ontevreden"
    ),
    1.0: (
        "very bad|very poor|terrible|very dissatisfied|very unsatisfied|sehr schlecht|sehr unzufrieden|muy malo|"
        "muy insatisfecho|très mauvais|très insatisfait|muito ruim|muito insatisfeito|pessimo|péssimo|zeer slecht|"
        "zeer ontevreden"
    ),
}
_RATED_WORDS: Final = {word: rating for rating, words in _BY_RATING.items() for word in words.split("|")}


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
        if found := _in_words(column):
            return found, left
        left[column.name] = "a rating in words: say which numbers they are, and it can be mapped"
    return None, left


def _in_words(column: Seen) -> Finding | None:
    """A rating in words of which each is known; a person looks at what they were taken for."""
    words = list(column.words)
    if not words or column.distinct > len(_RATED_WORDS) or not all(word.lower() in _RATED_WORDS for word in words):
        return None
    meant: dict[str, Value] = {word: _RATED_WORDS[word.lower()] for word in words}
    said = spoken("rating", column.header)
    asked = ", ".join(f"{word} = {number:g}" for word, number in meant.items())
    return Finding(
        column="rating",
        sources=(column.name,),
        fields={"words": dict(sorted(meant.items(), key=lambda pair: -float(str(pair[1]))))},
        why=(f'The header says "{said}"; {told(column.known, column.rows)} rows are rated, in words.',),
        decide=(f"is that what the words mean, 5 being best? {asked}.",),
    )


def _scaled(column: Seen) -> Finding | None:
    decimal = "," if column.matches(r"\d+,\d+|\d+") == 1.0 and column.matches(r"\d+") < 1.0 else "."
    number = column.values.select(number=numbers(pl.col("value"), decimal), count="count").drop_nulls()
    read = int(number["count"].sum())
    if not column.known or read < _MOST * column.known:
        return None
    low, high = (float(number["number"].min()), float(number["number"].max()))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - there are some
    worst = _worst_grade(column, low, high)
    if worst is not None:
        return _graded(column, read, worst)
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
    if rule is not None:
        fields["rating_scale"] = {"from": (first, last), "to": (1.0, _BEST), "rule": rule}
        why.append(f"Taken as a scale of {first:g}-{last:g}; the rule {rule} makes it 1-5.")
    decide = _scale_doubts(column, (first, last), (low, high), mapped=rule is not None)
    return Finding(column="rating", sources=(column.name,), fields=fields, why=tuple(why), decide=decide)


def _scale_doubts(
    column: Seen, scale: tuple[float, float], found: tuple[float, float], *, mapped: bool
) -> tuple[str, ...]:
    """What a person should confirm of `scale`, of which the values fill what was `found`."""
    (first, last), (low, high) = scale, found
    if mapped and (high < last or low > first):
        return (f"is {first:g}-{last:g} the whole scale? The values end at {low:g} and {high:g}.",)
    if _GRADES.search(column.header) and not mapped:
        return ("is 5 the best? Where 1 is: rating_scale = { from = [5, 1] }.",)
    return () if mapped or high == _BEST else (f"is 1-5 the scale? No value is above {high:g}.",)


def _worst_grade(column: Seen, low: float, high: float) -> float | None:
    """The worst of grades of which 1 is the best; None where nothing says that it is.

    No other scale ends at 6. Of one that ends lower only a `Schulnote` is known to begin with the best.
    """
    if low < 1.0 or high > _WORST_GRADE or not _GRADES.search(column.header):
        return None
    if _BEST_IS_1.search(column.header):
        return _BEST if high <= _BEST else _WORST_GRADE
    return _WORST_GRADE if high == _WORST_GRADE else None


def _graded(column: Seen, read: int, worst: float) -> Finding:
    """A school's grade: 1 is taken for the best, and a person is asked."""
    scale: Value = {"from": (worst, 1.0), "to": (1.0, _BEST), "rule": "linear"}
    why = f'The header says "{_GRADES.findall(column.header)[0]}"; {told(read, column.rows)} rows have one.'
    asked = f"is 1 the best grade, and {worst:g} the worst? Where more is better, swap the numbers of from."
    if worst < _WORST_GRADE:
        asked = f"is {worst:g} the worst grade? No value is above it. Where {_WORST_GRADE:g} is: from = [6, 1]."
    unread: dict[str, Value] = {"unreadable": "null"} if read < column.known else {}
    fields = {**unread, "rating_scale": scale}
    return Finding(column="rating", sources=(column.name,), fields=fields, why=(why,), decide=(asked,))
