"""Every metric again, by plain Polars over the rows, straight from the definitions."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from supportapi.calls.record import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportapi.calls.filter import Filter
    from supportapi.calls.window import Window

Row = dict[str, Any]

_A, _U = pl.col("answered").fill_null(value=False), ~pl.col("answered").fill_null(value=True)
_W, _D, _R = pl.col("wait_seconds"), pl.col("duration_seconds"), pl.col("rating")
_H = ~_U
_SHORT = (_U & (_W < 5)).fill_null(value=False)
_DUE = pl.col("resolved").fill_null(value=False) & pl.col("due")
_RESOLVED, _RESOLVED_KNOWN = pl.col("resolved").fill_null(value=False), pl.col("resolved").is_not_null()


def _percent(over: pl.Expr, under: pl.Expr) -> pl.Expr:
    return pl.when(under != 0).then(over / under * 100)


_OFFERED = _A.sum() + _U.sum()

METRICS: dict[str, pl.Expr] = {
    "calls": pl.len(),
    "answered": _A.sum(),
    "unanswered": _U.sum(),
    "answer_rate": _percent(_A.sum(), _OFFERED),
    "abandonment_rate": _percent(_U.sum(), _OFFERED),
    "abandonment_rate_excl_short": _percent(_U.sum() - _SHORT.sum(), _OFFERED - _SHORT.sum()),
    "service_level": _percent((_A & (_W <= 20).fill_null(value=False)).sum(), _OFFERED - _SHORT.sum()),
    "average_speed_of_answer": _W.filter(_A).mean(),
    "average_wait_unanswered": _W.filter(_U).mean(),
    "longest_wait": _W.max(),
    **{f"wait_p{p}": _W.quantile(p / 100, "linear") for p in (50, 90, 95, 99)},
    "average_duration": _D.mean(),
    **{f"duration_p{p}": _D.quantile(p / 100, "linear") for p in (50, 90, 95, 99)},
    "total_talk_time": _D.sum(),
    "resolved": _RESOLVED.sum(),
    "resolution_rate": _percent((_RESOLVED & _H).sum(), (_RESOLVED_KNOWN & _H).sum()),
    "resolved_share_of_calls": _percent(_RESOLVED.sum(), _RESOLVED_KNOWN.sum()),
    "first_contact_resolution": _percent((_DUE & ~pl.col("followed")).sum(), _DUE.sum()),
    "csat": _percent((_R >= 4).sum(), _R.count()),
    "average_rating": _R.cast(pl.Float64).mean(),
    "rated": _R.count(),
    "response_rate": _percent(_R.count(), _H.sum()),
    "net_satisfaction": _percent((_R >= 4).sum().cast(pl.Int64) - (_R <= 2).sum().cast(pl.Int64), _R.count()),
}


def selected(rows: Sequence[Row], zone: str, window: Window, limits: Filter) -> pl.DataFrame:
    """The calls of a window and a filter, with local `day`, `weekday` (0 for Monday), `hour` and member keys."""
    local = pl.col("started_at").dt.convert_time_zone(zone)
    names = ("region", "issue_type", "channel", "agent_id")
    frame = (
        _judged(pl.DataFrame({name: [row.get(name) for row in rows] for name in SCHEMA}, schema=SCHEMA))
        .with_columns(
            day=local.dt.date(), weekday=local.dt.weekday().cast(pl.Int64) - 1, hour=local.dt.hour().cast(pl.Int64)
        )
        .with_columns(_key(name) for name in names)
        .with_columns(agent=pl.col("agent_id"))
        .filter(pl.col("day") >= window.start, pl.col("day") < window.end)
    )
    return frame.filter(
        pl.lit(value=True), *(pl.col(n).is_in(limits.members(n)) for n in names if limits.members(n))
    ).with_columns(rating_key=pl.col("rating").cast(pl.String).fill_null("null"))


def measured(frame: pl.DataFrame) -> dict[str, Any]:
    """Every metric of all the rows of `frame`."""
    return frame.select(**METRICS).row(0, named=True)


def by(frame: pl.DataFrame, *keys: str) -> dict[Any, dict[str, Any]]:
    """Every metric of each group that has rows."""
    found = frame.group_by(keys).agg(**METRICS)
    groups = [row if len(keys) > 1 else row[0] for row in found.select(keys).iter_rows()]
    return dict(zip(groups, found.select(*METRICS).iter_rows(named=True), strict=True))


@cache
def nothing() -> dict[str, Any]:
    """Every metric of no calls."""
    return measured(_judged(pl.DataFrame(schema=SCHEMA)))


def about(value: float | None, key: str) -> Any:
    """What a value must equal: percentiles within a hundredth, anything else but for rounding."""
    if value is None or math.isnan(value):
        return None
    return pytest.approx(value, rel=0.01 if "_p" in key else 1e-9, abs=1e-9)


def _judged(frame: pl.DataFrame) -> pl.DataFrame:
    """The calls of a dataset, with `followed` by another one of the same customer and issue type within seven days, and
    `due` when that can be told."""
    started, about = pl.col("started_at"), ["customer_id", "issue_type"]
    pairs = frame.join(frame.select(*about, later="started_at"), on=about, nulls_equal=True)
    within = pairs.filter(pl.col("later") > started, pl.col("later") <= started + timedelta(days=7))
    return frame.with_columns(
        followed=pl.col("call_id").is_in(within["call_id"].to_list()),
        due=pl.col("customer_id").is_not_null() & (started.max() - started >= timedelta(days=7)),
    )


def _key(name: str) -> pl.Expr:
    escaped = pl.when(pl.col(name).str.contains(r"^\\*null$")).then(pl.lit("\\") + pl.col(name)).otherwise(name)
    return escaped.fill_null("null").alias(name)
