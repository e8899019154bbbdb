from __future__ import annotations

import polars as pl
import pytest

from supportapi.calls.suggest.aggregated import aggregated

DAYS = [f"2024-05-{day:02d}" for day in range(1, 21)]
COUNTS = [str(40 + day) for day in range(20)]
RATES = [f"{80 + day % 10}.5%" for day in range(20)]


def test_counts_of_calls_by_day_are_told_with_their_columns() -> None:
    frame = pl.DataFrame({"Date": DAYS, "Answered Calls": COUNTS, "Answer Rate": RATES})

    assert aggregated(frame) == (
        'no call but a count of calls: "Answered Calls", "Answer Rate" count or measure many calls, "Date" only says '
        "whom or which span they were counted for, and no column tells the instant at which one call began"
    )


@pytest.mark.parametrize("labels", [{}, {"Agent": ["Ann", "Ben"] * 10}, {"Team": ["Care"] * 20}])
def test_one_count_is_enough_where_dates_and_labels_name_each_row(labels: dict[str, list[str]]) -> None:
    assert aggregated(pl.DataFrame({"Date": DAYS, **labels, "Calls": COUNTS})) is not None


@pytest.mark.parametrize(
    "frame",
    [
        {"Date": DAYS, "Reason": ["Billing"] * 20, "Duration": COUNTS},
        {"Call Id": [f"c{k}" for k in range(20)], "Date": DAYS, "Calls": COUNTS, "Avg talk": COUNTS},
        {"Start": [f"{day} 10:07:13" for day in DAYS], "Calls": COUNTS, "Answer Rate": RATES},
        {"Date": DAYS, "Answered": ["1", "0"] * 10, "Abandoned": ["0", "1"] * 10},
        {"Date": DAYS, "Answered": ["Y", "N"] * 10, "Talk Duration (AVG)": COUNTS},
        {"Date": DAYS, "Calls": COUNTS, "Customer id": ["c7"] * 20},
        {"Date": DAYS, "Calls": COUNTS, "Talk time": ["60"] * 20},
        {"Date": DAYS[:10] * 2, "Calls": COUNTS, "Reason": ["Billing"] * 20},
        {"Calls": COUNTS, "Reason": [f"reason {k}" for k in range(20)]},
    ],
    ids=[
        "no counts",
        "an id for each row",
        "an instant",
        "yes and no as numbers",
        "yes and no",
        "one count and a customer",
        "one count and a talk time",
        "one count and dates that repeat",
        "one count and no date",
    ],
)
def test_rows_that_may_be_calls_are_not_refused(frame: dict[str, list[str]]) -> None:
    assert aggregated(pl.DataFrame(frame)) is None
