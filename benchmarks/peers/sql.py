"""The question in SQL, as DuckDB and ROAPI (DataFusion) both understand it: one pass, parted by grouping sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

_METRICS: Final = (
    "count(*) AS calls, "
    "100 * avg(CASE WHEN answered THEN 1.0 WHEN NOT answered THEN 0.0 END) AS answer_rate, "
    "avg(duration_seconds) AS average_duration, "
    # What is known not to have been answered cannot have been resolved.
    "100 * avg(CASE WHEN NOT answered THEN NULL WHEN resolved THEN 1.0 WHEN NOT resolved THEN 0.0 END) "
    "AS resolution_rate, "
    "100 * avg(CASE WHEN rating >= 4 THEN 1.0 WHEN rating < 4 THEN 0.0 END) AS csat, "
    "avg(CAST(rating AS DOUBLE)) AS average_rating"
)
_PART: Final = (
    "CASE WHEN grouping(day) = 0 THEN 'day' WHEN grouping(region) = 0 THEN 'region' "
    "WHEN grouping(issue_type) = 0 THEN 'issue_type' ELSE 'channel' END"
)


def question(start: date, end: date) -> str:
    """A row for each group of calls: `part`, what names the group (`now`: or before), and its metrics."""
    before = start - (end - start)
    return (
        "WITH kept AS (SELECT region, issue_type, channel, answered, duration_seconds, resolved, rating, "
        f"started_at >= TIMESTAMP '{start} 00:00:00' AS now, CAST(started_at AS DATE) AS day FROM calls "
        f"WHERE started_at >= TIMESTAMP '{before} 00:00:00' AND started_at < TIMESTAMP '{end} 00:00:00') "
        "SELECT 'all' AS part, now, NULL AS day, NULL AS region, NULL AS issue_type, NULL AS channel, "
        f"{_METRICS} FROM kept GROUP BY now UNION ALL "
        f"SELECT {_PART}, true, day, region, issue_type, channel, {_METRICS} FROM kept WHERE now "
        "GROUP BY GROUPING SETS ((day), (region), (issue_type), (channel))"
    )
