"""Random calls, windows and filters around the hours in which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from supportapi.calls.filter import Filter
from supportapi.calls.window import Window
from tests.rollups import oracle

CLOCK_CHANGES = (
    datetime(2025, 3, 30, 1, tzinfo=UTC),  # Berlin, forward
    datetime(2025, 10, 26, 1, tzinfo=UTC),  # Berlin, back
    datetime(2025, 3, 9, 7, tzinfo=UTC),  # New York, forward
    datetime(2025, 11, 2, 6, tzinfo=UTC),  # New York, back
    datetime(2025, 4, 5, 15, tzinfo=UTC),  # Lord Howe, back by half an hour
    datetime(2025, 10, 4, 15, 30, tzinfo=UTC),  # Lord Howe, forward by half an hour
    datetime(2024, 12, 31, 18, 15, tzinfo=UTC),  # Kathmandu, New Year
    datetime(2024, 2, 29, 12, tzinfo=UTC),  # a leap day
)

_LIMITS = [0, 1, 49, 50, 4999, 5000, 9999, 10_000, 10_001, 15_000, 20_000, 20_001, 30_000, 60_000, 120_000, 120_001]
_TIMES = st.one_of(st.none(), st.sampled_from(_LIMITS), st.integers(0, 4_000_000)).map(
    lambda ms: None if ms is None else ms / 1000
)
_KEYS = {
    "region": ("north", "null", "åse"),
    "issue_type": ("billing", "login"),
    "channel": ("chat", "phone"),
    "agent_id": ("ann", "\\null", "cy"),
}


def _member(dimension: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from((*_KEYS[dimension], None))


_OFFSETS = st.one_of(
    st.integers(-7200, 7200).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(-96, 96).map(lambda quarters: timedelta(minutes=15 * quarters)),
    st.builds(timedelta, days=st.integers(-20, 45), microseconds=st.integers(0, 86_399_999_999)),
)
_ROWS: st.SearchStrategy[oracle.Row] = st.fixed_dictionaries(
    {
        "offset": _OFFSETS,
        **{name: _member(name) for name in _KEYS},
        "customer_id": st.sampled_from(("kim", "lee", None)),
        "answered": st.sampled_from((True, True, False, None)),
        "resolved": st.sampled_from((True, False, None)),
        "rating": st.sampled_from((None, 1, 2, 3, 4, 5)),
        "wait_seconds": _TIMES,
        "duration_seconds": _TIMES.map(lambda seconds: seconds or None),
    }
)


@st.composite
def calls(draw: st.DrawFn, most: int = 60) -> list[oracle.Row]:
    """Up to `most` rows around a clock change, in order of time."""
    change = draw(st.sampled_from(CLOCK_CHANGES))
    rows = draw(st.lists(_ROWS, max_size=most))
    ordered = sorted(rows, key=lambda row: row["offset"])
    return [
        {**row, "call_id": f"{number:03}", "started_at": change + row["offset"]} for number, row in enumerate(ordered)
    ]


@st.composite
def windows(draw: st.DrawFn, rows: list[oracle.Row], most_days: int) -> Window:
    """A window that may reach beyond the rows, or lie outside of them."""
    first = rows[0]["started_at"].date() if rows else date(2025, 3, 30)
    last = rows[-1]["started_at"].date() if rows else first
    start = draw(st.dates(first - timedelta(days=9), last + timedelta(days=9)))
    return Window(start, start + timedelta(days=draw(st.integers(0, most_days))))


FILTERS = st.fixed_dictionaries(
    {
        name: st.one_of(
            st.just(()),
            st.just(()),
            st.sets(st.sampled_from((*map(oracle.key, (*keys, None)), "nobody")), max_size=3).map(
                lambda kept: tuple(sorted(kept))
            ),
        )
        for name, keys in _KEYS.items()
    }
).map(lambda limits: Filter(**limits))
