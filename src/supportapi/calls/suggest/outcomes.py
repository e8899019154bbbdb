"""What became of a call: which words mean that it was answered, or that the issue ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.calls.suggest.finding import Finding, Value
from supportapi.calls.suggest.headers import spoken, weight
from supportapi.calls.suggest.seen import Seen, best, told
from supportapi.calls.words import FALSE_WORDS, RESOLVED_WORDS, TRUE_WORDS, UNRESOLVED_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from supportapi.calls.suggest.lengths import Length

_YES: Final = frozenset({*TRUE_WORDS, "ja", "j", "si", "sí", "sì", "s", "oui", "o", "sim", "да", "x", "vero", "wahr"})
_NO: Final = frozenset({*FALSE_WORDS, "nein", "nee", "non", "nao", "não", "нет", "falsch"})
_ANSWERED: Final = re.compile(
    r"answered( by agent)?|agent|agent call|handled|connected|call connected|accepted|completed?|"
    r"complete(caller|agent)|served|success\w*|ok|talked|conversation|angenommen|beantwortet|verbunden|repondu|répondu|décroché|"
    r"contestad[ao]|atendid[ao]|rispost[ao]|beantwoord|opgenomen|отвечен\w*|принят\w*|разговор"
)
_UNANSWERED: Final = re.compile(
    r"abandon\w*|(short )?abandon\w*|abandoned .*|hang ?up|hang|missed( call)?|no ?answer|not answered|unanswered|busy|"
    r"failed|lost|dropped|phantom|cancell?ed|rejected|declined|timeout|timed out|congestion|no agents?|"
    r"nicht angenommen|verpasst|abgebrochen|aufgelegt|verloren|manqué|non répondu|perdue?|perdid[ao]|"
    r"no contestad[ao]|não atendid[ao]|non rispost[ao]|pers[ao]|occupato|gemist|niet beantwoord|"
    r"opgehangen|bezet|ocupado|occupé|"
    r"abandonad[ao]|пропущен\w*|не отвечен\w*|exitwithtimeout|blocked|invalid|error"
)
_RESOLVED: Final = frozenset(
    {
        *RESOLVED_WORDS,
        "gelöst",
        "erledigt",
        "résolu",
        "résolue",
        "resuelto",
        "resuelta",
        "resolvido",
        "resolvida",
        "risolto",
        "risolta",
        "opgelost",
        "решено",
        "решен",
    }
)
_OPEN: Final = frozenset({
    *UNRESOLVED_WORDS, "aperto", "in corso", "openstaand", "in behandeling", "ouvert", "abierta",
    "offen", "in bearbeitung", "en cours", "pendiente", "pendente", "aberto", "abierto", "assigned",
    "new", "started", "waiting on customer", "waiting on third party", "no solution", "not solved", "в работе",
    "открыт",
})  # fmt: skip
_NEGATED: Final = re.compile(r"(?<!\w)(abandon\w*|missed|unanswered|un resolved)(?!\w)")
_ENOUGH, _FLAG = 0.6, 2
_MAX_WORDS: Final = 40
_SURE_HEADER: Final = 6
_NUMBERS: Final = ("seconds", "milliseconds", "minutes", "hours")


class Words(msgspec.Struct, frozen=True):
    """The words of a column, as written there: yes, no, and those of which nobody can know."""

    yes: tuple[str, ...]
    no: tuple[str, ...]
    unclear: tuple[str, ...]


class Outcome(msgspec.Struct, frozen=True):
    """A finding for `answered` or `resolved`, and the words that mean yes there."""

    finding: Finding
    column: Seen
    words: Words


def answered_by(columns: Sequence[Seen]) -> Outcome | None:
    """The column that tells whether somebody answered."""
    for column in best(list(columns), lambda seen: weight("answered", seen.header)):
        sure = weight("answered", column.header) == _SURE_HEADER
        if column.distinct > _MAX_WORDS or not column.known:
            continue
        words = _flag_words(column) if sure else None
        words = words or _spoken(column)
        if words and (words.no or sure) and (words.yes or sure):
            return Outcome(_finding("answered", column, words), column, words)
    return None


def talked(measured: Sequence[Finding], lengths: Sequence[Length]) -> Finding | None:
    """`answered`, of calls with a talk time, where the others have none of 0 seconds."""
    talk = next((finding for finding in measured if finding.column == "duration_seconds"), None)
    length = next((one for one in lengths if talk is not None and one.column.name == talk.sources[0]), None)
    if length is None:
        return None
    silent, talking = int((length.values == 0).sum()), int((length.values > 0).sum())
    if not talking or not silent:
        return None
    above: dict[str, Value] = (
        {"above": 0.0}
        if length.unit[0] in _NUMBERS and length.decimal == "." and not length.thousands
        else {"matches": "[1-9]"}
    )
    return Finding(
        column="answered",
        sources=(length.column.name,),
        fields={"when": {"column": length.column.name, **above}},
        why=(f"No column says it: {talking:,} calls have a talk time, {silent:,} have one of 0.",),
        decide=("is a call without any talk time one that nobody answered? If not, remove these lines.",),
    )


def resolved_by(columns: Sequence[Seen]) -> Finding | None:
    """The column that says yes or no to whether the issue ended."""
    for column in best(list(columns), lambda seen: weight("resolved", seen.header)):
        words = _flag_words(column) if column.known else None
        if words:
            return _finding("resolved", column, words)
    return None


def resolution_by(columns: Sequence[Seen]) -> Finding | None:
    """The column with the source's own word for how an issue stands, if most of its words are known."""
    for column in best(list(columns), lambda seen: weight("resolution", seen.header)):
        if column.distinct > _MAX_WORDS or not column.known:
            continue
        plain = {word: _plain(word) for word in column.words}
        known = {word for word in plain if plain[word] in _RESOLVED | _OPEN}
        if sum(column.words[word] for word in known) < _ENOUGH * column.known:
            continue
        return _resolution(column, plain)
    return None


def _resolution(column: Seen, plain: dict[str, str]) -> Finding:
    ours = {*RESOLVED_WORDS, *UNRESOLVED_WORDS}
    foreign = {word: plain[word] for word in plain if plain[word] in (_RESOLVED | _OPEN) - ours}
    words: dict[str, Value] = {
        word: "resolved" if meaning in _RESOLVED else "open" for word, meaning in foreign.items()
    }
    unclear = [word for word in plain if plain[word] not in _RESOLVED | _OPEN]
    asked = f'resolved or not? {_counted(column, unclear)}: unknown as it stands; words = {{ … = "resolved" }} says it.'
    decide = (asked,) if unclear else ()
    resolved = sum(column.words[word] for word in plain if plain[word] in _RESOLVED)
    why = (f"{told(resolved, column.known)} say resolved; the words are {', '.join(list(plain)[:6])}.",)
    fields: dict[str, Value] = {"words": words} if words else {}
    return Finding(column="resolution", sources=(column.name,), fields=fields, why=why, decide=decide)


def _flag_words(column: Seen) -> Words | None:
    """Yes and no, where the column says nothing else; turned round where its header asks for the opposite."""
    words = [str(word) for word in column.values["value"]] if column.distinct <= _FLAG else []
    yes = tuple(word for word in words if _plain(word) in _YES)
    no = tuple(word for word in words if _plain(word) in _NO)
    if not words or len(yes) + len(no) < len(words):
        return None
    return Words(no, yes, ()) if _NEGATED.search(column.header) else Words(yes, no, ())


def _spoken(column: Seen) -> Words | None:
    plain = {word: _plain(word) for word in column.words}
    yes = tuple(word for word in plain if _ANSWERED.fullmatch(plain[word]))
    no = tuple(word for word in plain if _UNANSWERED.fullmatch(plain[word]))
    if sum(column.words[word] for word in (*yes, *no)) < _ENOUGH * column.known:
        return None
    return Words(yes, no, tuple(word for word in plain if word not in {*yes, *no}))


def _finding(name: str, column: Seen, words: Words) -> Finding:
    fields: dict[str, Value] = {}
    if not {_plain(word) for word in words.yes} <= set(TRUE_WORDS) or not words.yes:
        fields["true_words"] = words.yes
    if not {_plain(word) for word in words.no} <= set(FALSE_WORDS) or not words.no:
        fields["false_words"] = words.no
    if bool(fields) and len(fields) < len(("true_words", "false_words")):
        fields = {"true_words": words.yes, "false_words": words.no}
    decide: tuple[str, ...] = ()
    if words.unclear:
        fields["other"] = "null"
        decide = (f"{name} or not? {_counted(column, words.unclear)}: unknown (null) as it stands.",)
    meant = f"yes: {_counted(column, words.yes) or 'never'}; no: {_counted(column, words.no) or 'never'}."
    return Finding(
        column=name,
        sources=(column.name,),
        fields=fields,
        why=(f'The header says "{spoken(name, column.header)}"; {meant}',),
        decide=decide,
    )


def only_when(outcome: Outcome, values: pl.Series, what: str) -> tuple[dict[str, Value], tuple[str, ...]]:
    """A condition for a column that says something of calls that nobody answered, where it must not."""
    unanswered = outcome.column.texts.is_in(list(outcome.words.no))
    wrong = int((unanswered & values.is_not_null()).sum())
    if not wrong or not outcome.words.yes:
        return {}, ()
    # A word of which nobody knows what it means leaves a length as it stands.
    meant: dict[str, Value] = {"is_not": outcome.words.no} if outcome.words.unclear else {"is": outcome.words.yes}
    return {"only_when": {"column": outcome.column.name, **meant}}, (
        f"{wrong:,} calls that nobody answered have {what} all the same: not taken.",
    )


def _counted(column: Seen, words: Sequence[str]) -> str:
    return ", ".join(f"{word} ({column.words[word]:,})" for word in words)


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())
