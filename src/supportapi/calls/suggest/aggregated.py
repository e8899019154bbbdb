"""Tables that count calls instead of listing them: a row for an operator and a day has nothing that a call has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.suggest.headers import weight
from supportapi.calls.suggest.lengths import holds_lengths
from supportapi.calls.suggest.seen import Seen, columns_seen, plain_header
from supportapi.calls.suggest.span import Moment
from supportapi.calls.suggest.times import times_of
from supportapi.errors import NotCalls

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CALLS: Final = "calls|contacts|chats|tickets|interactions|conversations|cases|requests|e ?mails"
_COUNTED: Final = re.compile(
    rf"^((total|number of|no of|num|nb|count of|#) ?)?"
    rf"((incoming|inbound|outbound|outgoing|answered|unanswered|abandoned|offered|handled|missed|lost|received|"
    rf"accepted|resolved|transferred|total|acd|eingehende|entrantes|entrants|entranti) )*({_CALLS})"
    rf"( (answered|unanswered|offered|handled|abandoned|received|missed|taken|presented|transferred|lost|count|volume|"
    rf"inbound|outbound|in|out|total|per \w+))?$"
    rf"|^(answered|unanswered|abandoned|offered|handled|missed|volume)$"
    rf"|\b(call|contact) (count|volume)\b"
)
_RATED: Final = re.compile(
    r"%|\b(rate|percent\w*|service level|sla|sl|avg|average|mean|aht|asa|acd|occupancy|utili[sz]ation|quote|"
    r"durchschnitt\w*|taux|moyen\w*|promedio|media|medio|среднее|доля)\b"
)
_SPANS: Final = re.compile(
    r"^((jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*( \d{2}| \d{4})?|(mon|tue|wed|thu|fri|sat|sun)[a-z]*|"
    r"\d{4} \d{1,2}( \d{1,2})?|\d{1,2} \d{1,2} \d{2,4}|\d{1,2} \d{2}( \d{1,2} \d{2})?|\d{1,2} ?(am|pm|h)|"
    r"(week|wk|kw|q|quarter) ?\d{1,2}( \d{4})?)$"
)
"""Headers of a pivot table: months, days, hours."""
_SPANS_OF_A_PIVOT: Final = 3
_PRESENCE: Final = re.compile(r"\blog(ged|ging)? ?(in|out|on|off)\b|\b(sign(ed)? (in|out|on|off)|staffed|shift)\b")
_WHOLE: Final = r"\d{1,3}([.,  ]\d{3})*|\d+(\.0+)?"
_QUANTITY: Final = r"-?[\d.,  ]+ ?%?|\d+:\d{2}(:\d{2})?(\.\d+)?"
_PERCENT: Final = r"[\d.,]+ ?%"
_MOST: Final = 0.9
_SAYS_SO: Final = 5
_QUARTERS: Final = 15
_FEW: Final = 5
_DENSE: Final = 0.5
_OF_ONE_CALL: Final = ("call_id", "customer_id", "duration_seconds", "wait_seconds", "rating", "resolved", "answered")
_NEEDED: Final = (
    "A mapping needs one row for each call, with the instant at which it began: export the list of calls (also called "
    "call log, call detail records or interactions) instead of this report. If every row is one call all the same, "
    "say so: --rows-are-calls beside --suggest, rows_are_calls = true at the top of a mapping"
)


def may_count_calls(names: Iterable[str]) -> bool:
    """Whether headers alone leave it possible; cheap enough to be asked of every file."""
    headers = [plain_header(name) for name in names]
    return any(_COUNTED.search(header) for header in headers) or _is_pivoted(headers)


def aggregated(frame: pl.DataFrame) -> str | None:
    """Why the rows of `frame` count calls and are none, told with what was seen; None when they may be calls."""
    if not may_count_calls(frame.columns):
        return None
    columns = columns_seen(frame)
    pivoted = [column for column in columns if _SPANS.search(column.header) and _is_quantity(column)]
    counts = [column for column in columns if _COUNTED.search(column.header) and _is_count(column)]
    if len(pivoted) >= _SPANS_OF_A_PIVOT:
        counts = pivoted
    rates = [column for column in columns if column not in counts and _is_rate(column)]
    lengths = [column for column in columns if _is_length(column) and column not in (*counts, *rates)]
    labels = [column for column in columns if column not in (*counts, *rates, *lengths)]
    if not counts or _has_instants(labels):
        return None
    if any(weight("call_id", column.header) >= _SAYS_SO and column.is_unique for column in columns):
        return None
    alone = len(counts) + len(rates) < len(("a count", "another"))
    counted = not lengths and _is_counted_by(labels, frame.height)
    if alone and not counted and not _is_grid(labels, frame.height):
        return None
    return _told(counts, [*rates, *lengths], labels)


def refuse_counts(frame: pl.DataFrame, name: str) -> None:
    """Raise `NotCalls` when the rows of `frame`, from the file `name`, count calls instead of being calls."""
    if reason := aggregated(frame):
        raise NotCalls(f"A row of {name} is {reason}. {_NEEDED}", file=name, columns=frame.columns)


def _is_pivoted(headers: Iterable[str]) -> bool:
    return sum(_SPANS.search(header) is not None for header in headers) >= _SPANS_OF_A_PIVOT


def _is_count(column: Seen) -> bool:
    # Yes and no as 1 and 0 is a property of one call.
    return column.matches(_WHOLE) > _MOST and not set(column.words) <= {"0", "1"}


def _is_quantity(column: Seen) -> bool:
    return column.matches(_QUANTITY) > _MOST


def _is_rate(column: Seen) -> bool:
    return (_RATED.search(column.header) is not None or column.matches(_PERCENT) > _MOST) and _is_quantity(column)


def _is_length(column: Seen) -> bool:
    times = times_of(column)
    return times is not None and holds_lengths(times)


def _has_instants(columns: Sequence[Seen]) -> bool:
    """Whether a column tells times of day that are no labels of hours or quarters, and not when an agent was there."""
    for column in columns:
        times = None if _PRESENCE.search(column.header) else times_of(column)
        if times is None or times.kind == "date":
            continue
        values = Moment((times,), 0).values.drop_nulls()
        label = (values.dt.minute() % _QUARTERS == 0) & (values.dt.second() == 0)
        if len(values) and float(label.sum()) / len(values) < _MOST:
            return True
    return False


def _is_counted_by(labels: Sequence[Seen], rows: int) -> bool:
    """Whether dates and labels that repeat name each row, and nothing else stands beside the one count."""
    if any(weight(name, column.header) for name in _OF_ONE_CALL for column in labels):
        return False
    spans = [column for column in labels if times_of(column) is not None]
    others = [column for column in labels if column not in spans]
    if not spans or rows < _FEW or any(_is_quantity(column) or column.known < rows for column in others):
        return False
    named = pl.DataFrame([column.texts.alias(column.name) for column in labels])
    return named.n_unique() == rows


def _is_grid(labels: Sequence[Seen], rows: int) -> bool:
    """Whether there is a row for nearly every date and every one of something else: an operator, a queue."""
    named = [(column, times_of(column)) for column in labels]
    days = [column for column, times in named if times is not None and times.kind == "date"]
    others = [column for column, times in named if times is None and not _is_quantity(column)]
    if len(days) != 1 or rows < _FEW:
        return False
    texts = pl.DataFrame([column.texts.alias(column.name) for column in (*days, *others)])
    lines = texts.drop(days[0].name).n_unique() if others else 1
    return texts.n_unique() == rows > max(lines, days[0].distinct) and rows > _DENSE * lines * days[0].distinct


def _told(counts: Sequence[Seen], rates: Sequence[Seen], labels: Sequence[Seen]) -> str:
    quantities = ", ".join(f'"{column.name}"' for column in [*counts, *rates][:6])
    verb = "counts or measures" if len(counts) + len(rates) == 1 else "count or measure"
    told = f"no call but a count of calls: {quantities} {verb} many calls"
    if labels:
        names = ", ".join(f'"{column.name}"' for column in labels[:4])
        told += f", {names} only {'says' if len(labels) == 1 else 'say'} whom or which span they were counted for"
    return f"{told}, and no column tells the instant at which one call began"
