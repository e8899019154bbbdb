"""Logs with a row for each thing that happened: which of them begins, answers and ends a call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.calls.suggest.finding import Finding, Folding, Value

if TYPE_CHECKING:
    from supportapi.calls.suggest.seen import Seen

_BEGINS: Final = re.compile(
    r"(enter|join|que?u)\w*|enqueue\w*|"
    r"(call )?(start|begin|began|offer|init|arriv|receiv|incoming|creat|open|new)\w*( call)?"
)
_ANSWERS: Final = re.compile(r"(agent )?(connect|answer|accept|pick(ed)? ?up|bridg|talk)\w*( by agent)?")
_GIVES_UP: Final = re.compile(
    r"(caller )?(abandon|missed|timeout|lost|no ?answer|gave up|exit ?with|exitempty)\w*( \w+)?"
)
_ENDS: Final = re.compile(
    r"(call )?(end|hang ?up|hung ?up|complet|finish|disconnect|terminat|clos|releas|wrap)\w*( \w+)?"
)


class Log(msgspec.Struct, frozen=True):
    """What a log of events says of each call, and how its rows become one."""

    findings: tuple[Finding, ...]
    fold: Folding


class _Events(msgspec.Struct, frozen=True):
    begins: tuple[str, ...]
    answers: tuple[str, ...]
    gives_up: tuple[str, ...]
    ends: tuple[str, ...]
    others: tuple[str, ...]


def event_log(column: Seen, started: Finding) -> Log:
    """What the events of `column`, each at the instant that `started` reads, say of a call."""
    events = _events(column)
    order: Value = started.sources if len(started.sources) == 1 else {"from": started.sources}
    others = f", not used {', '.join(events.others)}" if events.others else ""
    fold = Folding(
        fields={"order": order},
        why=f'A log of events: "{column.name}" says what happened in each row, and the rows of a call become one.',
        decide=f"is that what the events mean? A call begins with {_or(events.begins)}, is answered with "
        f"{_or(events.answers)}, given up with {_or(events.gives_up)}, ends with {_or(events.ends)}{others}.",
    )
    return Log((_start(column, events, started), *_rest(column, events, started)), fold)


def _events(column: Seen) -> _Events:
    kinds: dict[re.Pattern[str], list[str]] = {_GIVES_UP: [], _ANSWERS: [], _ENDS: [], _BEGINS: []}
    others: list[str] = []
    for word in column.words:
        plain = re.sub(r"[\W_]+", " ", word).strip().lower()
        kind = next((found for pattern, found in kinds.items() if pattern.fullmatch(plain)), others)
        kind.append(word)
    gives_up, answers, ends, begins = (tuple(words) for words in kinds.values())
    return _Events(begins, answers, gives_up, ends, tuple(others))


def _start(column: Seen, events: _Events, started: Finding) -> Finding:
    if not events.begins:
        return msgspec.structs.replace(started, why=(*started.why, "The first row of a call is its start."))
    only: dict[str, Value] = {"only_when": {"column": column.name, "is": events.begins}}
    return msgspec.structs.replace(started, fields=started.fields | only)


def _rest(column: Seen, events: _Events, started: Finding) -> list[Finding]:
    def at(words: tuple[str, ...]) -> dict[str, Value]:
        only: dict[str, Value] = {"only_when": {"column": column.name, "is": words}} if words else {}
        return {"from": started.sources, **only}

    sources = (*started.sources, column.name)
    over = (*events.gives_up, *events.ends)
    ended = {name: value for name, value in at(over).items() if name != "from"}
    found = [Finding(column="ended_at", sources=started.sources, fields=ended, why=("The last of these in a call.",))]
    if not events.answers:
        return found
    when: Value = {"column": column.name, "is": events.answers}
    answered = f"Calls with {_or(events.answers)} among their rows are."
    found.append(Finding(column="answered", sources=(column.name,), fields={"when": when}, why=(answered,)))
    lengths: dict[str, Value] = {
        "wait_seconds": (at(events.begins), at((*events.answers, *events.gives_up))),
        "duration_seconds": (at(events.answers), at(events.ends)),
    }
    whys = ("Until it was answered or given up.", "From the answer to the end.")
    if not events.ends:
        del lengths["duration_seconds"]
    return found + [
        Finding(column=name, sources=sources, fields={"between": value}, why=(why,))
        for (name, value), why in zip(lengths.items(), whys, strict=False)
    ]


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(words) or "nothing"
