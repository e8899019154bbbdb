"""Rows of a source become calls, or a reason why not. Pure: frames in, frames out, row by row and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import polars as pl

from supportapi.calls.columns import (
    ISO,
    NUMBER,
    Column,
    FlagColumn,
    InstantColumn,
    RatingColumn,
    SecondsColumn,
    TextColumn,
    ZoneColumn,
    between_slots,
)
from supportapi.calls.faults import faults_of
from supportapi.calls.headers import LOOKUP_MISSED, headers_of, sources_behind
from supportapi.calls.instants import clock_times, local_instants, mended_time, zoned_instants
from supportapi.calls.judge import ALTERED, REASON, TELLING, judge
from supportapi.calls.mapping_problems import ROW_KEY
from supportapi.calls.record import COLUMNS, INSTANT, ISO_FORMATS, SCHEMA, aliased, ready_sources, whole_milliseconds
from supportapi.calls.slots import CLOCK, FLAG, INSTANT_OF, NUMBER_OF, REST, TEXT, ZONE
from supportapi.calls.text import mended, text_of
from supportapi.calls.values import between, flags, numbers, rated, ratings, seconds, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.mapping import Mapping

Numeric = TypeVar("Numeric", SecondsColumn, RatingColumn)

ROW: Final = "__row"
"""The column of a raw frame that numbers its rows."""
FAULT: Final = "__fault"
"""The column of a raw frame, where it has one, that says what is wrong with a row's line; null where nothing is."""
TOO_FEW: Final = "too_few_fields"
"""The one fault of a line that leaves a row: its missing fields are null."""
MISSED: Final = "__missed:"
"""Before the name of a lookup: whether it lacks what the row names."""
FILTERED: Final = "__filtered"
"""The number of the filter that a row does not pass; null for all others."""
ORDER: Final = "__order"
"""What says which of several rows is later, where the mapping names that."""
SAME: Final = ("__same:1", "__same:2")
"""Two hashes of the whole source row, where the mapping asks for repeated rows."""
_BROKEN: Final = pl.when(pl.col(FAULT) != TOO_FEW).then(pl.col(FAULT))
_IS_SHORT: Final = (pl.col(FAULT) == TOO_FEW).fill_null(value=False)


class Cleaned(msgspec.Struct, frozen=True):
    """Rows judged one by one; or, for a mapping that folds them, their values, to be judged when they are calls.

    `calls` has `ROW`, the columns of `SCHEMA`, `REASON` (null for a call, else why the row is none), `FILTERED` and one
    column of truth values for each name in `altered` (`ALTERED` before it): whether a value of the row is null for it.
    `altered` names the columns of a call that this concerns (itself, if it concerns the row), `sources` the file's
    columns behind each of them.
    """

    calls: pl.LazyFrame
    altered: dict[str, tuple[str, ...]]
    sources: dict[str, tuple[str, ...]]
    named: tuple[str, ...]
    """The file's columns that the mapping names: nothing of the others is kept anywhere."""


def clean(raw: pl.LazyFrame, mapping: Mapping) -> Cleaned:
    """The rows of `raw` (source columns of any type, `ROW`, and `FAULT` or not) by `mapping`.

    Raises `MappingInvalid` with `problems` when the mapping names columns that the source lacks.
    """
    raw = _faulted(raw)
    source = _Source(raw.collect_schema(), mapping)
    faults = faults_of(mapping)
    # Step by step, so that no text is read twice: what texts say, what they mean, what can be wrong with them.
    frame = raw.select(ROW, FAULT, *source.missed, **source.texts(), **source.marks())
    frame = frame.with_columns(**source.readings()).with_columns(**source.clocks())
    # Only what could not be read is mended and read again.
    frame = frame.with_columns(**source.rests())
    frame = frame.with_columns(**source.readings(again=True)).with_columns(**source.clocks(again=True))
    frame = frame.with_columns(**source.instants()).with_columns(**source.values())
    marks = [name for name in (FILTERED, ORDER, *SAME) if name in source.marks() or name in source.read_as]
    ends = [name for name in source.read_as if mapping.fold is not None and name not in {*COLUMNS, ORDER}]
    refusing = [fault.reason for fault in faults if fault.refuses]
    altering = {fault.reason: (fault.column,) for fault in faults if not fault.refuses}
    told = {
        TOO_FEW: _IS_SHORT,
        **{f"{LOOKUP_MISSED}{name.removeprefix(MISSED)}": pl.col(name) for name in source.missed},
    }
    frame = frame.select(
        ROW,
        *COLUMNS,
        *marks,
        *ends,
        FAULT,
        **{f"{ALTERED}{fault.reason}": fault.test.fill_null(value=False) for fault in faults},
        **{f"{ALTERED}{reason}": test for reason, test in told.items()},
    )
    missing = mapping.fold.key if mapping.fold is not None else ()
    reasons = [
        _BROKEN,
        *(pl.when(pl.col(f"{ALTERED}{reason}")).then(pl.lit(reason)) for reason in refusing),
        *(pl.when(pl.col(name).is_null()).then(pl.lit(f"{name}_missing")) for name in missing),
    ]
    frame = frame.with_columns(pl.coalesce(reasons).alias(REASON)).drop(
        FAULT, *(f"{ALTERED}{reason}" for reason in refusing)
    )
    if mapping.fold is None:
        frame, altering = judge(frame, mapping), altering | TELLING
    sources = {**sources_behind(mapping, source.headers), TOO_FEW: source.named}
    return Cleaned(frame, altering | {reason: (reason,) for reason in told}, sources, source.named)


def clean_ready(raw: pl.LazyFrame) -> Cleaned:
    """The rows of a ready dataset (see `canonical`) under the same rules. Raises `SchemaInvalid`."""
    names = ready_sources(raw.collect_schema().names())
    short = f"{ALTERED}{TOO_FEW}"
    marks = {REASON: _BROKEN, FILTERED: pl.lit(None, dtype=pl.UInt8), short: _IS_SHORT}
    calls = judge(aliased(_faulted(raw).with_columns(**marks), keep=(ROW, *marks)), None)
    sources = {column: (name,) for column, name in names.items() if name is not None}
    named = tuple(dict.fromkeys(name for (name,) in sources.values()))
    return Cleaned(calls, {**TELLING, TOO_FEW: (TOO_FEW,)}, {**sources, TOO_FEW: named}, named)


def _faulted(raw: pl.LazyFrame) -> pl.LazyFrame:
    """`raw` with `FAULT`; readers that can meet no faulty line leave it out."""
    return raw if FAULT in raw.collect_schema() else raw.with_columns(pl.lit(None, dtype=pl.String).alias(FAULT))


class _Source:
    """The columns of one file, as the mapping sees them: each method gives the columns of one step."""

    def __init__(self, found: pl.Schema, mapping: Mapping) -> None:
        self._found = found
        self._mapping = mapping
        self._given = mapping.columns.given()
        self.missed = [name for name in found.names() if name.startswith(MISSED)]
        self._raw_names = [name for name in found.names() if name not in {ROW, FAULT, *self.missed}]
        self.headers = headers_of(self._raw_names, mapping.sources())
        self.named = tuple(name for name in self._raw_names if name in self.headers.values())
        order = (mapping.fold.order if mapping.fold else None) or mapping.duplicates.order
        self.read_as: dict[str, InstantColumn] = mapping.columns.instants() | ({ORDER: order} if order else {})

    def texts(self) -> dict[str, pl.Expr]:
        """What the source says about each column, and about each instant that is part of one."""
        made: dict[str, pl.Expr] = {}
        for name, column in (self.read_as | self._given).items():
            if column.sources or column.first_of or column.constant is not None:
                made[f"{TEXT}{name}"] = self._meant(column, self._text(column))
            if isinstance(column, FlagColumn) and column.when is not None:
                made[f"{FLAG}{name}"] = self._meant(column, column.when.holds(self._plain(column.when.column)))
            if isinstance(column, SecondsColumn) and column.between is not None:
                parts = zip(between_slots(name), column.between, strict=True)
                made |= {f"{TEXT}{slot}": self._meant(column, self._meant(p, self._text(p))) for slot, p in parts}
        return made | self._zones()

    def _zones(self) -> dict[str, pl.Expr]:
        """What stands in the columns that name a row's zone."""
        zones = {name: column.time_zone or self._mapping.time_zone for name, column in self.read_as.items()}
        return {
            f"{ZONE}{name}": self._plain(zone.source) for name, zone in zones.items() if isinstance(zone, ZoneColumn)
        }

    def marks(self) -> dict[str, pl.Expr]:
        """What decides whether a row is looked at at all."""
        failed = [
            pl.when(~condition.holds(self._plain(condition.column)).fill_null(value=False)).then(
                pl.lit(number, dtype=pl.UInt8)
            )
            for number, condition in enumerate(self._mapping.filters)
        ]
        filtered = pl.coalesce([pl.lit(None, dtype=pl.UInt8), *failed])
        made: dict[str, pl.Expr] = {FILTERED: pl.when(_BROKEN.is_null()).then(filtered)}
        if self._mapping.duplicates.key == (ROW_KEY,):
            row = pl.struct(self._raw_names)
            made |= {name: row.hash(seed) for seed, name in enumerate(SAME)}
        return made

    def readings(self, *, again: bool = False) -> dict[str, pl.Expr]:
        """What stands between a text and its value, but for `clocks`; `again`, what else `rests` say."""
        made: dict[str, pl.Expr] = {}
        origin = REST if again else TEXT
        for name, column in self._clocks().items():
            made[f"{INSTANT_OF}{name}"] = zoned_instants(pl.col(f"{origin}{name}"), self._formats(column), again=again)
        for name, column in self._given.items():
            text = pl.col(f"{origin}{name}")
            if isinstance(column, SecondsColumn) and column.between is None:
                made[f"{NUMBER_OF}{name}"] = seconds(text, self._typed(column))
            elif isinstance(column, RatingColumn):
                made[f"{NUMBER_OF}{name}"] = rated(text, self._typed(column))
        return _again(made) if again else made

    def clocks(self, *, again: bool = False) -> dict[str, pl.Expr]:
        """The clock times of texts that say no zone; `again`, of what else `rests` say."""
        made: dict[str, pl.Expr] = {}
        origin = REST if again else TEXT
        for name, column in self._clocks().items():
            # Trying formats in vain costs more than anything else here.
            rest = pl.when(pl.col(f"{INSTANT_OF}{name}").is_null()).then(pl.col(f"{origin}{name}"))
            made[f"{CLOCK}{name}"] = clock_times(rest, self._formats(column), again=again)
        return _again(made) if again else made

    def rests(self) -> dict[str, pl.Expr]:
        """The texts that could not be read as they are, mended."""
        made: dict[str, pl.Expr] = {}
        for name, column in self._clocks().items():
            unread = pl.col(f"{INSTANT_OF}{name}").is_null() & pl.col(f"{CLOCK}{name}").is_null()
            made[f"{REST}{name}"] = mended_time(pl.when(unread).then(pl.col(f"{TEXT}{name}")), column.offsets)
        for name, column in self._given.items():
            if isinstance(column, RatingColumn) or (isinstance(column, SecondsColumn) and column.between is None):
                unread = pl.col(f"{NUMBER_OF}{name}").is_null()
                made[f"{REST}{name}"] = mended(pl.when(unread).then(pl.col(f"{TEXT}{name}")))
        return made

    def _clocks(self) -> dict[str, InstantColumn]:
        """What is read as an instant, and not as a number that says which row is later."""
        return {
            name: column
            for name, column in self.read_as.items()
            if name != ORDER or self._mapping.columns.formats(column) != (NUMBER,)
        }

    def _formats(self, column: InstantColumn) -> tuple[str, ...]:
        formats = self._mapping.columns.formats(column)
        kinds = [self._found[self.headers[source]] for source in (*column.sources, *column.first_of)]
        if any(kind.is_temporal() for kind in kinds):
            # Cells that are times already come as ISO 8601 from `text_of`, whatever the file's texts look like.
            return (ISO,) if len(kinds) == 1 else (*formats, *ISO_FORMATS)
        return formats

    def instants(self) -> dict[str, pl.Expr]:
        """The values of everything that is an instant."""
        made: dict[str, pl.Expr] = {}
        for name, column in self.read_as.items():
            if name not in self._clocks():
                made[name] = numbers(pl.col(f"{TEXT}{name}"), ".")
                continue
            zone = column.time_zone or self._mapping.time_zone
            local = local_instants(pl.col(f"{CLOCK}{name}"), zone, pl.col(f"{ZONE}{name}"), self._mapping)
            made[name] = pl.coalesce(f"{INSTANT_OF}{name}", local).cast(INSTANT)
        return made

    def values(self) -> dict[str, pl.Expr]:
        """The columns of a call; null where they are left out or derived later."""
        made = {name: self._value(name) for name in COLUMNS if name not in self.read_as}
        return {name: value.cast(SCHEMA[name]) for name, value in made.items()}

    def _value(self, name: str) -> pl.Expr:
        column, text = self._given.get(name), pl.col(f"{TEXT}{name}")
        match column:
            case TextColumn():
                return words(text, column)
            case SecondsColumn():
                read = whole_milliseconds(pl.col(f"{NUMBER_OF}{name}"))
                return read if column.between is None else between(name, column.between)
            case FlagColumn():
                return pl.col(f"{FLAG}{name}") if column.when is not None else flags(text, column)
            case RatingColumn():
                return ratings(pl.col(f"{NUMBER_OF}{name}"), column.rating_scale)
            case _:
                return pl.lit(None)

    def _text(self, column: Column) -> pl.Expr:
        """A column's parts joined, null when one of them is; or the first that is not."""
        if column.constant is not None:
            return pl.lit(column.constant)
        parts = [self._plain(name, column.null_words) for name in (*column.sources, *column.first_of)]
        if column.first_of:
            return pl.coalesce(parts)
        join = column.join if isinstance(column, TextColumn | InstantColumn) else " "
        return parts[0] if len(parts) == 1 else pl.concat_str(parts, separator=join)

    def _meant(self, column: Column, value: pl.Expr) -> pl.Expr:
        only = column.only_when
        return value if only is None else pl.when(only.holds(self._plain(only.column))).then(value)

    def _plain(self, name: str, null_words: Sequence[str] | None = None) -> pl.Expr:
        """A source column's text; null words are words when a condition asks for them."""
        header = self.headers[name]
        nulls = () if null_words is None else (*self._mapping.null_words, *null_words)
        return text_of(header, self._found[header], nulls)

    def _typed(self, column: Numeric) -> Numeric:
        """`column`, as the file holds it where that knows numbers, or lengths, and not only their texts."""
        kinds = [self._found[self.headers[name]] for name in (*column.sources, *column.first_of)]
        if kinds and all(kind.is_numeric() for kind in kinds):
            return msgspec.structs.replace(column, decimal=".")
        lengths = isinstance(column, SecondsColumn) and {type(kind) for kind in kinds} == {pl.Duration}
        return msgspec.structs.replace(column, unit=("h:mm:ss",)) if lengths else column


def _again(made: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """A second reading counts only where the first one found nothing."""
    return {name: pl.coalesce(name, value) for name, value in made.items()}
