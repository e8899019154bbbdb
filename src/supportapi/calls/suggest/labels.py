"""Who took the call, who rang, where, how and why: columns of names and labels, told by their headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from supportapi.calls.suggest.finding import Finding, Value
from supportapi.calls.suggest.headers import IDENTIFYING, spoken, weight
from supportapi.calls.suggest.seen import Seen, best

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOBODY: Final = re.compile(
    r"(no|not|non|without|ohne|keine?|sin|sem|aucun|нет)[ _-].+|unassigned|nobody|none|system|nicht zugewiesen|0",
    re.IGNORECASE,
)
_PILED: Final = 10
_MOST_LABELS: Final = {"region": 400, "channel": 30, "issue_type": 300}
_FEW_LABELS, _REPEATED = 15, 0.2
_NUMBER: Final = r"-?[\d.,:]+"
_OFTEN: Final = 0.02
_HINT: Final = 2
_NO_CALL: Final = re.compile(
    r"(test|demo|dummy|training|internal|intern|interno|interne|outbound|outgoing|out|ausgehend|saliente|sortant|uitgaand|"
    r"in uscita|saída)([ _-]?(calls?|queue|anrufe?|line))?|(call|queue|anruf)[ _-]?test",
    re.IGNORECASE,
)
_CHANNELS: Final = r"(?i)voice|phone|telephone|telefon|chat|live ?chat|e-?mail|sms|fax|video|whatsapp|web"
_DIRECTION: Final = (
    r"(?i)in|out|inbound|outbound|internal|incoming|outgoing|missed|abandoned|eingehend|ausgehend|entrante|saliente"
)


def agent_by(columns: Sequence[Seen]) -> list[Finding]:
    """The agent's id, name or both."""
    found = best(list(columns), lambda seen: weight("agent", seen.header) if seen.known else 0)
    found = [column for column in found if not _all_different(column)]
    ids = [column for column in found if IDENTIFYING.search(column.header) or column.matches(r"\d+") > 1 - _OFTEN]
    names = [column for column in found if column not in ids]
    findings: list[Finding] = []
    pair = f" {_one_to_one(ids[0], names[0])}" if ids and names else ""
    for name, candidates in (("agent_id", ids), ("agent_name", names)):
        if candidates:
            told_agents = f"{candidates[0].distinct - len(_nobody(candidates[0])):,} different ones.{pair}"
            findings.append(_named(name, candidates, told_agents))
    return findings


def customer_by(columns: Sequence[Seen]) -> Finding | None:
    """The customer's id, where it is neither a name nor a number to ring."""
    for column in best(list(columns), lambda seen: weight("customer_id", seen.header) if seen.known else 0):
        if column.is_unique or column.distinct == 1 < column.rows or column.matches(r"[\w-]*\d[\w-]*") < 1 - _OFTEN:
            continue
        return _named(
            "customer_id",
            [column],
            f"{column.distinct - len(_nobody(column)):,} different ones in {column.known:,} rows.",
        )
    return None


def label_by(name: str, columns: Sequence[Seen]) -> Finding | None:
    """The column of `region`, `channel` or `issue_type`."""
    found = best(list(columns), lambda seen: _label_weight(name, seen) if _is_label(seen, _MOST_LABELS[name]) else 0)
    found = [column for column in found if column.distinct > 1 or _label_weight(name, column) > _HINT]
    if not found:
        return None
    return _named(name, found, f"{found[0].distinct:,} different ones, as in {found[0].examples()}.")


def _label_weight(name: str, column: Seen) -> int:
    """How strongly a column speaks for a label; words that only channels are called by need no header that says so."""
    told = weight(name, column.header)
    if column.matches(_CHANNELS) < 1:
        return told
    return {"channel": max(told, _HINT + 1)}.get(name, 0)


def suspicious(columns: Sequence[Seen]) -> dict[str, dict[str, int]]:
    """Of columns of few words those that no customer's call has, and in how many rows."""
    found: dict[str, dict[str, int]] = {}
    for column in columns:
        words = {word: count for word, count in column.words.items() if _NO_CALL.fullmatch(word)}
        if words and len(words) < column.distinct <= _MOST_LABELS["region"]:
            found[column.name] = words
    return found


def _is_label(column: Seen, most: int) -> bool:
    few = column.distinct <= max(_FEW_LABELS, _REPEATED * column.rows)
    told = few and column.matches(_NUMBER) < 1 - _OFTEN and column.matches(_DIRECTION) < 1 - _OFTEN
    return 0 < column.distinct <= most and told


def _all_different(column: Seen) -> bool:
    return column.distinct == column.known > _FEW_LABELS


def _named(name: str, candidates: Sequence[Seen], evidence: str) -> Finding:
    column = candidates[0]
    said = spoken(_kind(name), column.header)
    why = [f'The header says "{said}": {evidence}' if said else f"Its words are those of channels: {evidence}"]
    if weight_of(name, column) <= _HINT:
        why.append("The header only hints at it: leave it out, if it means something else.")
    nobody = _nobody(column) if name in {"agent_id", "agent_name", "customer_id"} else ()
    if nobody:
        piled = ", ".join(f"{word} ({column.words[word]:,} rows)" for word in nobody)
        why.append(f"{piled} stands for nobody.")
    fields: dict[str, Value] = {"null_words": nobody} if nobody else {}
    rivals = [other for other in candidates[1:3] if weight_of(name, other) >= weight_of(name, column) - 1]
    offered: list[dict[str, Value]] = []
    for other in rivals:
        filled = int((column.texts.is_null() & other.texts.is_not_null()).sum())
        more = f", which fills {filled:,} of the rows that this one leaves open:" if filled else "."
        why.append(f'Close to it: "{other.name}"{more}')
        if filled:
            offered.append({"first_of": (column.name, other.name)})
    return Finding(column=name, sources=(column.name,), fields=fields, why=tuple(why), offered=tuple(offered))


def weight_of(name: str, column: Seen) -> int:
    """How strongly the header speaks for `name`."""
    return weight(_kind(name), column.header)


def _kind(name: str) -> str:
    # Ids and names of agents have one kind of header.
    return "agent" if name.startswith("agent") else name


def _nobody(column: Seen) -> tuple[str, ...]:
    """Words that stand for nobody: by what they say, and a 0 only where it occurs far more often than anything else."""
    counts = column.words
    others = [count for word, count in counts.items() if word != "0"]
    zero_piles = counts.get("0", 0) > _PILED * max(others, default=0) and column.distinct > 1
    return tuple(word for word in counts if _NOBODY.fullmatch(word) and (word != "0" or zero_piles))


def _one_to_one(ids: Seen, names: Seen) -> str:
    pairs = pl.DataFrame({"id": ids.texts, "name": names.texts}).drop_nulls().unique()
    if pairs.height == pairs["id"].n_unique() == pairs["name"].n_unique():
        return f'"{ids.name}" and "{names.name}" belong together one to one.'
    return f'"{ids.name}" and "{names.name}" make {pairs.height:,} pairs: they do not belong together one to one.'
