from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from supportapi.rollups.states import PartialState, merge, partial_state
from tests.rollups import random_calls
from tests.rollups.few_calls import frame

if TYPE_CHECKING:
    from tests.rollups.oracle import Row

ZONES = ("Europe/Berlin", "UTC")


def assert_same_state(one: PartialState, other: PartialState) -> None:
    assert (one.zones, one.rows, one.first_us, one.last_us) == (other.zones, other.rows, other.first_us, other.last_us)
    assert (one.known, one.members, one.cells.keys()) == (other.known, other.members, other.cells.keys())
    [assert_frame_equal(one.cells[name], other.cells[name]) for name in one.cells]
    assert_frame_equal(one.agents, other.agents)


@settings(max_examples=40, deadline=None)
@given(random_calls.calls(14), st.lists(st.integers(0, 3), min_size=14, max_size=14), st.permutations(range(4)))
def test_merged_states_equal_the_state_of_all_the_rows_in_any_order(
    calls: list[Row], files: list[int], order: list[int]
) -> None:
    parts = [[call for call, at in zip(calls, files, strict=False) if at == number] for number in range(4)]
    states = [partial_state(frame(part), ZONES) for part in parts]

    merged = merge([states[number] for number in order])
    in_steps = merge([merge(states[:2]), merge(states[2:])])

    assert_same_state(merged, partial_state(frame(calls), ZONES))
    assert_same_state(in_steps, merged)


@settings(max_examples=20, deadline=None)
@given(random_calls.calls(14))
def test_a_state_is_the_same_after_encoding_and_equal_states_are_equal_bytes(calls: list[Row]) -> None:
    state = partial_state(frame(calls), ZONES)

    encoded = state.encode()

    assert_same_state(PartialState.decode(encoded), state)
    assert partial_state(frame(calls), ZONES).encode() == encoded


def test_a_state_of_another_format_is_refused() -> None:
    import msgspec

    raw = msgspec.msgpack.decode(partial_state(frame([]), ZONES).encode())
    raw["format"] = [-1, -1]

    with pytest.raises(ValueError, match="format"):
        PartialState.decode(msgspec.msgpack.encode(raw))
