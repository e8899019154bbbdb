"""Everything that is wrong with a mapping, before any file is looked at."""

from __future__ import annotations

import re
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

from supportapi.calls.columns import (
    ENDED_AT_SUMS,
    EXCEL,
    NAMED_FORMATS,
    NUMBER,
    UNITS,
    Column,
    FlagColumn,
    InstantColumn,
    MappedColumns,
    RatingColumn,
    SecondsColumn,
    TextColumn,
    ZoneColumn,
)
from supportapi.calls.decode import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportapi.calls.mapping import Mapping

ROW_KEY: Final = "row"
"""The key of duplicates that means the whole source row."""
ZONE_REMEDY: Final = (
    'Add the clock that they were read from at the top of the mapping, as in time_zone = "Europe/Berlin".'
)
RATING_RULE: Final = re.compile(r"linear|(ceil|floor|round)\(\s*x\s*/\s*(\d*\.?\d*[1-9]\d*)\s*\)")
_WITH_OFFSET: Final = re.compile(r"%[:#]{0,3}z|%\+")
_OFFSET: Final = re.compile(r"[+-]\d\d:?\d\d")
_SOME_TIME: Final = pl.Series([datetime(2024, 5, 6, 12, 30)])  # noqa: DTZ001 - a clock
_WORST, _BEST = 1, 5


def problems_of(mapping: Mapping) -> list[str]:
    """What is wrong with `mapping`, each with its remedy; empty when nothing is."""
    problems: list[str] = []
    for name, column in mapping.columns.given().items():
        problems += _column_problems(f"columns.{name}", column)
        if column.take is not None:
            problems += _take_problems(f"columns.{name}.take", column, folding=mapping.fold is not None)
    for place, column in _instants(mapping).items():
        problems += _format_problems(place, column, mapping)
        problems += _zone_problems(f"{place}.time_zone", column.time_zone)
    problems += _zone_problems("time_zone", mapping.time_zone)
    problems += _derive_problems(mapping)
    for number, condition in enumerate(mapping.filters, start=1):
        problems += condition.problems(f"filters.{number}")
    return [*problems, *_key_problems(mapping)]


def needs_zone(pattern: str) -> bool:
    """Whether times of this format say nothing about their zone; ISO times may, which only the file shows."""
    return pattern == EXCEL or (pattern not in {*NAMED_FORMATS, NUMBER} and _WITH_OFFSET.search(pattern) is None)


def _instants(mapping: Mapping) -> dict[str, InstantColumn]:
    """Everything that is read as an instant, by its place in the mapping."""
    found = {f"columns.{name}": column for name, column in mapping.columns.given().items()}
    instants = {
        place: column for place, column in found.items() if isinstance(column, InstantColumn) and column.derive is None
    }
    for place, column in found.items():
        if isinstance(column, SecondsColumn) and column.between is not None:
            instants |= {f"{place}.between.{number}": part for number, part in enumerate(column.between, start=1)}
    orders = {"duplicates.order": mapping.duplicates.order, "fold.order": mapping.fold.order if mapping.fold else None}
    return instants | {place: order for place, order in orders.items() if order is not None}


def _column_problems(place: str, column: Column) -> list[str]:
    problems = _origin_problems(place, column)
    match column:
        case FlagColumn():
            problems += _flag_problems(place, column)
        case SecondsColumn():
            problems += _length_problems(place, column)
        case TextColumn():
            problems += _word_problems(place, column.words)
        case RatingColumn():
            problems += [*_word_problems(place, column.words), *_scale_problems(place, column)]
        case _:
            pass
    if column.only_when is not None:
        problems += column.only_when.problems(f"{place}.only_when")
    return problems


def _flag_problems(place: str, flag: FlagColumn) -> list[str]:
    both = sorted(set(flag.true_words) & set(flag.false_words))
    problems = [f"{place}: {', '.join(both)} cannot mean both yes and no."] if both else []
    return problems if flag.when is None else problems + flag.when.problems(f"{place}.when")


def _length_problems(place: str, length: SecondsColumn) -> list[str]:
    unknown = [unit for unit in length.unit if unit not in UNITS]
    problems = [f"{place}.unit: '{unit}' is no unit; {nearest(unit, list(UNITS))}" for unit in unknown]
    if length.thousands == length.decimal:
        problems.append(f"{place}: '{length.decimal}' cannot both group digits and begin the decimals.")
    for number, part in enumerate(length.between or (), start=1):
        problems += _column_problems(f"{place}.between.{number}", part)
    return problems


def _origin_problems(place: str, column: Column) -> list[str]:
    ways: dict[str, object] = {"from": column.sources, "first_of": column.first_of, "constant": column.constant}
    if isinstance(column, FlagColumn):
        ways["when"] = column.when
    elif isinstance(column, SecondsColumn):
        ways["between"] = column.between
    elif place == "columns.ended_at" and isinstance(column, InstantColumn):
        ways["derive"] = column.derive
    if sum(value is not None and value != () for value in ways.values()) == 1:
        return []
    return [f"{place}: say exactly one of {', '.join(ways)}."]


def _word_problems(place: str, words: Iterable[str]) -> list[str]:
    alike: dict[str, list[str]] = {}
    for word in words:
        alike.setdefault(word.lower(), []).append(word)
    return [
        f"{place}.words: {', '.join(same)} differ in case alone, which makes no difference; write one of them."
        for same in alike.values()
        if len(same) > 1
    ]


def _take_problems(place: str, column: Column, *, folding: bool) -> list[str]:
    if not folding:
        return [f"{place}: there is no table [fold], so that every row is a call of its own."]
    known = ["first", "last"]
    match column:
        case FlagColumn():
            known += ["any", "all"]
        case SecondsColumn():
            known += ["min", "max", "sum"]
        case InstantColumn() | RatingColumn():
            known += ["min", "max"]
        case _:
            pass
    return [] if column.take in known else [f"{place}: must be one of {', '.join(known)} here."]


def _format_problems(place: str, column: InstantColumn, mapping: Mapping) -> list[str]:
    problems: list[str] = []
    named = [*NAMED_FORMATS, NUMBER] if place.endswith(".order") else list(NAMED_FORMATS)
    zone = column.time_zone or mapping.time_zone
    for pattern in mapping.columns.formats(column):
        if pattern in named:
            told = None
        elif "%" not in pattern:
            told = f"{place}.formats: '{pattern}' is no format; {nearest(pattern, named)}"
        else:
            told = _pattern_problem(place, pattern)
        if told is None and zone is None and needs_zone(pattern):
            told = f"{place}: times in the format '{pattern}' do not say their zone. {ZONE_REMEDY}"
        if told is not None:
            problems.append(told)
    problems.extend(
        f"{place}.offsets: '{offset}' is no offset; write it as in '+02:00'."
        for offset in column.offsets.values()
        if _OFFSET.fullmatch(offset) is None
    )
    return problems


def _pattern_problem(place: str, pattern: str) -> str | None:
    """A pattern that cannot read a time which it wrote itself reads nothing at all."""
    zone = None if needs_zone(pattern) else "UTC"
    try:
        written = _SOME_TIME.dt.replace_time_zone(zone).dt.strftime(pattern)
        read = written.str.to_datetime(pattern, time_unit="us", time_zone=zone, strict=False)
    except pl.exceptions.PolarsError:
        return f"{place}.formats: '{pattern}' is no pattern; docs/mapping.md lists what may stand in one."
    if not (read.dt.date() == _SOME_TIME.dt.date()).all() or read.null_count():
        return (
            f"{place}.formats: '{pattern}' is no instant: a pattern needs a year, a month and a day at least, "
            "and %p beside %I."
        )
    return None


def _zone_problems(place: str, zone: str | ZoneColumn | None) -> list[str]:
    names = [zone] if isinstance(zone, str) else list(zone.words.values()) if zone is not None else []
    return [
        f"{place}: '{name}' is no IANA time zone; {_nearest_zone(name, sorted(available_timezones()))}"
        for name in names
        if not _is_zone(name)
    ]


def _derive_problems(mapping: Mapping) -> list[str]:
    problems: list[str] = []
    if mapping.columns.started_at.derive is not None:
        problems.append("columns.started_at.derive: only ended_at can be derived.")
    ended = mapping.columns.ended_at
    if ended is not None and ended.derive is not None and ended.derive not in ENDED_AT_SUMS:
        told = " or ".join(f"'{known}'" for known in ENDED_AT_SUMS)
        problems.append(f"columns.ended_at.derive: must be {told}.")
    return problems


def _scale_problems(place: str, rating: RatingColumn) -> list[str]:
    scale = rating.rating_scale
    if scale is None:
        return []
    problems: list[str] = []
    worst, best = scale.first
    if worst == best or (worst > best and scale.rule != "linear"):
        problems.append(
            f"{place}.rating_scale.from: write the worst and the best value, as in [1, 10]; "
            "[5, 1] for a scale on which 1 is best, which only 'linear' can turn round."
        )
    if not _WORST <= scale.to[0] < scale.to[1] <= _BEST:
        problems.append(f"{place}.rating_scale.to: must lie within [1, 5].")
    if RATING_RULE.fullmatch(scale.rule) is None:
        problems.append(
            f"{place}.rating_scale.rule: must be 'linear', or as in 'ceil(x/2)', 'round(x/2)', 'floor(x/2)'."
        )
    return problems


def _key_problems(mapping: Mapping) -> list[str]:
    known = list(MappedColumns.__struct_fields__)
    keys = {"duplicates": mapping.duplicates.key, "fold": mapping.fold.key if mapping.fold else ()}
    problems = [
        f"{table}.key: '{name}' is not a column of a call; {nearest(name, known)}"
        for table, key in keys.items()
        for name in key
        if name not in known and (table, key) != ("duplicates", (ROW_KEY,))
    ]
    if mapping.fold is not None and not mapping.fold.key:
        problems.append("fold.key: say which columns the rows of a call have in common.")
    return problems


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _nearest_zone(name: str, zones: list[str]) -> str:
    # One city's name is what most people write.
    city = [zone for zone in zones if zone.split("/")[-1].lower() == name.lower().replace(" ", "_")]
    if city:
        return f"did you mean '{city[0]}'?"
    close = get_close_matches(name, zones, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else "write it as in 'Europe/Berlin' or 'UTC'."
