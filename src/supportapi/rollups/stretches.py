"""Work on many rows, some of them at a time: what is made of these stays near the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_STRETCH: Final = 1 << 18


def total(first: int, end: int, work: Callable[[slice], int]) -> int:
    """The sum of `work` over all rows from `first` up to `end`."""
    return sum(work(slice(start, min(start + _STRETCH, end))) for start in range(first, end, _STRETCH))
