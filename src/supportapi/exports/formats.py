"""The formats in which rows leave: how each is called, and what a client is told of it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

FormatName = Literal["csv", "ndjson", "parquet", "arrow", "xlsx"]


class Format(msgspec.Struct, frozen=True):
    """`most_rows` is what one file of it can hold; None where that has no end."""

    media_type: str
    most_rows: int | None = None


FORMATS: Final[dict[FormatName, Format]] = {
    "csv": Format("text/csv; charset=utf-8; header=present"),
    "ndjson": Format("application/x-ndjson"),
    "parquet": Format("application/vnd.apache.parquet"),
    "arrow": Format("application/vnd.apache.arrow.file"),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", most_rows=(1 << 20) - 1),
}
"""Every format, by the extension of its files. A sheet has 1,048,576 rows, one of them the header."""
