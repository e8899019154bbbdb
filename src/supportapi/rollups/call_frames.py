"""Rows of calls as frames, for who reads very many: as `CallRows.take`, with few values that Python ever sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from supportapi.calls.record import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from supportapi.rollups.call_index import Listed
    from supportapi.rollups.call_rows import CallRows, Words


def call_frames(
    calls: CallRows, listed: Listed, columns: Sequence[str], rows: int
) -> tuple[Iterator[pl.DataFrame], pl.Schema]:
    """All that is listed, `rows` calls at a time, and what each of the frames has."""
    slices = (listed.rows(at, rows) for at in range(0, listed.total, rows))
    frames = (pl.DataFrame([_series(calls, name, part) for name in columns]) for part in slices)
    return frames, pl.Schema({name: SCHEMA[name] for name in columns})


def _series(calls: CallRows, name: str, rows: NDArray[Any]) -> pl.Series:
    if name in calls.values:
        return pl.Series(name, calls.values[name], SCHEMA[name]).gather(calls.codes.columns[name][rows])
    if name in calls.words:
        return _words(name, calls.words[name], rows)
    if name == "started_at":
        return pl.Series(name, calls.started_us(rows)).cast(SCHEMA[name])
    if name == "ended_at":
        ended, known = calls.ended_us(rows)
        return pl.select(pl.when(pl.Series(known)).then(pl.Series(ended)).cast(SCHEMA[name]).alias(name)).to_series()
    return pl.Series(name, calls.take(rows, [name])[name], SCHEMA[name])


def _words(name: str, words: Words, rows: NDArray[Any]) -> pl.Series:
    """Each word that occurs is decoded once."""
    codes, places = np.unique(words.codes[rows], return_inverse=True)
    unknown = len(words.texts)
    found = [None if code == unknown else words.texts[code].decode() for code in codes.tolist()]
    return pl.Series(name, found, SCHEMA[name]).gather(places)
