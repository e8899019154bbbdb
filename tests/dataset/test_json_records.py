from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.calls.clean import FAULT
from supportapi.calls.mapping import Reading
from supportapi.errors import RawFileUnreadable
from tests.dataset.reading import lines, notes, rows

if TYPE_CHECKING:
    from pathlib import Path


def written(tmp_path: Path, text: str, name: str = "calls.json") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": 1, "who": {"region": "North"}}, {"id": 2}]',
        '{"id": 1, "who": {"region": "North"}}\n{"id": 2}\n',
        '\ufeff{"id": 1, "who": {"region": "North"}}\n\n{"id": 2}',
        '{"meta": {"pages": [1, 2]}, "data": {"items": [{"id": 1, "who": {"region": "North"}}, {"id": 2}]}}',
        '{\n  "calls": [\n    {"id": 1,\n     "who": {"region": "North"}},\n    {"id": 2}\n  ]\n}\n',
    ],
)
def test_records_are_found_however_they_are_wrapped(tmp_path: Path, text: str) -> None:
    assert rows(written(tmp_path, text)).rows(named=True) == [
        {"id": 1, "who.region": "North"},
        {"id": 2, "who.region": None},
    ]


def test_where_records_were_found_is_said(tmp_path: Path) -> None:
    assert notes(written(tmp_path, '{"data": {"items": [{"id": 1}]}}')) == ("records found at 'data.items'",)


def test_of_several_arrays_one_must_be_declared(tmp_path: Path) -> None:
    path = written(tmp_path, '{"calls": [{"id": 1}], "agents": [{"id": 7}]}')

    with pytest.raises(RawFileUnreadable, match="calls, agents"):
        rows(path)
    assert rows(path, Reading(records="agents")).rows() == [(7,)]


@pytest.mark.parametrize("place", ["data", "calls.items", "meta"])
def test_a_place_without_records_is_told(tmp_path: Path, place: str) -> None:
    path = written(tmp_path, '{"calls": [{"id": 1}], "meta": {"total": 1}}')

    with pytest.raises(RawFileUnreadable, match=place):
        rows(path, Reading(records=place))


def test_a_key_of_several_kinds_is_text(tmp_path: Path) -> None:
    path = written(tmp_path, '{"id": 1, "x": {"y": 1}}\n{"id": "1a", "x": 2}\n', "calls.ndjson")

    assert rows(path).rows(named=True) == [
        {"id": "1", "x": '{"y": 1}', "x.y": "1"},
        {"id": "1a", "x": "2", "x.y": None},
    ]


def test_large_numbers_keep_all_digits(tmp_path: Path) -> None:
    path = written(tmp_path, '[{"id": 12345678901234567890123}, {"id": 9007199254740993}]')

    assert rows(path)["id"].to_list() == [12345678901234567890123, 9007199254740993]


def test_entries_of_lists_are_named_by_their_place(tmp_path: Path) -> None:
    path = written(tmp_path, '[{"id": 1, "tags": ["a", "b"], "legs": [{"q": "Sales"}]}, {"id": 2, "tags": []}]')

    assert rows(path).rows(named=True) == [
        {"id": 1, "tags": "a, b", "tags.0": "a", "tags.1": "b", "legs.0.q": "Sales"},
        {"id": 2, "tags": "", "tags.0": None, "tags.1": None, "legs.0.q": None},
    ]


def test_a_line_that_is_no_record_is_a_faulty_row(tmp_path: Path) -> None:
    path = written(tmp_path, '{"id": "a"}\n\n{"id": "b"\n[1]\n{"id": "c"}\n', "calls.ndjson")

    frame = rows(path)

    assert frame.select("id", FAULT, "line").rows() == [
        ("a", None, None),
        (None, "line_unreadable", '{"id": "b"'),
        (None, "line_unreadable", "[1]"),
        ("c", None, None),
    ]
    assert lines(path) == [1, 3, 4, 5]


def test_json_in_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "calls.json"
    path.write_bytes('[{"id": "ë"}]'.encode("utf-16"))

    assert rows(path).rows() == [("ë",)]


def test_json_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(RawFileUnreadable, match="cannot be read"):
        rows(written(tmp_path, '[{"id": 1}, '))
