from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportapi.calls.filter import key_of, value_of

VALUES = st.none() | st.text() | st.integers(0, 3).map(lambda count: "\\" * count + "null")


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("North", "North"),
        (None, "null"),
        ("null", r"\null"),
        (r"\null", r"\\null"),
        ("Null", "Null"),
        (r"\North", r"\North"),
        ("nullable", "nullable"),
    ],
)
def test_only_a_member_called_null_is_spelled_otherwise_than_its_name(value: str | None, key: str) -> None:
    assert key_of(value) == key


@given(VALUES)
def test_a_key_stands_for_one_member(value: str | None) -> None:
    assert value_of(key_of(value)) == value
