from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from supportapi.calls.record import SCHEMA, canonical
from supportapi.calls.validate import validate
from supportapi.dataset.centre import days_for
from supportapi.dataset.ingest import ingest
from supportapi.dataset.sample import make_sample

if TYPE_CHECKING:
    from pathlib import Path

    from supportapi.calls.manifest import Manifest

CALLS = 60_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, pl.DataFrame]:
    out = tmp_path_factory.mktemp("sample")
    return make_sample(CALLS, 7, out), pl.read_parquet(out / "cleaned_calls.parquet")


Sample = tuple["Manifest", pl.DataFrame]


def test_a_sample_has_as_many_possible_calls_as_asked_for(sample: Sample) -> None:
    manifest, calls = sample

    assert validate(canonical(calls.lazy())) == manifest.row_count == CALLS
    assert calls.schema == pl.Schema(SCHEMA)
    assert calls.equals(calls.sort("started_at", "call_id"))


def test_equal_arguments_give_equal_bytes_and_another_seed_others(sample: Sample, tmp_path: Path) -> None:
    again = make_sample(CALLS, 7, tmp_path / "again")
    other = make_sample(CALLS, 8, tmp_path / "other")

    assert again.hash == sample[0].hash
    assert other.hash != sample[0].hash


def test_a_sample_ingested_as_a_ready_dataset_is_itself(tmp_path: Path) -> None:
    made = make_sample(5000, 3, tmp_path / "made")

    again = ingest([tmp_path / "made" / "cleaned_calls.parquet"], None, tmp_path / "again")

    assert again.dataset_hash == made.hash


def test_bytes_do_not_depend_on_the_year_of_making(tmp_path: Path) -> None:
    # Written down once: a change here changes every sample that somebody compares with another one.
    assert make_sample(1000, 1, tmp_path).hash == HASH_OF_1000_CALLS


HASH_OF_1000_CALLS = "14050893dc1ff12cea01d02ca1bc8ed13244d520e0a8eaa30efc915a37488c4a"


def test_unknown_values_are_rare_and_unanswered_calls_have_nobody(sample: Sample) -> None:
    _, calls = sample
    unanswered = calls.filter(~pl.col("answered"))

    shares = {name: calls[name].null_count() / CALLS for name in ("customer_id", "region", "issue_type")}

    assert all(0.003 < share < 0.02 for share in shares.values())
    assert 0.07 < unanswered.height / CALLS < 0.12
    assert (
        unanswered.select("agent_id", "duration_seconds", "rating", "resolved").null_count().row(0)
        == (unanswered.height,) * 4
    )
    assert 0.3 < calls["rating"].count() / CALLS < 0.6


def test_days_and_hours_differ(sample: Sample) -> None:
    _, calls = sample
    by_weekday = calls.group_by(pl.col("started_at").dt.weekday()).len().sort("started_at")["len"].to_list()
    by_hour = calls.group_by(pl.col("started_at").dt.hour()).len()["len"]

    assert by_weekday[0] > 1.5 * by_weekday[6]
    assert by_hour.max() > 3 * by_hour.min()  # pyright: ignore[reportOperatorIssue,reportOptionalOperand] - numbers


def test_customers_call_again_about_the_same_issue(sample: Sample) -> None:
    _, calls = sample
    known = calls.drop_nulls(["customer_id", "issue_type"])
    before = pl.col("started_at").shift(1).over("customer_id", "issue_type")

    again = known.select((pl.col("started_at") - before < pl.duration(days=7)).fill_null(value=False).mean()).item()

    assert 0.05 < again < 0.25


def test_agents_have_a_home_region_and_cover_a_little_elsewhere(sample: Sample) -> None:
    _, calls = sample
    pairs = calls.drop_nulls(["agent_id", "region"]).group_by("agent_id", "region").len()

    homes = pairs.group_by("agent_id").agg(share=pl.col("len").max() / pl.col("len").sum(), regions=pl.len())

    assert homes["share"].median() > 0.8  # pyright: ignore[reportOperatorIssue,reportOptionalOperand] - a number
    assert homes["regions"].max() <= 4  # pyright: ignore[reportOperatorIssue,reportOptionalOperand] - a number
    assert calls["agent_id"].n_unique() == calls["agent_name"].n_unique()


@pytest.mark.parametrize(("calls", "days"), [(1, 14), (200_000, 430), (10_000_000, 1096), (100_000_000, 1096)])
def test_more_calls_span_more_days(calls: int, days: int) -> None:
    assert days_for(calls) == days


def test_the_last_day_may_be_chosen(tmp_path: Path) -> None:
    manifest = make_sample(2000, 1, tmp_path, end=date(2024, 2, 29))

    assert manifest.max_started_at is not None
    assert datetime(2024, 2, 29, tzinfo=UTC) <= manifest.max_started_at < datetime(2024, 3, 1, tzinfo=UTC)


def test_a_single_call_is_a_sample(tmp_path: Path) -> None:
    assert make_sample(1, 1, tmp_path).row_count == 1


def test_progress_ends_with_the_last_call(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    make_sample(1000, 1, tmp_path, progress=lambda stage, done, total: seen.append((stage, done, total)))

    assert seen[-1] == ("sample", 1000, 1000)
