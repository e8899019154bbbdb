"""Frames of text for the tests of suggestions."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import polars as pl

from supportapi.calls.suggest.document import Opening, mapping_document
from supportapi.calls.suggest.seen import Seen, columns_seen
from supportapi.calls.suggest.suggestion import suggest

if TYPE_CHECKING:
    from collections.abc import Sequence


def column(header: str, values: Sequence[str | None]) -> Seen:
    """One column as it is seen."""
    return columns_seen(pl.DataFrame({header: values}, schema={header: pl.String}))[0]


def document(frame: pl.DataFrame) -> str:
    """The mapping that is suggested for `frame`."""
    opening = Opening(file="calls.csv", name="calls", mapping="mine.toml", rows=frame.height, read={})
    return mapping_document(suggest(frame, "calls.csv"), opening)


def columns(**texts: Sequence[str | None]) -> dict[str, Any]:
    """What is suggested for our columns, of a source with these columns (`_` for blanks in headers)."""
    frame = pl.DataFrame({name.replace("_", " "): values for name, values in texts.items()})
    return tomllib.loads(document(frame))["columns"]
