"""Counts and sums that add: everything that a metric is computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

THRESHOLDS_SECONDS: Final = (10, 15, 20, 30, 60, 120)
SHORT_ABANDON_SECONDS: Final = 5
RATINGS: Final = (1, 2, 3, 4, 5)
REPEAT_DAYS: Final = 7
"""A call is repeated by one about the same within so many times 24 hours."""

REPEAT_COUNTS: Final = ("resolved_young", "resolved_matured", "resolved_without_repeat")
"""Those of `COUNTS` that a call does not decide alone: other calls of its customer do, of whatever file."""

COUNTS: Final[tuple[str, ...]] = (
    "calls",
    "answered",
    "unanswered",
    "short_abandons",
    *(f"within_{seconds}" for seconds in THRESHOLDS_SECONDS),
    *(f"beyond_{seconds}" for seconds in THRESHOLDS_SECONDS),
    "wait_known",
    "wait_answered_known",
    "wait_unanswered_known",
    "duration_known",
    *(f"rating_{rating}" for rating in RATINGS),
    "resolved",
    "resolved_known",
    "resolved_handled",
    "resolved_known_handled",
    *REPEAT_COUNTS,
)
"""Calls that ... : `within_T` answered with a wait of at most T seconds, `beyond_T` unanswered with a wait of more than
T, `short_abandons` unanswered with a wait below 5 s, `*_known` with a value, `*_handled` not known to be unanswered.
Resolved calls of known customers are `young` until their `REPEAT_DAYS` have passed, then `matured`, and some of those
`without_repeat`."""

CALLS: Final = COUNTS.index("calls")

SUMS: Final[tuple[str, ...]] = ("wait_ms", "wait_answered_ms", "wait_unanswered_ms", "duration_ms")
"""Sums of milliseconds over the calls whose value is known."""

_COUNT_AT: Final = {name: index for index, name in enumerate(COUNTS)}
_SUM_AT: Final = {name: index for index, name in enumerate(SUMS)}
_FIRST_RATING: Final = _COUNT_AT["rating_1"]


class Tally:
    """Counts and sums of any number of groups of calls at once.

    `counts` has shape `(..., len(COUNTS))` and `sums` has shape `(..., len(SUMS))`, both int64, with the same leading
    shape, which is the tally's `shape`: `()` for one group, `(groups,)` for a breakdown, `(groups, buckets)` for its
    series. Nothing is ever changed in place.
    """

    __slots__ = ("counts", "sums")

    def __init__(self, counts: NDArray[np.int64], sums: NDArray[np.int64]) -> None:
        self.counts = counts
        self.sums = sums

    @classmethod
    def zeros(cls, shape: tuple[int, ...] = ()) -> Tally:
        """No calls at all, `shape` times."""
        return cls(np.zeros((*shape, len(COUNTS)), np.int64), np.zeros((*shape, len(SUMS)), np.int64))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each measure."""
        return self.counts.shape[:-1]

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        """The measure `name` of `COUNTS` or `SUMS`, or one of the derived `rated` and `handled`; shape is `shape`."""
        if name in _COUNT_AT:
            return self.counts[..., _COUNT_AT[name]]
        if name in _SUM_AT:
            return self.sums[..., _SUM_AT[name]]
        if name == "rated":
            return self.counts[..., _FIRST_RATING : _FIRST_RATING + len(RATINGS)].sum(axis=-1)
        if name == "handled":
            return self["calls"] - self["unanswered"]
        raise KeyError(name)

    def __add__(self, other: Tally) -> Tally:
        """Both groups together; shapes broadcast."""
        return Tally(self.counts + other.counts, self.sums + other.sums)

    def __sub__(self, other: Tally) -> Tally:
        """What is left without `other`; shapes broadcast."""
        return Tally(self.counts - other.counts, self.sums - other.sums)

    def __eq__(self, other: object) -> bool:
        """Whether every measure of every group is the same."""
        if not isinstance(other, Tally):
            return NotImplemented
        return np.array_equal(self.counts, other.counts) and np.array_equal(self.sums, other.sums)

    __hash__ = None  # type: ignore[assignment]

    def sum(self, axis: int | tuple[int, ...] | None = None) -> Tally:
        """The groups along `axis` (of `shape`; all when None) as one."""
        axes = tuple(range(len(self.shape))) if axis is None else (axis,) if isinstance(axis, int) else axis
        axes = tuple(one % len(self.shape) for one in axes)
        return Tally(self.counts.sum(axis=axes), self.sums.sum(axis=axes))

    def take(self, indices: Sequence[int] | NDArray[np.intp], axis: int = 0) -> Tally:
        """Only the groups at `indices` along `axis` of `shape`, in that order."""
        axis %= len(self.shape)
        return Tally(np.take(self.counts, indices, axis=axis), np.take(self.sums, indices, axis=axis))

    def reshape(self, shape: tuple[int, ...]) -> Tally:
        """The same groups in another `shape`."""
        return Tally(self.counts.reshape(*shape, len(COUNTS)), self.sums.reshape(*shape, len(SUMS)))

    def __repr__(self) -> str:
        """Shape and number of calls, for a failing test's message."""
        return f"Tally(shape={self.shape}, calls={self['calls'].tolist()})"
