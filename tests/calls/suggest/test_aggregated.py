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
    "measured",
    [
        {
            "Calls": COUNTS,
            "AHT": [f"0:05:{k + 10}" for k in range(20)],
            "Talk Time": [f"3:{k + 10}:07" for k in range(20)],
        },
        {"Anrufe": COUNTS, "Ø Gesprächszeit": [f"00:03:{k + 10}" for k in range(20)]},
        {"Handled": COUNTS, "Avg Talk": RATES, "Login Time": [f"8:59:{k + 10} AM" for k in range(20)]},
        {"Calls": COUNTS, "Talk Time": [f"3:{k + 10}:07" for k in range(20)]},
    ],
    ids=["a length beside an average", "a language", "when the operator was there", "one count and one length"],
)
def test_a_row_for_an_operator_and_a_day_is_no_call_however_its_lengths_are_written(
    measured: dict[str, list[str]],
) -> None:
    labels = {"Operator": [name for name in ("Ann", "Ben") for _ in range(10)], "Date": DAYS[:10] * 2}

    assert aggregated(pl.DataFrame({**labels, **measured})) is not None


def test_lengths_are_told_as_what_was_measured() -> None:
    frame = pl.DataFrame(
        {"Date": DAYS, "Calls": COUNTS, "AHT": RATES, "Talk Time": [f"3:{k + 10}:07" for k in range(20)]}
    )

    assert aggregated(frame) == (
        'no call but a count of calls: "Calls", "AHT", "Talk Time" count or measure many calls, "Date" only says whom '
        "or which span they were counted for, and no column tells the instant at which one call began"
    )


@pytest.mark.parametrize(
    "spans",
    [
        ("Jan 2024", "Feb 2024", "Mar 2024"),
        ("2024-05-01", "2024-05-02", "2024-05-03"),
        ("Mon", "Tue", "Wed"),
        ("08:00 - 09:00", "09:00 - 10:00", "10:00 - 11:00"),
        ("8 AM", "9 AM", "10 AM"),
        ("Week 1", "Week 2", "Week 3"),
    ],
)
def test_columns_that_are_called_as_spans_of_time_are_counts(spans: tuple[str, ...]) -> None:
    told = aggregated(pl.DataFrame({"Queue": ["Sales", "Care"], **{span: ["17", "4,211"] for span in spans}}))

    assert told is not None
    assert told.startswith(f'no call but a count of calls: "{spans[0]}", "{spans[1]}"')


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
        {"Date": DAYS, "Agent": ["Ann", "Ben"] * 10, "Calls": COUNTS, "Talk time": ["60"] * 20},
        {"Start": DAYS, "Jan": COUNTS, "Feb": COUNTS, "Mar": ["a"] * 20},
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
        "one count, a talk time, and agents of few days",
        "names that are months by chance",
        "one count and no date",
    ],
)
def test_rows_that_may_be_calls_are_not_refused(frame: dict[str, list[str]]) -> None:
    assert aggregated(pl.DataFrame(frame)) is None
