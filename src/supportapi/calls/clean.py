"""Rows of a source become calls, or a reason why not. Pure: frames in, frames out, row by row and in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.decode import nearest
from supportapi.calls.mapping import (
    ISO,
    Column,
    FlagColumn,
    InstantColumn,
    Mapping,
    RatingColumn,
    SecondsColumn,
    TextColumn,
)
from supportapi.calls.parse import flags, instants_and_clocks, local_instants, numbers, ratings, seconds, text_of
from supportapi.calls.record import COLUMNS, ISO_FORMATS, REQUIRED, SCHEMA, aliased, resolved_word, slug
from supportapi.errors import MappingInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

ROW: Final = "__row"
"""The column of a raw frame that numbers its rows."""
FAULT: Final = "__line_fault"
"""The column of a raw frame, where it has one, that says what is wrong with a row's line; null where nothing is."""
TOO_FEW: Final = "too_few_fields"
"""The one fault of a line that leaves a row: its missing fields are null."""
MISSED: Final = "__missed:"
"""Before the name of a lookup: whether it lacks what the row names."""
REASON: Final = "__reason"
ALTERED: Final = "__altered:"
_LEAST: Final = {"wait_seconds": 0.0, "duration_seconds": 0.001}
_TEXT, _INSTANT, _CLOCK, _NUMBER, _FAULT = "__text:", "__instant:", "__clock:", "__number:", "__fault:"


class Cleaned(msgspec.Struct, frozen=True):
    """Rows judged one by one.

    `calls` has `ROW`, the columns of `SCHEMA`, `REASON` (null for a call, else why the row is none) and one column of
    truth values for each name in `altered` (`ALTERED` before it): whether a value of the row was made null.
    """

    calls: pl.LazyFrame
    altered: tuple[str, ...]


class _Policies(msgspec.Struct, frozen=True):
    """Which faults make a row no call, which only make a value null, and which impossible values make it none."""

    refusing: tuple[str, ...]
    altering: tuple[str, ...]
    refusing_values: frozenset[str]


def clean(raw: pl.LazyFrame, mapping: Mapping) -> Cleaned:
    """The rows of `raw` (source columns of any type, and `ROW`) by `mapping`.

    Raises `MappingInvalid` with `problems` when the mapping names columns that the source lacks.
    """
    found = raw.collect_schema()
    given = mapping.columns.given()
    missed = [name for name in found.names() if name.startswith(MISSED)]
    headers = _headers([name for name in found.names() if name not in {ROW, FAULT, *missed}], given)
    texts = {
        f"{_TEXT}{name}": _text(column, headers, found, mapping)
        for name, column in given.items()
        if _derived(column) is None
    }
    faults: dict[str, pl.Expr] = {}
    readings: dict[str, pl.Expr] = {}
    for name, column in given.items():
        readings |= _readings(name, column, [found[headers[source]] for source in column.sources])
        faults |= _faults(name, column, mapping)
    values = {name: _value(name, given[name], mapping) for name in COLUMNS if name in given}
    # Step by step, so that no text is read twice: what texts say, what they mean, what can be wrong with them.
    frame = _faulted(raw).select(ROW, FAULT, *missed, **texts).with_columns(**readings)
    frame = frame.with_columns(**{name: values.get(name, pl.lit(None)).cast(SCHEMA[name]) for name in COLUMNS})
    frame = frame.select(
        ROW,
        FAULT,
        *missed,
        *COLUMNS,
        **{f"{_FAULT}{reason}": fault.fill_null(value=False) for reason, fault in faults.items()},
    )
    frame = _derive(frame, mapping)
    return _judge(frame, _policies(given, faults), missed)


def clean_ready(raw: pl.LazyFrame) -> Cleaned:
    """The rows of a ready dataset (see `canonical`) under the same rules. Raises `SchemaInvalid`."""
    return _judge(aliased(_faulted(raw), keep=(ROW, FAULT)), _Policies((), (), frozenset()), ())


def _faulted(raw: pl.LazyFrame) -> pl.LazyFrame:
    """`raw` with `FAULT`; readers that can meet no faulty line leave it out."""
    return raw if FAULT in raw.collect_schema() else raw.with_columns(pl.lit(None, dtype=pl.String).alias(FAULT))


def _judge(frame: pl.LazyFrame, policies: _Policies, missed: Sequence[str]) -> Cleaned:
    """Apply the rules of `SCHEMA`: what makes a row no call, and what makes a value null."""
    started, ended = pl.col("started_at"), pl.col("ended_at")
    wait, duration, rating = pl.col("wait_seconds"), pl.col("duration_seconds"), pl.col("rating")
    altered = {
        "ended_at_before_started_at": ended < started,
        "wait_negative": wait < 0,
        "duration_negative": duration < 0,
        "duration_zero": duration == 0,
        "rating_outside_scale": ~rating.is_between(1, 5),
        **{reason: pl.col(f"{_FAULT}{reason}") for reason in policies.altering},
        TOO_FEW: pl.col(FAULT) == TOO_FEW,
        **{f"lookup_missed:{name.removeprefix(MISSED)}": pl.col(name) for name in missed},
    }
    reasons = [
        pl.when(pl.col(FAULT) != TOO_FEW).then(pl.col(FAULT)),
        *(pl.when(pl.col(f"{_FAULT}{reason}")).then(pl.lit(reason)) for reason in policies.refusing),
        *(pl.when(pl.col(name).is_null()).then(pl.lit(f"{name}_missing")) for name in REQUIRED),
        *(pl.when(altered[reason]).then(pl.lit(reason)) for reason in sorted(policies.refusing_values)),
    ]
    return Cleaned(
        frame.select(
            ROW,
            *(name for name in COLUMNS if name not in {"ended_at", "wait_seconds", "duration_seconds", "rating"}),
            ended_at=pl.when(ended >= started).then(ended),
            wait_seconds=pl.when(wait >= 0).then(wait),
            duration_seconds=pl.when(duration > 0).then(duration),
            rating=pl.when(rating.is_between(1, 5)).then(rating),
            **{REASON: pl.coalesce(reasons)},
            **{f"{ALTERED}{reason}": test.fill_null(value=False) for reason, test in altered.items()},
        ),
        tuple(altered),
    )


def _headers(names: Sequence[str], given: dict[str, Column]) -> dict[str, str]:
    """For each source column that the mapping names, the one in the file: the same, or alike in letters and digits."""
    headers: dict[str, str] = {}
    problems: list[str] = []
    for column, rule in given.items():
        wanted = [(name, f"columns.{column}.from") for name in rule.sources]
        if rule.only_when is not None:
            wanted.append((rule.only_when.column, f"columns.{column}.only_when.column"))
        for name, place in wanted:
            matches = matching(name, names)
            if len(matches) == 1:
                headers[name] = matches[0]
            elif matches:
                problems.append(f"{place}: '{name}' may be any of {', '.join(matches)}; write it exactly.")
            else:
                problems.append(f"{place}: the file has no column '{name}'; {nearest(name, list(names))}")
    if problems:
        raise MappingInvalid("\n".join(problems), problems=problems)
    return headers


def matching(name: str, names: Sequence[str]) -> list[str]:
    """Which of the headers `names` may be meant by `name`: itself, else those that are alike in letters and digits."""
    return [name] if name in names else [found for found in names if _letters(found) == _letters(name)]


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _derived(column: Column) -> str | None:
    return column.derive if isinstance(column, InstantColumn) else None


def _text(column: Column, headers: dict[str, str], found: pl.Schema, mapping: Mapping) -> pl.Expr:
    """What the source says about a column: its parts joined, null when one of them is, or when the row is not meant."""
    if column.constant is not None:
        text = pl.lit(column.constant)
    else:
        nulls = (*mapping.null_words, *column.null_words)
        parts = [text_of(headers[name], found[headers[name]], nulls) for name in column.sources]
        join = column.join if isinstance(column, TextColumn | InstantColumn) else " "
        text = parts[0] if len(parts) == 1 else pl.concat_str(parts, separator=join)
    only = column.only_when
    if only is None:
        return text
    asked = text_of(headers[only.column], found[headers[only.column]], ())
    meant = asked.is_in(list(only.is_)) if only.is_ else ~asked.is_in(list(only.is_not)).fill_null(value=False)
    return pl.when(meant).then(text)


def _readings(name: str, column: Column, found: Sequence[pl.DataType]) -> dict[str, pl.Expr]:
    """What stands between a column's text and its value, where both the value and its faults need it."""
    text = pl.col(f"{_TEXT}{name}")
    match column:
        case InstantColumn() if column.derive is None:
            formats = column.formats
            if any(kind.is_temporal() for kind in found):
                # Cells that are times already come as ISO 8601 from `text_of`, whatever the file's texts look like.
                formats = (ISO,) if len(found) == 1 else (*formats, *ISO_FORMATS)
            instant, clock = instants_and_clocks(text, formats)
            return {f"{_INSTANT}{name}": instant, f"{_CLOCK}{name}": clock}
        case RatingColumn():
            return {f"{_NUMBER}{name}": numbers(text, column.decimal)}
        case _:
            return {}


def _value(name: str, column: Column, mapping: Mapping) -> pl.Expr:
    """The column's value; null where it is derived later."""
    text = pl.col(f"{_TEXT}{name}")
    match column:
        case TextColumn():
            return text.replace(column.words) if column.words else text
        case InstantColumn() if column.derive is None:
            return pl.coalesce(f"{_INSTANT}{name}", local_instants(pl.col(f"{_CLOCK}{name}"), mapping))
        case SecondsColumn():
            return seconds(text, column)
        case FlagColumn():
            return flags(text, column)
        case RatingColumn():
            return ratings(pl.col(f"{_NUMBER}{name}"), column.rating_scale)
        case _:
            return pl.lit(None)


def _faults(name: str, column: Column, mapping: Mapping) -> dict[str, pl.Expr]:
    """By reason, what can be wrong with a column's value."""
    wrong = pl.col(f"{_TEXT}{name}").is_not_null() & pl.col(name).is_null()
    match column:
        case InstantColumn() if column.derive is None:
            placeless = wrong & pl.col(f"{_CLOCK}{name}").is_not_null()
            reason = "without_time_zone" if mapping.time_zone is None else "not_in_time_zone"
            return {f"{name}_{reason}": placeless, f"{name}_unreadable": wrong}
        case SecondsColumn():
            return {f"{name}_unreadable": wrong}
        case FlagColumn():
            return {f"{name}_unknown_word": wrong}
        case RatingColumn():
            number = pl.col(f"{_NUMBER}{name}")
            return {
                f"{name}_unreadable": wrong & number.is_null(),
                f"{name}_outside_scale": wrong & number.is_not_null(),
            }
        case _:
            return {}


def _policies(given: dict[str, Column], faults: dict[str, pl.Expr]) -> _Policies:
    refusing: list[str] = []
    altering: list[str] = []
    values: set[str] = set()
    for name, column in given.items():
        for reason in (reason for reason in faults if reason.startswith(f"{name}_")):
            (refusing if _refuses(name, column, reason) else altering).append(reason)
        if isinstance(column, SecondsColumn) and column.outside == "reject":
            values.add(f"{name.removesuffix('_seconds')}_negative")
    return _Policies(tuple(refusing), tuple(altering), frozenset(values))


def _refuses(name: str, column: Column, reason: str) -> bool:
    match column:
        case FlagColumn():
            return column.other == "reject"
        case RatingColumn() if reason.endswith("_outside_scale"):
            return column.outside == "reject"
        case InstantColumn() | SecondsColumn() | RatingColumn():
            return name == "started_at" or column.unreadable == "reject"
        case _:
            return True


def _derive(frame: pl.LazyFrame, mapping: Mapping) -> pl.LazyFrame:
    """Add what follows from other columns: an agent's id, `resolved` from the word for it, the end from its parts."""
    columns = mapping.columns
    made: dict[str, pl.Expr] = {}
    if columns.agent_id is None and columns.agent_name is not None:
        made["agent_id"] = slug(pl.col("agent_name"))
    if columns.resolved is None and columns.resolution is not None:
        made["resolved"] = resolved_word(pl.col("resolution"))
    ended = columns.ended_at
    if ended is not None and ended.derive is not None:
        lengths = [
            pl.when(pl.col(part) >= least).then(pl.col(part)) for part, least in _LEAST.items() if part in ended.derive
        ]
        made["ended_at"] = pl.col("started_at") + pl.duration(microseconds=_microseconds(lengths))
    elif ended is not None and ended.next_day_when_before_start:
        later = pl.col("ended_at") < pl.col("started_at")
        made["ended_at"] = pl.when(later).then(pl.col("ended_at") + pl.duration(days=1)).otherwise(pl.col("ended_at"))
    return frame.with_columns(**{name: value.cast(SCHEMA[name]) for name, value in made.items()}) if made else frame


def _microseconds(lengths: Sequence[pl.Expr]) -> pl.Expr:
    # Null as soon as one length is not known: when it ended is then not known either.
    total = lengths[0]
    for length in lengths[1:]:
        total = total + length
    return (total * 1_000_000).round().cast(pl.Int64)
