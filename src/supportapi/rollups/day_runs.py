"""Cells of several files in one order of days: a day that one file alone has calls of is taken as it stands."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


def in_day_runs(frames: Sequence[pl.DataFrame], together: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """The rows of `frames` in order of `day`, each of which is so already; `together` is made of those of shared days.

    Monthly files share the days at their ends at the most: only these are grouped again.
    """
    days: list[NDArray[np.int32]] = [_days(frame) for frame in frames]
    every, files = np.unique(np.concatenate([np.unique(each) for each in days]), return_counts=True)
    shared = every[files > 1]
    if len(shared):
        parts = [frame.filter(pl.Series(np.isin(day, shared))) for frame, day in zip(frames, days, strict=True)]
        frames = [*frames, together(pl.concat(parts))]
        days.append(_days(frames[-1]))
    # Who has a day: the frame of the shared ones comes last, and so has what it shares.
    owner = np.zeros(len(every), np.intp)
    for number, day in enumerate(days):
        owner[np.searchsorted(every, np.unique(day))] = number
    starts: list[int] = np.flatnonzero(np.diff(owner, prepend=-1)).tolist()
    slices: list[pl.DataFrame] = []
    for start, end in pairwise([*starts, len(every)]):
        number = int(owner[start])
        slices.append(frames[number].slice(*_place(days[number], every[start], every[end - 1])))
    return pl.concat(slices) if slices else frames[0]


def _days(frame: pl.DataFrame) -> NDArray[np.int32]:
    return frame.get_column("day").to_physical().to_numpy()


def _place(days: NDArray[np.int32], first: np.int32, last: np.int32) -> tuple[int, int]:
    """Where the rows of the days from `first` to `last` begin, and how many they are."""
    start = int(np.searchsorted(days, first, side="left"))
    return start, int(np.searchsorted(days, last, side="right")) - start
