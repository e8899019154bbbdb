"""What a call is: the columns of a dataset, and the other spellings in which a ready dataset may arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.words import FALSE_WORDS, RESOLVED_WORDS, TRUE_WORDS, UNRESOLVED_WORDS
from supportapi.errors import SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INSTANT: Final = pl.Datetime("us", "UTC")

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "call_id": pl.String,
    "customer_id": pl.String,
    "agent_id": pl.String,
    "agent_name": pl.String,
    "region": pl.String,
    "channel": pl.String,
    "issue_type": pl.String,
    "started_at": INSTANT,
    "ended_at": INSTANT,
    "wait_seconds": pl.Float64,
    "duration_seconds": pl.Float64,
    "answered": pl.Boolean,
    "resolved": pl.Boolean,
    "resolution": pl.String,
    "rating": pl.Int8,
}
COLUMNS: Final = tuple(SCHEMA)
REQUIRED: Final = ("call_id", "started_at")
SORT_KEY: Final = ("started_at", "call_id")

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "call_id": ("id",),
    "region": ("customer_region",),
    "started_at": ("start_time",),
    "ended_at": ("end_time",),
    "duration_seconds": ("call_duration_minutes",),
    "resolution": ("resolution_status",),
    "rating": ("skill_rating",),
}
"""Other names of our columns in a ready dataset; our own name wins where both are present."""

ISO_FORMATS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
)  # fmt: skip
_SECONDS_PER_MINUTE: Final = 60.0
_IMPOSSIBLE_RATING: Final = 0


def canonical(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The calls of any ready dataset as exactly the columns of `SCHEMA`, in order; lazy, row by row, order kept.

    A ready dataset has our column names or those of `ALIASES`. Missing columns become null, others are dropped.
    Naive times are taken as UTC; durations and waits are rounded to whole milliseconds; a duration of 0 becomes null,
    and so does empty text. `agent_id` is the slug of `agent_name` where there is no id, `resolved` follows from
    `resolution` by a table of words (others stay null) where it is absent. A rating that is no whole number becomes 0,
    which `validate` refuses together with other impossible values; text that is no time, number or yes-or-no fails
    when the frame is collected.

    Raises `SchemaInvalid` with `problems` when a required column is missing or a type cannot be understood.
    """
    return with_talk_time(aliased(frame))


def aliased(frame: pl.LazyFrame, *, keep: Sequence[str] = ()) -> pl.LazyFrame:
    """`canonical` without its last step (durations of 0 can still be counted), with the columns `keep` first."""
    found = frame.collect_schema()
    sources = ready_sources(found.names())
    problems: list[dict[str, str]] = [
        {"reason": "column_missing", "column": column} for column in REQUIRED if sources[column] is None
    ]
    values: dict[str, pl.Expr] = {}
    for column, source in sources.items():
        if source is None:
            values[column] = pl.lit(None, dtype=SCHEMA[column])
            continue
        value = _cast(column, source, found[source])
        if value is None:
            problems.append(
                {"reason": "wrong_type", "column": source, "found": str(found[source]), "expected": str(SCHEMA[column])}
            )
        else:
            values[column] = value
    if problems:
        names = ", ".join(f"{problem['column']} ({problem['reason']})" for problem in problems)
        raise SchemaInvalid(f"These columns are not those of a call: {names}.", problems=problems)
    if sources["agent_id"] is None and sources["agent_name"] is not None:
        values["agent_id"] = slug(values["agent_name"])
    if sources["resolved"] is None and sources["resolution"] is not None:
        values["resolved"] = resolved_word(values["resolution"])
    return frame.select(*keep, **{column: values[column] for column in COLUMNS})


def ready_sources(names: Sequence[str]) -> dict[str, str | None]:
    """For each column of `SCHEMA` the one of a ready dataset's `names` that holds it; None where there is none."""
    return {
        column: next((name for name in (column, *ALIASES.get(column, ())) if name in names), None) for column in SCHEMA
    }


def with_talk_time(calls: pl.LazyFrame) -> pl.LazyFrame:
    """`calls` with a duration of 0 as null: there was no conversation."""
    duration = pl.col("duration_seconds")
    return calls.with_columns(pl.when(duration != 0).then(duration).alias("duration_seconds"))


def slug(name: pl.Expr) -> pl.Expr:
    """An id made of a name: lower case, no accents, runs of anything but letters and digits as one hyphen."""
    plain = name.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    made = plain.str.replace_all(r"[^\p{L}\p{N}]+", "-").str.strip_chars("-")
    return pl.when(made != "").then(made).otherwise(name)


def resolved_word(resolution: pl.Expr) -> pl.Expr:
    """Whether a source's word for the outcome means that the issue ended; null for words that we do not know."""
    word = plain_word(resolution)
    return pl.when(word.is_in(RESOLVED_WORDS)).then(True).when(word.is_in(UNRESOLVED_WORDS)).then(False)  # noqa: FBT003 - a value


def plain_word(text: pl.Expr) -> pl.Expr:
    """`text` for comparing: lower case, with runs of blanks, hyphens and underscores as one blank."""
    return text.str.to_lowercase().str.replace_all(r"[\s_-]+", " ").str.strip_chars(" ")


def whole_milliseconds(seconds: pl.Expr) -> pl.Expr:
    """`seconds` rounded to milliseconds; what is no finite number becomes null."""
    # Not `(seconds * 1000).round() / 1000`: Polars divides by a constant by multiplying with 1/1000, an ulp beside.
    return pl.when(seconds.is_finite()).then(seconds.round(3))


def iso_instant(text: pl.Expr, *, strict: bool = True) -> pl.Expr:
    """ISO 8601 text as an instant in UTC; text without an offset is taken as UTC. Strict: fails on anything else."""
    with_offset = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    # A strict last attempt makes the whole expression strict: it sees only what no earlier one could read.
    rest = pl.when(with_offset.is_null()).then(text)
    naive = [
        rest.str.to_datetime(pattern, time_unit="us", strict=False, exact=True).dt.replace_time_zone("UTC")
        for pattern in ISO_FORMATS
    ]
    value = pl.coalesce(with_offset, *naive)
    if not strict:
        return value
    left = pl.when(value.is_null()).then(text)
    return pl.coalesce(value, left.str.to_datetime("%+", time_unit="us", time_zone="UTC"))


def _cast(column: str, source: str, found: pl.DataType) -> pl.Expr | None:
    """The column `source`, of type `found`, as values of `column`; None when there is no sensible way."""
    wanted = SCHEMA[column]
    if found == pl.Null:
        return pl.lit(None, dtype=wanted)
    if column == "duration_seconds" and source == "call_duration_minutes":
        minutes = _seconds(pl.col(source), found)
        return None if minutes is None else whole_milliseconds(minutes * _SECONDS_PER_MINUTE)
    return _CASTS[wanted](pl.col(source), found)


def _text(value: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    if found.is_float():
        # Ids that a reader took for numbers because of blanks: 17.0 is the id "17".
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(value == whole).then(whole.cast(pl.String)).when(value.is_not_nan()).then(value.cast(pl.String))
    if found.is_integer():
        return value.cast(pl.String)
    if found == pl.String or isinstance(found, pl.Categorical | pl.Enum):
        text = value.cast(pl.String)
        return pl.when(text != "").then(text)
    return None


def _instant(value: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    if found == INSTANT:
        return value
    if isinstance(found, pl.Datetime):
        zoned = value.dt.replace_time_zone("UTC") if found.time_zone is None else value.dt.convert_time_zone("UTC")
        return zoned.cast(INSTANT)
    if found == pl.Date:
        return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return iso_instant(value) if found == pl.String else None


def _seconds(value: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    if isinstance(found, pl.Duration):
        return value.dt.total_microseconds() / 1_000_000
    if found.is_numeric():
        return value.cast(pl.Float64)
    if found == pl.String:
        return pl.when(value.str.strip_chars() != "").then(value).cast(pl.Float64)
    return None


def _whole_seconds(value: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    seconds = _seconds(value, found)
    return None if seconds is None else whole_milliseconds(seconds)


def _boolean(value: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    if found == pl.Boolean:
        return value
    if found.is_integer():
        return value.replace_strict({0: False, 1: True}, return_dtype=pl.Boolean)
    if found == pl.String:
        words = dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)
        plain = plain_word(value)
        return pl.when(plain != "").then(plain).replace_strict(words, return_dtype=pl.Boolean)
    return None


def _rating(value: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    number = _seconds(value, found)
    if number is None or isinstance(found, pl.Duration):
        return None
    known = number.is_not_null() & number.is_not_nan()
    whole = number.cast(pl.Int8, strict=False)
    return pl.when(known & (number == whole)).then(whole).when(known).then(_IMPOSSIBLE_RATING).cast(pl.Int8)


_CASTS: Final[dict[pl.DataType | type[pl.DataType], Callable[[pl.Expr, pl.DataType], pl.Expr | None]]] = {
    pl.String: _text,
    INSTANT: _instant,
    pl.Float64: _whole_seconds,
    pl.Boolean: _boolean,
    pl.Int8: _rating,
}
