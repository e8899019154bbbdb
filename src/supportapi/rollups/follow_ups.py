"""Whether a customer called again about the same issue: what a resolved call's place among other calls says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from supportapi.measures.tally import REPEAT_DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERDICTS: Final = (*range(4),)
"""Of a call: not resolved, or of nobody that is known; too young to tell; followed by another one; or the last about
its issue."""

UNJUDGED, _YOUNG, _REPEATED, _FINAL = VERDICTS
COUNTED: Final = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1]], np.int8)
"""Which of `REPEAT_COUNTS` a call of each verdict adds to."""

_REPEAT_US: Final = REPEAT_DAYS * 86_400_000_000


def judged(
    customer: NDArray[np.int64],
    issue: NDArray[np.int64],
    at: NDArray[np.int64],
    resolved: NDArray[np.bool_],
    as_of_us: int,
) -> NDArray[np.uint8]:
    """The verdict on each call of known customers, in order of time, by all of them.

    `as_of_us` is when the newest call of anybody started, the instant up to which further calls would be known.
    """
    followed = _followed(customer * (issue.max(initial=0) + 1) + issue, at)
    verdict = np.where(at > as_of_us - _REPEAT_US, _YOUNG, np.where(followed, _REPEATED, _FINAL))
    return np.where(resolved, verdict, UNJUDGED).astype(np.uint8)


def _followed(group: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each call, in order of time, has a later one of its group within `REPEAT_DAYS`."""
    followed = np.zeros(len(group), dtype=bool)
    if not len(group):
        return followed
    order = np.argsort(group, kind="stable")
    group, at = group[order], at[order]
    # Calls of one instant stand together: none of them is later than another.
    first = np.flatnonzero(np.append(True, (np.diff(group) != 0) | (np.diff(at) != 0)))
    near = (np.diff(group[first]) == 0) & (np.diff(at[first]) <= _REPEAT_US)
    followed[order] = np.repeat(np.append(near, False), np.diff(np.append(first, len(order))))
    return followed
