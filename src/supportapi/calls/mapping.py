"""How the columns of a source become calls: what a mapping may say (see `docs/mapping.md`), and reading it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final, Literal, cast

import msgspec

from supportapi.calls.columns import InstantColumn, MappedColumns, ZoneColumn
from supportapi.calls.conditions import Condition
from supportapi.calls.decode import Table, Words, decode
from supportapi.calls.mapping_problems import problems_of
from supportapi.errors import MappingInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMING: Final = ("from", "first_of", "column", "here")
"""Fields that name source columns, wherever they stand."""


class Reading(Table, frozen=True, kw_only=True):
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


class Lookup(Table, frozen=True, kw_only=True):
    """A file with more about what a column names; its columns can be sources, with the lookup's name before them.

    The column `there` of `file` holds what `here` names; which of several rows with one key is taken, if any may be.
    """

    file: str
    here: str
    there: str
    keep: Literal["first", "last"] | None = None
    read: Reading = Reading()


class Duplicates(Table, frozen=True, kw_only=True):
    """Rows that agree in all columns of `key` are one call; which of them stays, by `order` and then by their place.

    Without `key` it is the call's id; nothing is a duplicate when rows are folded. `row` means the whole source row.
    """

    key: Words = ()
    keep: Literal["first", "last"] = "first"
    order: InstantColumn | None = None


class Fold(Table, frozen=True, kw_only=True):
    """Rows that agree in all columns of `key` are parts of one call, in the `order` of their instants."""

    key: Words = ("call_id",)
    order: InstantColumn | None = None


class Writing(Table, frozen=True, kw_only=True):
    """The dataset's form: one file, or one for each month; what is left out is up to who ingests."""

    partition: Literal["month", "none"] | None = None


class Mapping(Table, frozen=True, kw_only=True):
    """How a kind of file becomes calls."""

    name: str | None = None
    notes: str | None = None
    time_zone: str | ZoneColumn | None = None
    ambiguous: Literal["earliest", "latest", "reject"] = "earliest"
    nonexistent: Literal["reject", "shift"] = "reject"
    null_words: Words = ()
    rows_are_calls: bool = False
    read: Reading = Reading()
    lookups: dict[str, Lookup] = msgspec.field(default_factory=dict[str, Lookup])
    filters: tuple[Condition, ...] = ()
    duplicates: Duplicates = Duplicates()
    fold: Fold | None = None
    write: Writing = Writing()
    columns: MappedColumns

    def sources(self) -> list[tuple[str, str]]:
        """Each place of the mapping that names a source column, with the column."""
        return list(_sources(self, ""))


def read_mapping(document: str) -> Mapping:
    """The mapping in `document` (TOML). Raises `MappingInvalid` with all `problems` at once, each with its remedy."""
    try:
        raw = tomllib.loads(document)
    except (tomllib.TOMLDecodeError, RecursionError) as cause:
        raise MappingInvalid(f"The mapping is not TOML: {cause}.", problems=[str(cause)]) from cause
    problems: list[str] = []
    if "columns" not in raw:
        problems.append(
            "There is no table [columns]: it says which source columns become call_id, started_at and the rest."
        )
    decoded = decode(raw, Mapping, "", problems)
    problems = problems or problems_of(decoded)
    if problems:
        raise MappingInvalid("\n".join(problems), problems=problems)
    mapping: Mapping = decoded
    return mapping


def _sources(table: Table, path: str) -> Iterator[tuple[str, str]]:
    for field in msgspec.structs.fields(table):
        place = f"{path}.{field.encode_name}".removeprefix(".")
        for part_of, part in _parts(getattr(table, field.name), numbered=field.name == "filters"):
            if isinstance(part, Table):
                yield from _sources(part, f"{place}{part_of}")
            elif isinstance(part, str) and field.encode_name in _NAMING:
                yield place, part


def _parts(value: object, *, numbered: bool) -> Iterator[tuple[str, object]]:
    """What stands in a field, with what tells it from the others there."""
    if isinstance(value, dict):
        yield from ((f".{name}", part) for name, part in cast("dict[str, object]", value).items())
    elif isinstance(value, tuple):
        parts = cast("tuple[object, ...]", value)
        numbered = numbered or len(parts) > 1
        yield from ((f".{number}" if numbered else "", part) for number, part in enumerate(parts, start=1))
    else:
        yield "", value
