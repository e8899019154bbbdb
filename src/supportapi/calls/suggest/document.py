"""A suggestion as people read it: a commented mapping in TOML, and a summary for the terminal."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.calls.columns import MappedColumns
from supportapi.calls.suggest.finding import DECIDE, Finding, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supportapi.calls.suggest.suggestion import Suggestion

_WIDTH: Final = 118
_DELETE: Final = "\x7f"
_ZONE: Final = (
    f'{DECIDE}: which clock were the times read from? They do not say. An IANA name, as in "Europe/Berlin" or "UTC".'
)


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How the file was opened: its name, the fields of `[read]` that are not told from the file, and remarks."""

    file: str
    name: str
    mapping: str
    """The file that the mapping is written to, for the command to type next."""
    rows: int
    read: dict[str, Value]
    remarks: tuple[str, ...] = ()


def mapping_document(suggestion: Suggestion, opening: Opening) -> str:
    """The suggestion as a mapping; `read_mapping` accepts it as soon as no value is `DECIDE` any more."""
    looked = f"all {opening.rows:,} rows" if suggestion.rows == opening.rows else (
        f"{suggestion.rows:,} of {opening.rows:,} rows: the first, middle and last ones"
    )  # fmt: skip
    settle = (
        f"Settle the lines marked {DECIDE}, then:" if suggestion.to_decide() else "Nothing is left to decide. Next:"
    )
    lines = [
        *_comment(f"A suggestion, made by looking at {looked} of {opening.file}. {settle}"),
        f"#   {next_command(opening)}",
        f"name = {_quoted(opening.name)}",
        *(["rows_are_calls = true"] if suggestion.rows_are_calls else []),
        *_zone(suggestion),
        *_reading(opening),
        *_filters(suggestion),
        *_folding(suggestion),
        *_duplicates(suggestion),
        "",
        "[columns]",
    ]
    findings = sorted(suggestion.findings, key=lambda finding: MappedColumns.__struct_fields__.index(finding.column))
    short = [finding for finding in findings if not finding.fields and not _asks_format(finding)]
    for finding in short:
        given = f"{finding.column} = {_value(finding.sources)}" if finding.sources else f'# {finding.column} = ""'
        lines += [*_reasons(finding), given, *_offered(finding, inline=True)]
    lines += _not_found(suggestion)
    for finding in (one for one in findings if one not in short):
        lines += ["", f"[columns.{finding.column}]", *_reasons(finding)]
        for field, value in finding.lines.items():
            if value == DECIDE:
                lines += [f"# Replace {DECIDE} by one of:", *_offered(finding)]
            lines.append(f"{field} = {_value(value)}")
        lines += [] if _asks_format(finding) else _offered(finding)
    return "\n".join([*lines, *_left(suggestion)]) + "\n"


def summary(suggestion: Suggestion, opening: Opening) -> str:
    """What was found for each of our columns, what to decide, and what to type next."""
    width = max(len(name) for name in MappedColumns.__struct_fields__)
    found = {finding.column: finding for finding in suggestion.findings}
    looked = "" if suggestion.rows == opening.rows else f", {suggestion.rows:,} of them looked at"
    lines = [f"{opening.file}: {opening.rows:,} rows{looked}.", *(f"  {remark}" for remark in opening.remarks)]
    for name in MappedColumns.__struct_fields__:
        finding = found.get(name)
        told = "-" if finding is None else " ".join(" + ".join(finding.sources).split()) or DECIDE
        lines.append(f"  {name:<{width}}  {told}")
    lines.append(f"Left out: {', '.join(left.source for left in suggestion.left) or 'nothing'}.")
    to_decide = suggestion.to_decide()
    lines += ["To decide:", *(f"  - {told}" for told in to_decide)] if to_decide else ["Nothing is left to decide."]
    return "\n".join([*lines, f"Next: {next_command(opening)}"])


def next_command(opening: Opening) -> str:
    """What to type when the mapping is settled."""
    file = f'"{opening.file}"' if " " in opening.file else opening.file
    mapping = f'"{opening.mapping}"' if " " in opening.mapping else opening.mapping
    return f"supportapi ingest {file} --mapping {mapping} --dry-run"


def _offered(finding: Finding, *, inline: bool = False) -> list[str]:
    """What may stand in place of a finding's lines, as comments."""
    if inline:
        return [f"# {finding.column} = {_value(offer)}" for offer in finding.offered]
    return [f"# {field} = {_value(value)}" for offer in finding.offered for field, value in offer.items()]


def _asks_format(finding: Finding) -> bool:
    return DECIDE in finding.fields.values()


def _zone(suggestion: Suggestion) -> list[str]:
    if suggestion.time_zone is None:
        return []
    told = "# The times say so themselves."
    if isinstance(suggestion.time_zone, dict):
        told = f"# The column {_value(suggestion.time_zone['from'])} says it row by row."
    asked = _comment(_ZONE) if suggestion.time_zone == DECIDE else [told]
    return [*asked, f"time_zone = {_value(suggestion.time_zone)}"]


def _reading(opening: Opening) -> list[str]:
    remarks = [line for remark in opening.remarks for line in _comment(f"{remark[:1].upper()}{remark[1:]}")]
    if not opening.read:
        return ["", "# How it was read, told from the file itself:", *remarks] if remarks else []
    return ["", "[read]", *remarks, *(f"{field} = {_value(value)}" for field, value in opening.read.items())]


def _filters(suggestion: Suggestion) -> list[str]:
    """Rows that may be no calls: a filter for each of their columns, as a comment."""
    lines: list[str] = []
    for column, words in suggestion.suspicious.items():
        counted = ", ".join(f"{word} ({count:,} rows)" for word, count in words.items())
        lines += ["", *_comment(f"Are these calls of customers? {counted} in {_quoted(column)}. To leave them out:")]
        lines += ["# [[filters]]", f"# column = {_quoted(column)}", f"# is_not = {_value(tuple(words))}"]
    return lines


def _folding(suggestion: Suggestion) -> list[str]:
    fold = suggestion.fold
    if fold is None:
        return []
    told = [*_comment(fold.why), *_comment(f"{DECIDE}: {fold.decide}")]
    return ["", "[fold]", *told, *(f"{field} = {_value(value)}" for field, value in fold.fields.items())]


def _duplicates(suggestion: Suggestion) -> list[str]:
    newest = suggestion.newest
    if newest is None:
        return []
    given = (f"{field} = {_value(value)}" for field, value in newest.fields.items())
    return ["", "[duplicates]", *_comment(newest.why), *given]


def _reasons(finding: Finding) -> list[str]:
    told = [line for reason in finding.why for line in _comment(f"{reason[:1].upper()}{reason[1:]}")]
    return told + [line for question in finding.decide for line in _comment(f"{DECIDE}: {question}")]


def _not_found(suggestion: Suggestion) -> list[str]:
    found = {finding.column for finding in suggestion.findings}
    missing = [name for name in MappedColumns.__struct_fields__ if name not in found]
    lines = _comment(f"Nothing was found for {', '.join(missing)}: null in every call.") if missing else []
    if "ended_at" in missing and {"wait_seconds", "duration_seconds"} <= found:
        lines += ["# The end can be added up, if the duration begins when the waiting ends:",
                  '# ended_at = { derive = "started_at + wait_seconds + duration_seconds" }']  # fmt: skip
    return lines


def _left(suggestion: Suggestion) -> list[str]:
    if not suggestion.left:
        return []
    lines = ["", "# Left out, and why:"]
    for left in suggestion.left:
        examples = f" As in {left.examples}." if left.examples else ""
        lines += _comment(f"{_quoted(left.source)}: {left.why}.{examples}", first="# - ", more="#   ")
    return lines


def _value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case float() | int():
            return f"{value:g}"
        case dict():
            return _table(value)
        case tuple():
            return _list(value)


def _list(values: tuple[Value, ...]) -> str:
    if len(values) == 1 and isinstance(values[0], str):
        return _quoted(values[0])
    if any(isinstance(one, dict) for one in values):
        return "\n".join(["[", *(f"  {_value(one)}," for one in values), "]"])
    return f"[{', '.join(_value(one) for one in values)}]"


def _table(table: Mapping[str, Value]) -> str:
    return f"{{ {', '.join(f'{_key(key)} = {_value(value)}' for key, value in table.items())} }}"


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else _quoted(key)


def _quoted(text: str) -> str:
    """A basic string of TOML, which escapes as JSON does, and one character more."""
    return json.dumps(text, ensure_ascii=False).replace(_DELETE, "\\u007f")


def _comment(text: str, *, first: str = "# ", more: str = "# ") -> list[str]:
    # A comment must not hold control characters; what a file says may.
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return textwrap.wrap(
        plain, _WIDTH, initial_indent=first, subsequent_indent=more, break_long_words=False, break_on_hyphens=False
    )
