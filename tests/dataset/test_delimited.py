from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.calls.clean import FAULT
from supportapi.calls.mapping import Reading
from supportapi.errors import RawFileUnreadable
from tests.dataset.reading import lines, notes, rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.csv"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "^", "~", "\x01", ":"])
def test_the_delimiter_is_told_from_the_file(path: Path, delimiter: str) -> None:
    path.write_text("id,agent,wait\n1,Ann,5\n2,Bob,7\n".replace(",", delimiter))

    assert rows(path).rows() == [("1", "Ann", "5"), ("2", "Bob", "7")]


@pytest.mark.parametrize("delimiter", ["||", "~|~", "¦", "::"])
def test_a_delimiter_of_several_characters_or_bytes_can_be_declared(path: Path, delimiter: str) -> None:
    path.write_text('id,agent,note\n1,Ann,"a, b"\n2,Bob,c\n'.replace(",", delimiter))

    assert rows(path, Reading(delimiter=delimiter)).select("id", "agent", "note").rows() == [
        ("1", "Ann", f"a{delimiter} b"),
        ("2", "Bob", "c"),
    ]


def test_a_declared_delimiter_wins_over_a_likely_one(path: Path) -> None:
    path.write_text("a;b,c\n1;2,3\n")

    assert rows(path, Reading(delimiter=",")).columns == ["a;b", "c"]


def test_the_delimiter_is_the_one_that_splits_evenly(path: Path) -> None:
    path.write_text("id;note\n1;well, yes, no\n2;no\n3;a, b\n")

    assert rows(path).rows() == [("1", "well, yes, no"), ("2", "no"), ("3", "a, b")]


def test_decimal_commas_do_not_pass_for_delimiters(path: Path) -> None:
    path.write_text("id;wait;talk\n1;1,5;2,5\n2;3,5;4,5\n")

    assert rows(path).columns == ["id", "wait", "talk"]


def test_the_first_line_of_excel_names_the_delimiter(path: Path) -> None:
    path.write_text("sep=;\nid;note\n1;a,b,c\n")

    assert rows(path).rows() == [("1", "a,b,c")]
    assert lines(path) == [3]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_end(path: Path, newline: str) -> None:
    path.write_bytes(newline.join(["id,note", "1,a", "", "2,b", ""]).encode())

    assert rows(path).rows() == [("1", "a"), ("2", "b")]
    assert lines(path) == [2, 4]


def test_a_single_carriage_return_inside_a_value_is_no_line_break(path: Path) -> None:
    path.write_bytes(b'id,note,more\n1,a\rb,x\n2,"c"d,y\n')

    assert rows(path).select("id", "note").rows() == [("1", "a\rb"), ("2", "cd")]


def test_line_breaks_in_quotes_belong_to_the_value_and_count_as_lines(path: Path) -> None:
    path.write_text('id,note\n1,"a\nb\n\nc"\n2,"x ""y"" z"\n3,"d\ne"\n4,\n')

    assert rows(path).rows() == [("1", "a\nb\n\nc"), ("2", 'x "y" z'), ("3", "d\ne"), ("4", None)]
    assert lines(path) == [2, 6, 7, 9]


def test_quotation_marks_escaped_by_backslashes_are_text(path: Path) -> None:
    path.write_text('id,note,wait\n1,"he said \\"hi, you\\"",5\n2,"C:\\temp\\",7\n')

    assert rows(path).select("id", "note", "wait").rows() == [("1", 'he said "hi, you"', "5"), ("2", "C:\\temp\\", "7")]


def test_another_quotation_mark_or_none_can_be_declared(path: Path) -> None:
    path.write_text("id,note\n1,'a,b'\n")
    unquoted = path.with_name("unquoted.csv")
    unquoted.write_text('id,note\n1,"5 inch\n2,b\n')

    assert rows(path, Reading(quote="'")).rows() == [("1", "a,b")]
    assert rows(unquoted, Reading(quote="")).rows() == [("1", '"5 inch'), ("2", "b")]


def test_blank_lines_and_blank_tails_are_no_rows(path: Path) -> None:
    path.write_text("id,a,b\n1,x,y\n\n2,x,y\n,,\n,,,,\n\n")

    assert rows(path).select("id", "a", "b").rows() == [("1", "x", "y"), ("2", "x", "y")]


def test_titles_above_the_header_are_passed_over_and_that_is_said(path: Path) -> None:
    path.write_text("Call report,,,\nExported,2024-05-06,,\n\nid,agent,wait,talk\n1,Ann,5,6\n")

    assert rows(path).rows() == [("1", "Ann", "5", "6")]
    assert lines(path) == [5]
    assert "header on line 4" in notes(path)


def test_a_declared_header_line_is_the_header(path: Path) -> None:
    path.write_text("id,agent\nx,y\n1,Ann\n")

    assert rows(path, Reading(header_row=2)).columns == ["x", "y"]


def test_a_file_without_a_header_has_columns_by_position(path: Path) -> None:
    path.write_text('"","100","200","2024-05-06 10:00:00",12\n"acc","101","200","2024-05-06 11:00:00",7\n')

    frame = rows(path, Reading(header_row=0))

    assert frame.columns == ["column_1", "column_2", "column_3", "column_4", "column_5"]
    assert frame["column_2"].to_list() == ["100", "101"]


def test_headers_that_are_no_names_become_some_and_that_is_said(path: Path) -> None:
    path.write_text('id,Time,Time,,"Wait\n(sec)", Agent \n1,a,b,c,d,e\n')

    assert rows(path).columns == ["id", "Time", "Time_2", "column_4", "Wait (sec)", "Agent"]
    assert lines(path) == [3]
    assert notes(path)[1:] == (
        "headers that occur twice are numbered: Time",
        "columns without a header are column_4",
    )


def test_declared_comments_are_passed_over(path: Path) -> None:
    path.write_text("# made by the phone system\nid,wait\n1,5\n# a pause\n2,7\n")

    assert rows(path, Reading(comment="#")).select("id", "wait").rows() == [("1", "5"), ("2", "7")]
    assert lines(path, Reading(comment="#")) == [3, 5]


def test_a_line_with_too_many_fields_is_a_faulty_row_that_keeps_them(path: Path) -> None:
    path.write_text("id,wait\n1,5\n2,7,x,y\n3,9,,\n4\n")

    frame = rows(path)

    assert frame[FAULT].to_list() == [None, "too_many_fields", None, "too_few_fields"]
    assert frame.drop(FAULT).rows() == [
        ("1", "5", None, None),
        ("2", "7", "x", "y"),
        ("3", "9", None, None),
        ("4", None, None, None),
    ]


def test_a_line_of_very_many_fields_keeps_them_as_one(path: Path) -> None:
    path.write_text("id,wait\n1,5\n2,7" + ",x" * 99 + "\n3,9\n")

    frame = rows(path)

    assert frame[FAULT].to_list() == [None, "too_many_fields", None]
    assert frame["column_3"].to_list() == [None, ",".join("x" * 99), None]


def test_a_trailing_delimiter_below_a_header_without_one_is_no_fault(path: Path) -> None:
    path.write_text("id,wait\n1,5,\n2,7,\n")

    assert rows(path).select("id", "wait").rows() == [("1", "5"), ("2", "7")]


def test_a_stray_quotation_mark_spoils_its_own_line_only(path: Path) -> None:
    text = "".join(f"{number},ok,x\n" for number in range(5000))
    path.write_text(f'id,note,more\na,"open,x\n{text}b,"fine, this",y\nc,5" disk,z\n')

    frame = rows(path)

    assert frame.height == 5003
    assert frame.filter(frame[FAULT].is_not_null()).rows() == [("a", '"open', "x", "quote_unbalanced")]
    assert frame["note"].to_list()[-2:] == ["fine, this", '5" disk']
    assert lines(path)[-1] == 5004
    assert any("line 2" in note and 'read.quote = ""' in note for note in notes(path))


def test_between_broken_lines_far_apart_every_row_keeps_its_values_and_its_line(path: Path) -> None:
    whole = "".join(f"{number},ok,x\n" for number in range(300))
    broken = 'a,"open,x\n\nb,"of two\nlines",y\nc,5" disk,z\nd,too,many,fields\ne\n'
    path.write_bytes(f"id,note,more\n{whole}{broken}{whole}{broken}{whole}".encode() + b"f,\xff,y\n")

    reading = Reading(encoding="utf-8")

    frame = rows(path, reading)

    numbers = [(str(number), "ok", "x") for number in range(300)]
    told = [
        ("a", '"open', "x"), ("b", "of two\nlines", "y"), ("c", '5" disk', "z"), ("d", "too", "many"),
        ("e", None, None),
    ]  # fmt: skip
    assert frame.select("id", "note", "more").rows() == [
        *numbers, *told, *numbers, *told, *numbers, ("f", "\ufffd", "y"),
    ]  # fmt: skip
    faults = ["quote_unbalanced", None, None, "too_many_fields", "too_few_fields"]
    assert frame[FAULT].to_list() == [
        *[None] * 300, *faults, *[None] * 300, *faults, *[None] * 300, "bytes_unreadable",
    ]  # fmt: skip
    assert lines(path, reading) == [
        *range(2, 302), 302, 304, 306, 307, 308, *range(309, 609), 609, 611, 613, 614, 615, *range(616, 917),
    ]  # fmt: skip


def test_two_stray_marks_that_look_like_a_pair_do_not_swallow_what_is_between(path: Path) -> None:
    text = "".join(f"{number},ok,x\n" for number in range(100))
    path.write_text(f'id,note,more\na,"open,x\n{text}b,close",y\n')

    frame = rows(path)

    assert frame.height == 102
    assert frame[FAULT].drop_nulls().to_list() == ["quote_unbalanced"]


def test_a_stray_mark_that_the_next_line_closes_does_not_swallow_that_line(path: Path) -> None:
    path.write_text('id|agent|note\n1|a|b\nx|"y|z\n2||"|0"\n')

    assert rows(path).rows() == [("1", "a", "b", None), ("x", '"y', "z", "quote_unbalanced"), ("2", None, "|0", None)]


def test_an_inch_mark_behind_a_text_with_line_breaks_is_text(path: Path) -> None:
    path.write_text('id,note,size\n1,"a\nb",5"\n2,c,d\n')

    assert rows(path).select("id", "note", "size").rows() == [("1", "a\nb", '5"'), ("2", "c", "d")]


def test_a_long_text_with_line_breaks_is_one_value(path: Path) -> None:
    transcript = "\n".join(f"well, this is sentence {number}" for number in range(2000))
    path.write_text(f'id,note,wait,talk\n1,"{transcript}",5,6\n2,short,7,8\n')

    assert rows(path)["note"].to_list() == [transcript, "short"]


def test_bytes_that_are_no_text_spoil_their_own_line_only(path: Path) -> None:
    path.write_bytes("id,agent\n1,Zoë\n2,Ren\xe9\n3,Łukasz\n".encode().replace("é".encode(), b"\xe9"))

    frame = rows(path)

    assert frame[FAULT].to_list() == [None, "bytes_unreadable", None]
    assert frame["agent"].to_list() == ["Zoë", "Ren\ufffd", "Łukasz"]


def test_ids_keep_their_zeros_and_all_their_digits(path: Path) -> None:
    path.write_text("id,n\n007,12345678901234567890123\n")

    assert rows(path).rows() == [("007", "12345678901234567890123")]


def test_a_value_beyond_the_first_megabytes_decides_the_encoding_too(path: Path) -> None:
    path.write_bytes(b"id,agent\n" + b"1,Ann\n" * 2_000_000 + "2,Jürgen\n".encode("cp1252"))

    assert rows(path)["agent"].to_list()[-1] == "Jürgen"
    assert any("cp1252" in note for note in notes(path))


def test_a_quoted_value_that_spans_the_blocks_of_the_survey_is_one(path: Path) -> None:
    note = "line of words\n" * 500_000
    path.write_text(f'id,note,more\n1,"{note}",x\n2,b,y\n')

    frame = rows(path)

    assert frame["id"].to_list() == ["1", "2"]
    assert lines(path) == [2, 500_003]


def test_a_file_of_only_blank_lines_has_no_header(path: Path) -> None:
    path.write_text("\n\n\n")

    with pytest.raises(RawFileUnreadable, match="header"):
        rows(path)


def test_values_stay_beside_their_headers_when_the_last_header_is_empty(path: Path) -> None:
    path.write_text("id,wait,\n1,5\n2,7,x\n")

    assert rows(path).rows() == [("1", "5", None), ("2", "7", "x")]
