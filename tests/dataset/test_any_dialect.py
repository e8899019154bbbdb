"""Random tables in random dialects read back equal, and every broken line is accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from supportapi.calls.clean import FAULT
from supportapi.calls.mapping import Reading
from tests.dataset.reading import raws

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("id", "agent", "note")
BROKEN = {"too_many_fields": "x{d}1{d}2{d}3{d}4", "too_few_fields": "x{d}1", "quote_unbalanced": 'x{d}"y{d}z'}
TEXT = st.text(st.sampled_from("abcZ09 ;,|\t\"'\\\n\r#ëüß-"), max_size=8).filter(
    # Blanks alone are a value, and a file may not begin one with what is declared as a comment.
    lambda text: text == text.strip() and not text.startswith("#")
)


class Written(msgspec.Struct, frozen=True):
    """How a table was written, and what is wrong with some of its lines."""

    delimiter: str
    newline: str
    encoding: str
    quote_all: bool
    blank_after: frozenset[int]
    broken_after: dict[int, str]
    declared: bool


WRITTEN = st.builds(
    Written,
    delimiter=st.sampled_from([",", ";", "\t", "|", "||", "^"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    quote_all=st.booleans(),
    blank_after=st.frozensets(st.integers(0, 6)),
    broken_after=st.dictionaries(st.integers(0, 6), st.sampled_from(sorted(BROKEN)), max_size=3),
    declared=st.booleans(),
)
ROWS = st.lists(st.tuples(st.integers(1, 99).map(str), TEXT, TEXT), min_size=1, max_size=6)


def field(value: str, written: Written) -> str:
    special = {*written.delimiter, '"', "\n", "\r"}
    if written.quote_all or special & set(value):
        return '"' + value.replace('"', '""') + '"'
    return value


def text_of(rows: list[tuple[str, str, str]], written: Written) -> tuple[str, list[str | None]]:
    """The file, and the fault of each of its rows."""
    lines = [written.delimiter.join(NAMES)]
    faults: list[str | None] = []
    for number, row in enumerate(rows):
        lines.append(written.delimiter.join(field(value, written) for value in row))
        faults.append(None)
        if number in written.broken_after:
            lines.append(BROKEN[written.broken_after[number]].format(d=written.delimiter))
            faults.append(written.broken_after[number])
        lines += [""] * (number in written.blank_after)
    return written.newline.join(lines), faults


def may_be_a_pair(rows: list[tuple[str, str, str]], written: Written) -> bool:
    """Whether a broken mark and the one that opens a later value may just as well enclose what is between them."""
    opens = [value for row in rows for value in row if value.lstrip('"').startswith(written.delimiter)]
    return "quote_unbalanced" in written.broken_after.values() and any("\n" in value for value in opens)


CLOSED_BY_THE_NEXT_LINE = Written(
    delimiter="|", newline="\n", encoding="utf-8", quote_all=False, blank_after=frozenset(),
    broken_after={0: "quote_unbalanced"}, declared=False,
)  # fmt: skip


@given(rows=ROWS, written=WRITTEN)
@example(rows=[("1", "a", "b"), ("2", "", "|0")], written=CLOSED_BY_THE_NEXT_LINE)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_in_any_dialect_reads_back_with_its_broken_lines_told(
    tmp_path: Path, rows: list[tuple[str, str, str]], written: Written
) -> None:
    assume(not may_be_a_pair(rows, written))
    text, faults = text_of(rows, written)
    (tmp_path / "calls.csv").write_bytes(text.encode(written.encoding))
    reading = Reading(
        delimiter=written.delimiter, encoding=written.encoding if written.declared else None, header_row=1
    )

    (raw,) = raws(tmp_path / "calls.csv", reading)
    frame = raw.rows.collect()

    told = frame[FAULT].to_list() if FAULT in frame.columns else [None] * frame.height
    values = frame.select(NAMES).fill_null("").rows()
    assert told == faults
    assert [row for row, fault in zip(values, told, strict=True) if fault is None] == rows
