"""The three public data sets, against what pandas and DuckDB computed from their raw files."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from supportapi.dataset.ingest import IngestReport, ingest
from tests.datasets import MAPPINGS, expected, shared

if TYPE_CHECKING:
    from pathlib import Path

PWC, RWFD, BANK = "pwc-call-centre", "rwfd-call-center", "anonymous-bank-1999-02"
FILES = {PWC: "call_center.csv", RWFD: "Call Center.csv", BANK: "data_anonymous_bank_february.txt"}
ZONES = {PWC: "UTC", RWFD: "UTC", BANK: "Asia/Jerusalem"}
OUR_NAMES = {"agent": "agent_name", "topic": "issue_type", "duration_s": "duration_seconds", "wait_s": "wait_seconds"}
ALL = pytest.mark.parametrize("name", [PWC, RWFD, BANK])


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[IngestReport, pl.DataFrame]]:
    """Each set's report and its calls, with `local`: the start on the source's own clock."""
    sets: dict[str, tuple[IngestReport, pl.DataFrame]] = {}
    for name, file in FILES.items():
        out = tmp_path_factory.mktemp(name)
        report = ingest([shared(name) / file], MAPPINGS / f"{name}.toml", out)
        calls = pl.read_parquet(out / "cleaned_calls.parquet")
        local = pl.col("started_at").dt.convert_time_zone(ZONES[name]).dt.replace_time_zone(None)
        sets[name] = (report, calls.with_columns(local=local))
    return sets


Sets = dict[str, tuple[IngestReport, pl.DataFrame]]


def truth(name: str) -> dict[str, Any]:
    return expected(name)["normalised"]


def ours(name: str) -> str:
    """Our name of the oracle's column."""
    return OUR_NAMES.get(name, name)


@ALL
def test_every_row_becomes_a_call(ingested: Sets, name: str) -> None:
    report, calls = ingested[name]

    assert (report.read, report.written, report.rejected, report.duplicates) == (truth(name)["rows"],) * 2 + (0, 0)
    assert calls.height == truth(name)["rows"]


@ALL
def test_distinct_values_are_as_many_as_expected(ingested: Sets, name: str) -> None:
    _, calls = ingested[name]
    wanted: dict[str, int] = truth(name)["distinct"]

    found = {key: calls[ours(key)].drop_nulls().n_unique() for key in wanted}

    assert found == wanted


@ALL
def test_nulls_are_as_many_as_expected(ingested: Sets, name: str) -> None:
    _, calls = ingested[name]
    wanted: dict[str, int] = dict(truth(name)["null"])
    # Durations of 0 are no conversation: null for us, a 0 in the raw file.
    wanted["duration_s"] += truth(name)["duration_le_zero"]

    found = {key: calls[ours(key)].null_count() for key in wanted}

    assert found == wanted


@ALL
@pytest.mark.parametrize("flag", ["answered", "resolved"])
def test_yes_no_and_unknown_are_as_many_as_expected(ingested: Sets, name: str, flag: str) -> None:
    calls = ingested[name][1][flag]

    found = {"true": (calls == True).sum(), "false": (calls == False).sum(), "null": calls.null_count()}  # noqa: E712 - a series

    assert found == {word: truth(name)[flag][word] for word in found}


@ALL
@pytest.mark.parametrize(
    ("column", "figures"),
    [("duration_seconds", "duration_seconds_gt0"), ("wait_seconds", "wait_seconds")],
)
def test_lengths_of_time_have_the_expected_figures(ingested: Sets, name: str, column: str, figures: str) -> None:
    values = ingested[name][1][column].drop_nulls()
    wanted = truth(name)[figures]

    assert len(values) == wanted["count"]
    assert len(values) == 0 or summary(values) == pytest.approx(summary_of(wanted), rel=1e-9)


def summary(values: pl.Series) -> dict[str, Any]:
    return {
        "sum": values.sum(), "mean": values.mean(), "min": values.min(), "max": values.max(),
        "p50": values.quantile(0.5, "linear"), "p95": values.quantile(0.95, "linear"),
    }  # fmt: skip


def summary_of(wanted: dict[str, Any]) -> dict[str, Any]:
    return {key: wanted[key] for key in ("sum", "mean", "min", "max", "p50", "p95")}


@ALL
def test_answered_calls_waited_as_long_as_expected(ingested: Sets, name: str) -> None:
    calls = ingested[name][1]
    wanted = truth(name)["wait_seconds_answered_only"]

    waits = calls.filter(pl.col("answered"))["wait_seconds"].drop_nulls()

    assert len(waits) == wanted["count"]
    assert len(waits) == 0 or waits.mean() == pytest.approx(wanted["mean"], rel=1e-9)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (PWC, ("normalised", "rating")),
        (BANK, ("normalised", "rating")),
        (RWFD, ("extra", "rating_on_1_to_5", "ceil(csat/2)")),
    ],
)
def test_ratings_are_as_expected(ingested: Sets, name: str, path: tuple[str, ...]) -> None:
    ratings = ingested[name][1]["rating"].drop_nulls()
    wanted: Any = expected(name)
    for key in path:
        wanted = wanted[key]

    assert {
        str(rating): count for rating, count in ratings.value_counts(sort=False).sort("rating").iter_rows()
    } == wanted["histogram"]
    assert len(ratings) == wanted["count"]
    assert len(ratings) == 0 or ratings.mean() == pytest.approx(wanted["mean"], rel=1e-9)


@ALL
def test_first_and_last_start_are_as_expected_on_the_sources_clock(ingested: Sets, name: str) -> None:
    local = ingested[name][1]["local"]
    wanted = truth(name)["started_at"]

    found = local.dt.to_string("%Y-%m-%dT%H:%M:%S")

    assert {"min": found.min(), "max": found.max(), "count": len(found)} == wanted


@ALL
@pytest.mark.parametrize(("figures", "pattern"), [("per_month", "%Y-%m"), ("per_hour_of_day", "%H")])
def test_calls_by_time_are_as_expected(ingested: Sets, name: str, figures: str, pattern: str) -> None:
    times = ingested[name][1].select(key=pl.col("local").dt.to_string(pattern))["key"].value_counts()

    assert dict(times.iter_rows()) == truth(name)[figures]


@ALL
@pytest.mark.parametrize(
    ("figures", "column"),
    [("per_agent", "agent_name"), ("per_topic", "issue_type"), ("per_channel", "channel"), ("per_region", "region")],
)
def test_groups_are_as_expected(ingested: Sets, name: str, figures: str, column: str) -> None:
    calls = ingested[name][1].filter(pl.col(column).is_not_null())
    # The oracle rates on the source's scale; ratings by group are compared where that is 1-5.
    rated = name != RWFD
    groups = calls.group_by(column).agg(
        calls=pl.len(),
        answered=pl.col("answered").fill_null(value=False).sum(),
        resolved=pl.col("resolved").fill_null(value=False).sum(),
        rated=pl.col("rating").count(),
        mean_rating=pl.col("rating").mean(),
        mean_duration_seconds_gt0=pl.col("duration_seconds").mean(),
        mean_wait_seconds=pl.col("wait_seconds").mean(),
    )

    found = {row.pop(column): known(row, rated=rated) for row in groups.to_dicts()}

    assert found == {
        key: pytest.approx(known(row, rated=rated), rel=1e-9, nan_ok=True) for key, row in truth(name)[figures].items()
    }


def known(row: dict[str, float | None], *, rated: bool) -> dict[str, float]:
    """A group's figures; what is unknown is not a number, for comparing."""
    return {field: nan if value is None else value for field, value in row.items() if rated or field != "mean_rating"}


def test_the_workbook_and_its_csv_are_the_same_dataset(ingested: Sets, tmp_path: Path) -> None:
    workbook = ingest([shared(PWC) / "01 Call-Center-Dataset.xlsx"], MAPPINGS / f"{PWC}.toml", tmp_path)

    assert workbook.dataset_hash == ingested[PWC][0].dataset_hash


def test_a_zipped_csv_is_the_same_dataset(ingested: Sets, tmp_path: Path) -> None:
    zipped = ingest([shared(RWFD) / "Call Center.csv.zip"], MAPPINGS / f"{RWFD}.toml", tmp_path)

    assert zipped.dataset_hash == ingested[RWFD][0].dataset_hash


def test_the_banks_calls_end_as_its_log_says(ingested: Sets) -> None:
    _, calls = ingested[BANK]
    extra = expected(BANK)["extra"]
    zone = ZONES[BANK]

    next_day = calls.filter(
        pl.col("duration_seconds").is_not_null()
        & (pl.col("ended_at").dt.convert_time_zone(zone).dt.date() > pl.col("local").dt.date())
    )

    assert next_day.height == extra["answered_with_talk_time_that_end_the_next_day"]
    assert calls["started_at"].dt.to_string("%Y-%m-%dT%H:%M:%S").min() == extra["started_at_utc"]["min"]
    assert calls["customer_id"].null_count() == extra["customer_id_zero"]


def test_the_banks_altered_values_are_counted(ingested: Sets) -> None:
    assert ingested[BANK][0].altered_by_reason == {"duration_zero": 85}
