"""Tables that count calls instead of listing them: a row for an operator and a day has nothing that a call has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.suggest.headers import weight
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
    rf"accepted|resolved|transferred|total|eingehende|entrantes|entrants|entranti) )?({_CALLS})"
    rf"( (answered|unanswered|offered|handled|abandoned|received|missed|taken|presented|transferred|lost|count|volume|"
    rf"per \w+))?$"
    rf"|^(answered|unanswered|abandoned|offered|handled|missed|volume)$"
    rf"|\b(call|contact) (count|volume)\b"
)
_RATED: Final = re.compile(
    r"%|\b(rate|percent\w*|service level|sla|sl|avg|average|mean|aht|asa|acd|occupancy|utili[sz]ation|quote|"
    r"durchschnitt\w*|taux|moyen\w*|promedio|media|medio|среднее|доля)\b"
)
_WHOLE: Final = r"\d{1,3}([.,  ]\d{3})*|\d+(\.0+)?"
_QUANTITY: Final = r"-?[\d.,  ]+ ?%?|\d+:\d{2}(:\d{2})?(\.\d+)?"
_MOST: Final = 0.9
_SAYS_SO: Final = 5
_QUARTERS: Final = 15
_FEW: Final = 5
_OF_ONE_CALL: Final = ("call_id", "customer_id", "duration_seconds", "wait_seconds", "rating", "resolved", "answered")
_NEEDED: Final = (
    "A mapping needs one row for each call, with the instant at which it began: export the list of calls (also called "
    "call log, call detail records or interactions) instead of this report. If every row is one call all the same, "
    "say so at the top of the mapping: rows_are_calls = true"
)


def may_count_calls(names: Iterable[str]) -> bool:
    """Whether headers alone leave it possible; cheap enough to be asked of every file."""
    headers = [plain_header(name) for name in names]
    return any(_COUNTED.search(header) for header in headers)


def aggregated(frame: pl.DataFrame) -> str | None:
    """Why the rows of `frame` count calls and are none, told with what was seen; None when they may be calls."""
    if not may_count_calls(frame.columns):
        return None
    columns = columns_seen(frame)
    counts = [column for column in columns if _COUNTED.search(column.header) and _is_count(column)]
    rates = [
        column for column in columns if column not in counts and _RATED.search(column.header) and _is_quantity(column)
    ]
    labels = [column for column in columns if column not in counts and column not in rates]
    if not counts or _has_instants(labels):
        return None
    if any(weight("call_id", column.header) >= _SAYS_SO and column.is_unique for column in columns):
        return None
    if len(counts) + len(rates) < len(("a count", "another")) and not _is_counted_by(labels, frame.height):
        return None
    return _told(counts, rates, labels)


def refuse_counts(frame: pl.DataFrame, name: str) -> None:
    """Raise `NotCalls` when the rows of `frame`, from the file `name`, count calls instead of being calls."""
    if reason := aggregated(frame):
        raise NotCalls(f"A row of {name} is {reason}. {_NEEDED}", file=name, columns=frame.columns)


def _is_count(column: Seen) -> bool:
    # Yes and no as 1 and 0 is a property of one call.
    return column.matches(_WHOLE) > _MOST and not set(column.words) <= {"0", "1"}


def _is_quantity(column: Seen) -> bool:
    return column.matches(_QUANTITY) > _MOST


def _has_instants(columns: Sequence[Seen]) -> bool:
    """Whether a column tells times of day that are no labels of hours or quarters."""
    for column in columns:
        times = times_of(column)
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


def _told(counts: Sequence[Seen], rates: Sequence[Seen], labels: Sequence[Seen]) -> str:
    quantities = ", ".join(f'"{column.name}"' for column in [*counts, *rates][:6])
    verb = "counts or measures" if len(counts) + len(rates) == 1 else "count or measure"
    told = f"no call but a count of calls: {quantities} {verb} many calls"
    if labels:
        names = ", ".join(f'"{column.name}"' for column in labels[:4])
        told += f", {names} only {'says' if len(labels) == 1 else 'say'} whom or which span they were counted for"
    return f"{told}, and no column tells the instant at which one call began"
