"""How the columns of a source become calls: what a mapping may say (see `docs/mapping.md`), and reading it."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from supportapi.calls.decode import Words, decode, nearest
from supportapi.calls.words import FALSE_WORDS, TRUE_WORDS
from supportapi.errors import MappingInvalid

FORMATS: Final = ("csv", "excel", "json", "ndjson", "parquet", "arrow")
ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS, EXCEL = "iso", "epoch_seconds", "epoch_milliseconds", "excel"
NAMED_FORMATS: Final = (ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS, EXCEL)
UNITS: Final = ("seconds", "milliseconds", "minutes", "hours", "h:mm:ss", "m:ss", "iso8601", "excel_days")
RATING_RULE: Final = re.compile(r"linear|(ceil|floor|round)\(\s*x\s*/\s*(\d*\.?\d*[1-9]\d*)\s*\)")
ENDED_AT_SUMS: Final = ("started_at + wait_seconds + duration_seconds", "started_at + duration_seconds")
ZONE_REMEDY: Final = (
    'Add the clock that they were read from at the top of the mapping, as in time_zone = "Europe/Berlin".'
)
_WITH_OFFSET: Final = re.compile(r"%:{0,2}z|%\+")
_WORST, _BEST = 1, 5


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the mapping."""


class OnlyWhen(_Part, frozen=True, kw_only=True):
    """Take the value in rows whose `column` is (or is not) one of these words; elsewhere it is null."""

    column: str
    is_: Words = msgspec.field(default=(), name="is")
    is_not: Words = ()


class Column(_Part, frozen=True, kw_only=True):
    """What every column may say: the source columns that it comes from, or one value for every row."""

    sources: Words = msgspec.field(default=(), name="from")
    constant: str | None = None
    null_words: Words = ()
    only_when: OnlyWhen | None = None


class TextColumn(Column, frozen=True, kw_only=True):
    """Text; several sources are joined. `words` replaces a source's words by others."""

    join: str = "-"
    words: dict[str, str] = {}


class InstantColumn(Column, frozen=True, kw_only=True):
    """An instant; several sources (a date and a time) are joined before they are read by `formats`, tried in order."""

    join: str = " "
    formats: Words = (ISO,)
    unreadable: Literal["reject", "null"] = "reject"
    derive: str | None = None
    next_day_when_before_start: bool = False


class SecondsColumn(Column, frozen=True, kw_only=True):
    """A length of time in one of the `unit`s, tried in order."""

    unit: Words = ("seconds",)
    decimal: Literal[".", ","] = "."
    unreadable: Literal["reject", "null"] = "reject"
    outside: Literal["reject", "null"] = "null"


class FlagColumn(Column, frozen=True, kw_only=True):
    """Yes or no; `other` says what any other word means."""

    true_words: Words = TRUE_WORDS
    false_words: Words = FALSE_WORDS
    other: Literal["reject", "null", "true", "false"] = "reject"


class RatingScale(_Part, frozen=True, kw_only=True):
    """The source's scale, the part of 1-5 that it becomes, and how."""

    first: tuple[float, float] = msgspec.field(name="from")
    to: tuple[int, int] = (_WORST, _BEST)
    rule: str = "linear"


class RatingColumn(Column, frozen=True, kw_only=True):
    """A rating of 1-5, or of another scale with the rule that maps it."""

    rating_scale: RatingScale | None = None
    decimal: Literal[".", ","] = "."
    unreadable: Literal["reject", "null"] = "reject"
    outside: Literal["reject", "null"] = "null"


class MappedColumns(_Part, frozen=True, kw_only=True):
    """Our columns; one that is left out is null in every call."""

    call_id: TextColumn = TextColumn()
    customer_id: TextColumn | None = None
    agent_id: TextColumn | None = None
    agent_name: TextColumn | None = None
    region: TextColumn | None = None
    channel: TextColumn | None = None
    issue_type: TextColumn | None = None
    started_at: InstantColumn = InstantColumn()
    ended_at: InstantColumn | None = None
    wait_seconds: SecondsColumn | None = None
    duration_seconds: SecondsColumn | None = None
    answered: FlagColumn | None = None
    resolved: FlagColumn | None = None
    resolution: TextColumn | None = None
    rating: RatingColumn | None = None

    def given(self) -> dict[str, Column]:
        """The columns that the mapping names."""
        values: dict[str, Column | None] = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: column for name, column in values.items() if column is not None}


class Reading(_Part, frozen=True, kw_only=True):
    """How the file is read; what is left out is told from the file. A `header_row` of 0: there is none."""

    format: Literal["csv", "excel", "json", "ndjson", "parquet", "arrow"] | None = None
    delimiter: str | None = None
    quote: str = '"'
    comment: str | None = None
    encoding: str | None = None
    header_row: int | None = None
    sheet: str | int | None = None
    cells: str | None = msgspec.field(default=None, name="range")
    records: str | None = None


class Lookup(_Part, frozen=True, kw_only=True):
    """A file with more about what a column names; its columns can be sources, with the lookup's name before them.

    The column `there` of `file` holds what `here` names; which of several rows with one key is taken, if any may be.
    """

    file: str
    here: str
    there: str
    keep: Literal["first", "last"] | None = None
    read: Reading = Reading()


class Duplicates(_Part, frozen=True, kw_only=True):
    """Rows that agree in all columns of `key` are one call; which of them stays."""

    key: Words = ("call_id",)
    keep: Literal["first", "last"] = "first"


class Writing(_Part, frozen=True, kw_only=True):
    """The dataset's form: one file, or one for each month; what is left out is up to who ingests."""

    partition: Literal["month", "none"] | None = None


class Mapping(_Part, frozen=True, kw_only=True):
    """How a kind of file becomes calls."""

    name: str | None = None
    notes: str | None = None
    time_zone: str | None = None
    ambiguous: Literal["earliest", "latest", "reject"] = "earliest"
    nonexistent: Literal["reject", "shift"] = "reject"
    null_words: Words = ()
    read: Reading = Reading()
    lookups: dict[str, Lookup] = {}
    duplicates: Duplicates = Duplicates()
    write: Writing = Writing()
    columns: MappedColumns


def read_mapping(document: str) -> Mapping:
    """The mapping in `document` (TOML). Raises `MappingInvalid` with all `problems` at once, each with its remedy."""
    try:
        raw = tomllib.loads(document)
    except tomllib.TOMLDecodeError as cause:
        raise MappingInvalid(f"The mapping is not TOML: {cause}.", problems=[str(cause)]) from cause
    problems: list[str] = []
    if "columns" not in raw:
        problems.append(
            "There is no table [columns]: it says which source columns become call_id, started_at and the rest."
        )
    decoded = decode(raw, Mapping, "", problems)
    if not problems:
        problems = [*_column_problems(decoded), *_time_problems(decoded), *_rating_problems(decoded)]
    if problems:
        raise MappingInvalid("\n".join(problems), problems=problems)
    mapping: Mapping = decoded
    return mapping


def _column_problems(mapping: Mapping) -> list[str]:
    problems: list[str] = []
    for name, column in mapping.columns.given().items():
        derived = isinstance(column, InstantColumn) and column.derive is not None
        ways = bool(column.sources) + (column.constant is not None) + derived
        if ways != 1:
            problems.append(
                f"columns.{name}: say exactly one of from, constant{', derive' if name == 'ended_at' else ''}."
            )
        if isinstance(column, FlagColumn) and (both := set(column.true_words) & set(column.false_words)):
            problems.append(f"columns.{name}: {', '.join(sorted(both))} cannot mean both yes and no.")
        if isinstance(column, SecondsColumn):
            unknown = [unit for unit in column.unit if unit not in UNITS]
            problems.extend(
                f"columns.{name}.unit: '{unit}' is no unit; {nearest(unit, list(UNITS))}" for unit in unknown
            )
        if column.only_when is not None and bool(column.only_when.is_) == bool(column.only_when.is_not):
            problems.append(f"columns.{name}.only_when: say exactly one of is, is_not.")
    known = list(MappedColumns.__struct_fields__)
    problems.extend(
        f"duplicates.key: '{name}' is not a column of a call; {nearest(name, known)}"
        for name in mapping.duplicates.key
        if name not in known
    )
    return problems


def _time_problems(mapping: Mapping) -> list[str]:
    problems: list[str] = []
    if mapping.time_zone is not None and not _is_zone(mapping.time_zone):
        zones = sorted(available_timezones())
        problems.append(
            f"time_zone: '{mapping.time_zone}' is no IANA time zone; {_nearest_zone(mapping.time_zone, zones)}"
        )
    for name, column in mapping.columns.given().items():
        if not isinstance(column, InstantColumn) or column.derive is not None:
            continue
        for pattern in column.formats:
            if pattern not in NAMED_FORMATS and "%" not in pattern:
                problems.append(
                    f"columns.{name}.formats: '{pattern}' is no format; {nearest(pattern, list(NAMED_FORMATS))}"
                )
            elif mapping.time_zone is None and needs_zone(pattern):
                problems.append(f"columns.{name}: times in the format '{pattern}' do not say their zone. {ZONE_REMEDY}")
    problems.extend(_derive_problems(mapping))
    return problems


def _derive_problems(mapping: Mapping) -> list[str]:
    problems: list[str] = []
    if mapping.columns.started_at.derive is not None:
        problems.append("columns.started_at.derive: only ended_at can be derived.")
    ended = mapping.columns.ended_at
    if ended is not None and ended.derive is not None and ended.derive not in ENDED_AT_SUMS:
        told = " or ".join(f"'{known}'" for known in ENDED_AT_SUMS)
        problems.append(f"columns.ended_at.derive: must be {told}.")
    return problems


def _rating_problems(mapping: Mapping) -> list[str]:
    rating = mapping.columns.rating
    scale = None if rating is None else rating.rating_scale
    if scale is None:
        return []
    problems: list[str] = []
    if not scale.first[0] < scale.first[1]:
        problems.append("columns.rating.rating_scale.from: write the lowest and the highest value, as in [1, 10].")
    if not _WORST <= scale.to[0] < scale.to[1] <= _BEST:
        problems.append("columns.rating.rating_scale.to: must lie within [1, 5].")
    if RATING_RULE.fullmatch(scale.rule) is None:
        problems.append(
            "columns.rating.rating_scale.rule: must be 'linear', or as in 'ceil(x/2)', 'round(x/2)', 'floor(x/2)'."
        )
    return problems


def needs_zone(pattern: str) -> bool:
    """Whether times of this format say nothing about their zone; ISO times may, which only the file shows."""
    return pattern == EXCEL or (pattern not in NAMED_FORMATS and _WITH_OFFSET.search(pattern) is None)


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
