"""The public data sets by topic, channel, region, month and hour, against what pandas and DuckDB computed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from supportapi.answers.metrics import metrics_answer
from supportapi.answers.query import MetricsQuery
from supportapi.dataset.ingest import ingest
from supportapi.refresh.reading import calls_of
from supportapi.rollups.build import build
from supportapi.rollups.states import partial_state
from tests.answers.few_calls import TRUTH
from tests.datasets import MAPPINGS, OURS, expected, shared

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates

PWC, RWFD, BANK = "pwc-call-centre", "rwfd-call-center", "anonymous-bank-1999-02"
FILES = {PWC: "call_center.csv", RWFD: "Call Center.csv", BANK: "data_anonymous_bank_february.txt"}
ZONES = {PWC: "UTC", RWFD: "UTC", BANK: "Asia/Jerusalem"}
ANSWERED = ("calls", "answered", "mean_duration_seconds_gt0")
RATED = ("calls", "rated", "mean_duration_seconds_gt0")


@cache
def aggregates_of(name: str) -> Aggregates:
    with TemporaryDirectory() as folder:
        ingest([shared(name) / FILES[name]], MAPPINGS / f"{name}.toml", Path(folder))
        calls = calls_of([Path(folder) / "cleaned_calls.parquet"])
        return build(partial_state(calls, (ZONES[name],)), calls, (ZONES[name],), 64 << 20)


def data(name: str, **asked: Any) -> Any:
    return metrics_answer(aggregates_of(name), MetricsQuery(range="all", compare="none", **asked), TRUTH).data


@pytest.mark.parametrize(
    ("name", "by", "theirs", "told"),
    [
        (PWC, "issue_type", "per_topic", tuple(OURS)),
        (BANK, "issue_type", "per_topic", ANSWERED),
        (RWFD, "issue_type", "per_topic", RATED),
        (RWFD, "channel", "per_channel", RATED),
        (RWFD, "region", "per_region", RATED),
    ],
)
def test_each_member_has_the_numbers_that_were_expected(name: str, by: Any, theirs: str, told: tuple[str, ...]) -> None:
    wanted: dict[str, dict[str, Any]] = expected(name)["normalised"][theirs]

    (found,) = data(name, include=("breakdowns",), by=(by,), metrics=tuple(OURS[key] for key in told)).breakdowns

    assert {row.key: {key: getattr(row, OURS[key]) for key in told} for row in found.rows} == {
        member: {key: pytest.approx(row[key]) for key in told} for member, row in wanted.items()
    }


@pytest.mark.parametrize("name", [PWC, RWFD, BANK])
def test_each_month_has_the_calls_that_were_expected(name: str) -> None:
    (calls,) = data(name, include=("series",), metrics=("calls",), grain="month").series
    zone = aggregates_of(name).zones[0]

    found = {point.start.astimezone(ZoneInfo(zone)).strftime("%Y-%m"): point.value for point in calls.points}

    assert found == expected(name)["normalised"]["per_month"]


@pytest.mark.parametrize("name", [PWC, RWFD, BANK])
def test_each_hour_of_the_day_has_the_calls_that_were_expected(name: str) -> None:
    heatmap = data(name, include=("heatmap",)).heatmap

    found = {f"{hour:02}": sum(day[hour] for day in heatmap.calls) for hour in range(24)}

    assert {hour: calls for hour, calls in found.items() if calls} == expected(name)["normalised"]["per_hour_of_day"]
