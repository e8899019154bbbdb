"""Which columns say how long a call waited and was talked about, and in which unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.columns import SecondsColumn
from supportapi.calls.suggest.finding import Finding, Value
from supportapi.calls.suggest.headers import spoken, weight
from supportapi.calls.suggest.seen import Seen, best, told
from supportapi.calls.values import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.suggest.times import Times

_UNIT_WORDS: Final = (
    ("milliseconds", r"ms|millis\w*|msec"),
    ("seconds", r"seconds?|secs?|s"),
    ("minutes", r"minutes?|mins?"),
    ("hours", r"hours?|hrs?"),
)
_UNITS: Final = tuple((unit, re.compile(rf"(?<!\w)(?:{words})(?!\w)")) for unit, words in _UNIT_WORDS)
_SHAPES: Final = (
    ("h:mm:ss", r"\d+:\d{1,2}:\d{1,2}(\.\d+)?"),
    ("m:ss", r"\d+:\d{1,2}(\.\d+)?"),
    ("iso8601", r"P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"),
    ("words", r"(?i)(\d+([.,]\d+)? ?(d|h|m|s|days?|hrs?|hours?|mins?|minutes?|secs?|seconds?)\.?[ ,]*)+"),
)
_NUMBER: Final = r"-?\d+(\.\d+)?"
_COMMA: Final = r"-?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"
_UNGROUPED: Final = r"\d{1,3}"
_GROUPED: Final = {",": r"-?(0|[1-9]\d{0,2}(,\d{3})*)(\.\d+)?", ".": r"-?(0|[1-9]\d{0,2}(\.\d{3})*)(,\d+)?"}
_OFTEN: Final = 0.05
_PER_SECOND: Final = {"milliseconds": 1000.0, "seconds": 1.0, "minutes": 1 / 60, "excel_days": 1 / 86_400}
_OTHER_LENGTHS: Final = re.compile(
    r"(?<!\w)(handl\w*|aht|hold\w*|wrap\w*|acw|after|ring\w*|ivr|vru|park\w*|total\w*|idle|abandon time|"
    r"duration|dispo\w*|time tracked)(?!\w)"
)
_CLOCK_WORDS: Final = re.compile(
    r"^time$|(?<!\w)(start\w*|begin\w*|\w*entry|exit|end|stop|arriv\w*|received|of day|seg ?start|"
    r"enter\w*)(?!\w)"
)
_FRACTION: Final = r"[.,]\d{3,}$"
_ROUNDED: Final = 0.031
_MOST, _CLOSE_TO = 0.9, 0.02
_FEW_SECONDS, _LONG_SECONDS = 15.0, 3600.0
_CLOCK_SECONDS: Final = 3 * 3600.0
_CONFIRMING_ROWS: Final = 5
_SAYS_SO: Final = 6
_NAMES: Final = {"wait_seconds": "waiting", "duration_seconds": "talking"}


class Length(msgspec.Struct, frozen=True):
    """A column of lengths of time: how it is read, what tells its unit (empty: nothing does), and its seconds."""

    column: Seen
    unit: tuple[str, ...]
    decimal: str
    because: str
    values: pl.Series
    thousands: str | None = None
    """What groups digits where the decimals begin with a point."""


def holds_lengths(one: Times) -> bool:
    """Whether a column that reads as times of day holds lengths of time: by its header, else by its middle value."""
    header = one.column.header
    if _CLOCK_WORDS.search(header):
        return False
    if one.kind != "clock":
        return False
    if _OTHER_LENGTHS.search(header) or max(weight(name, header) for name in _NAMES) > 0:
        return True
    unit = "h:mm:ss" if any("%S" in pattern for pattern in one.formats) else "m:ss"
    middle = _read(one.column, (unit,), ".").median()
    return isinstance(middle, float) and middle < _CLOCK_SECONDS


def length_of(column: Seen, spans: Sequence[tuple[str, pl.Series]]) -> Length | None:
    """How the column's values are lengths; `spans` are named seconds between instants, against which units are told."""
    shares = {unit: share for unit, shape in _SHAPES if (share := column.matches(shape))}
    if sum(shares.values()) > _MOST:
        units = tuple(shares)
        return Length(column, units, ".", f"values like {column.examples(len(units))}", _read(column, units, "."))
    decimal, thousands = _signs(column)
    if decimal is None or not column.known:
        return None
    number = _read(column, ("seconds",), decimal, thousands)
    unit, because = _unit_by_spans(number, spans)
    if not unit:
        unit, because = _unit_by_header(column.header)
    if not unit and column.matches(r"0?\.\d{4,}|0|\d\.\d+E-\d+") == 1.0:
        unit, because = "excel_days", "fractions of a day"
    if not unit and _are_sixtieths(column, number):
        unit, because = "minutes", "their fractions are sixtieths: whole seconds"
    units = (unit or _likely_unit(number),)
    return Length(column, units, decimal, because, _read(column, units, decimal, thousands), thousands)


def _signs(column: Seen) -> tuple[str | None, str | None]:
    """What begins the decimals of a column's numbers, None where they are none, and what groups their digits."""
    grouped = {sign: column.matches(one) for sign, one in _GROUPED.items()}
    if not column.typed and column.matches(_UNGROUPED) > _OFTEN:
        # 1,364 beside 748, and nothing beside 12,5: what stands before three digits everywhere groups them.
        for sign, share in grouped.items():
            if share > _MOST and column.matches(rf".*[{sign}].*"):
                return (".", ",") if sign == "," else (",", None)
    return "." if column.matches(_NUMBER) > _MOST else "," if column.matches(_COMMA) > _MOST else None, None


def lengths_found(lengths: Sequence[Length], span: pl.Series | None) -> tuple[list[Finding], dict[str, str]]:
    """What `lengths` say about waiting and talking; and why others that might have been meant are left out."""
    findings: list[Finding] = []
    left: dict[str, str] = {}
    waits = _named(lengths, "wait_seconds")
    if waits:
        findings.append(_finding("wait_seconds", waits))
    for length in _named(lengths, "duration_seconds"):
        why = _whole_call(length, waits[0] if waits else None, span)
        if why or _unlikely(length):
            left[length.column.name] = why or _unlikely(length)
            continue
        rivals = [other for other in _named(lengths, "duration_seconds") if other.column.name not in left]
        findings.append(_finding("duration_seconds", rivals))
        break
    return findings, left


def _named(lengths: Sequence[Length], name: str) -> list[Length]:
    by_name = {length.column.name: length for length in lengths}
    columns = [length.column for length in lengths]
    return [by_name[column.name] for column in best(columns, lambda column: weight(name, column.header))]


def _whole_call(length: Length, wait: Length | None, span: pl.Series | None) -> str:
    """Why a length is no talk time: it runs from the start to the end, and callers waited in between."""
    says_so = weight("duration_seconds", length.column.header) == _SAYS_SO
    if span is None or wait is None or says_so or not (wait.values > 0).any():
        return ""
    waited = (wait.values > 0) & length.values.is_not_null() & span.is_not_null()
    if waited.sum() < _CONFIRMING_ROWS or _agree(length.values.filter(waited), span.filter(waited)) < _MOST:
        return ""
    return "it runs from the start to the end of a call, waiting included: no talk time"


def _are_sixtieths(column: Seen, number: pl.Series) -> bool:
    """Whether values of three digits and more behind the point are whole when they are taken sixty times."""
    fractions = pl.DataFrame({"text": column.texts, "number": number}).filter(pl.col("text").str.contains(_FRACTION))
    off = (fractions["number"] * 60 - (fractions["number"] * 60).round()).abs()
    return fractions.height * 2 > column.known and float((off < _ROUNDED).sum()) > _MOST * fractions.height


def _likely_unit(number: pl.Series) -> str:
    """The unit to ask about where nothing tells it: seconds, unless those would be hours, and milliseconds not."""
    middle = number.filter(number > 0).median()
    hours = isinstance(middle, float) and _LONG_SECONDS < middle <= _LONG_SECONDS * _PER_SECOND["milliseconds"]
    return "milliseconds" if hours else "seconds"


def _unlikely(length: Length) -> str:
    """Why a length whose unit nothing tells is not even taken as seconds."""
    middle = length.values.filter(length.values > 0).median()
    if length.because or not isinstance(middle, float) or _FEW_SECONDS <= middle <= _LONG_SECONDS:
        return ""
    return f"nothing says its unit, and half of its values are below {middle:g}: say unit, if it is a talk time"


def _finding(name: str, lengths: Sequence[Length]) -> Finding:
    length = lengths[0]
    middle = length.values.filter(length.values > 0).median()
    read = len(length.values) - length.values.null_count()
    said = spoken(name, length.column.header)
    evidence = f"{told(read, length.column.known)} values are lengths of time, the middle one is {_shown(middle)}."
    why = [f'The header says "{said}"; {evidence}']
    decide: tuple[str, ...] = ()
    if length.because:
        why.append(f"Unit {' or '.join(length.unit)}: {length.because}.")
    else:
        would_be = f"the middle value would be {_shown(middle)} of {_NAMES[name]}."
        decide = (f"is the unit {length.unit[0]}? Nothing says so; {would_be}",)
    rivals = [
        other for other in lengths[1:3] if weight(name, other.column.header) == weight(name, length.column.header)
    ]
    why += [f'Close to it: "{other.column.name}".' for other in rivals]
    fields: dict[str, Value] = {}
    if read < length.column.known:
        fields["unreadable"] = "null"
        why.append(f"{length.column.known - read:,} values are none: null, so that no row is lost for them.")
    if length.unit != ("seconds",):
        fields["unit"] = length.unit
    if length.decimal == ",":
        fields["decimal"] = ","
    if length.thousands:
        fields["thousands"] = length.thousands
        why.append("Commas stand before three digits everywhere: they group them.")
    return Finding(column=name, sources=(length.column.name,), fields=fields, why=tuple(why), decide=decide)


def _shown(middle: object) -> str:
    return f"{middle:,.0f} s" if isinstance(middle, float) else "not known"


def _unit_by_header(header: str) -> tuple[str, str]:
    for unit, words in _UNITS:
        if found := words.search(header):
            return unit, f'the header says "{found[0]}"'
    return ("seconds", "billsec counts seconds") if "billsec" in header else ("", "")


def _unit_by_spans(number: pl.Series, spans: Sequence[tuple[str, pl.Series]]) -> tuple[str, str]:
    """The unit in which nearly all values equal the time between two instants."""
    for name, between in spans:
        known = (number > 0) & (between > 0)
        if int(known.sum()) < _CONFIRMING_ROWS:
            continue
        for unit, per_second in _PER_SECOND.items():
            share = _agree(number.filter(known) / per_second, between.filter(known))
            if share > _MOST:
                return unit, f"{name} is as long in {share:.0%} of the rows"
    return "", ""


def _agree(left: pl.Series, right: pl.Series) -> float:
    near = (left - right).abs() <= right.abs() * _CLOSE_TO + 1
    return float(near.sum()) / len(near) if len(near) else 0.0


def _read(column: Seen, units: tuple[str, ...], decimal: str, thousands: str | None = None) -> pl.Series:
    decimal = "," if decimal == "," else "."
    rule = SecondsColumn(sources=(column.name,), unit=units, decimal=decimal, thousands=thousands)
    return column.texts.to_frame("text").select(seconds(pl.col("text"), rule)).to_series()
