"""Strings as bytes next to each other: mapped by every process, found by prefix, searched without being decoded."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

LINE_FEED: Final = b"\n"
"""Stands after every text."""

_LONGEST_TOLD: Final = 63
_ANYWHERE: Final = np.uint64(2**64 - 1)
_SEARCHED_BYTES: Final = 1 << 20
"""What is searched at a stretch: the interpreter lets nobody else run meanwhile."""


class Texts:
    """Texts by number, all of which begin with `prefix`; what each has behind it stands in `data`.

    `data` has a row for each where all have the same length, else `ends` says where each ends. `places`, shape
    `(256,)`, has for each byte the set of places (as bits) at which it stands in any text: what cannot stand anywhere
    but in front needs no search.
    """

    __slots__ = ("_begin", "_flat", "data", "ends", "places", "prefix")

    def __init__(
        self, data: NDArray[np.uint8], ends: NDArray[np.int64], places: NDArray[np.uint64], prefix: NDArray[np.uint8]
    ) -> None:
        self.data = data
        self.ends = ends
        self.places = places
        self.prefix = prefix
        self._flat = data.reshape(-1)
        self._begin = prefix.tobytes()

    def __len__(self) -> int:
        return len(self.data) if self.data.ndim == 2 else len(self.ends)  # noqa: PLR2004 - rows and bytes

    def __getitem__(self, number: int) -> bytes:
        start, end = self._bounds(number)
        return self._begin + self._flat[start:end].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        return (self[number] for number in range(len(self)))

    def take(self, numbers: NDArray[np.integer]) -> list[str]:
        """The texts with these numbers."""
        return [self[number].decode() for number in numbers.tolist()]

    def find(self, text: bytes) -> int | None:
        """The number of `text`, or None; for texts that are sorted."""
        first, _ = self.starting_with(text)
        return first if first < len(self) and self[first] == text else None

    def starting_with(self, prefix: bytes, order: NDArray[np.integer] | None = None) -> tuple[int, int]:
        """The half-open span of places, in the `order` that sorts the texts, of those that begin with `prefix`."""

        def beginning(place: int) -> bytes:
            return self[place if order is None else int(order[place])][: len(prefix)]

        places = range(len(self))
        return bisect_left(places, prefix, key=beginning), bisect_right(places, prefix, key=beginning)

    def beginnings(self, text: bytes) -> int:
        """The places, as bits, at which `text` can begin in any of the texts, as far as `places` tells; 1: in front."""
        found = int(_ANYWHERE)
        for place, byte in enumerate(text):
            found &= int(self.places[byte]) >> place
        return found

    def holding(self, text: bytes, first: int, end: int, most: int) -> tuple[NDArray[np.int64], bool]:
        """The numbers, of those from `first` up to `end`, of the texts that hold `text`.

        Searched from the last one on until at least `most` are found; whether there may be more stands beside them.
        """
        if text in self._begin:
            return np.arange(first, end), False
        # What the prefix ends with may be what the text begins with.
        tails = [text[size:] for size in range(1, len(text)) if self._begin.endswith(text[:size])]
        found = [
            self._holding(text, b"", first, end, most),
            *(self._holding(tail, b"^", first, end, most) for tail in tails),
        ]
        return np.unique(np.concatenate([numbers for numbers, _ in found])), any(more for _, more in found)

    def _holding(self, text: bytes, where: bytes, first: int, end: int, most: int) -> tuple[NDArray[np.int64], bool]:
        """As `holding`, of what stands behind the prefix; `where` is what a pattern begins with."""
        # To the end of the line: a text that holds it twice is one find. With a line feed, every place is looked at.
        within = where + re.escape(text)
        pattern = re.compile(rb"(?=%b)" % within if LINE_FEED in text else within + rb"[^\n]*", re.MULTILINE)
        low, high = (self._bounds(first)[0], self._bounds(end - 1)[1]) if end > first else (0, 0)
        parts: list[NDArray[np.int64]] = []
        found, stop = 0, high
        while stop > low and found < most:
            start = max(stop - _SEARCHED_BYTES, low)
            # A find that begins before `stop` may end behind it.
            until = min(stop + len(text) - 1, high)
            begins = np.array([hit.start() for hit in pattern.finditer(self._flat.data, start, until)], np.int64)
            numbers = self._number_at(begins)
            if LINE_FEED in text:
                numbers = numbers[numbers == self._number_at(begins + len(text))]
            parts.append(numbers)
            found += len(numbers)
            stop = start
        return np.unique(np.concatenate([np.array([], np.int64), *parts])), stop > low

    def _number_at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.data.ndim == 2:  # noqa: PLR2004 - as above
            return places // self.data.shape[1]
        return np.searchsorted(self.ends, places, side="left")

    def _bounds(self, number: int) -> tuple[int, int]:
        if self.data.ndim == 2:  # noqa: PLR2004 - as above
            width = self.data.shape[1]
            return number * width, (number + 1) * width - 1
        return int(self.ends[number - 1]) + 1 if number else 0, int(self.ends[number])


def texts(prefix: bytes, parts: Sequence[bytes], lengths: NDArray[np.integer]) -> Texts:
    """Texts of so many bytes behind `prefix`; `parts` joined are all of these, each with a line feed after it."""
    begin = np.frombuffer(prefix, np.uint8)
    data = np.frombuffer(b"".join(parts), np.uint8)
    ends = np.cumsum(lengths.astype(np.int64) + 1) - 1
    longest = int(lengths.max(initial=0))
    if len(ends) and longest == lengths.min():
        rows = data.reshape(len(ends), longest + 1)
        columns = (rows[:, place] for place in range(longest))
        return Texts(rows, np.array([], np.int64), _places(begin, columns, longest), begin)
    starts = ends - lengths
    columns = (data[starts[lengths > place] + place] for place in range(longest))
    return Texts(data, ends, _places(begin, columns, longest), begin)


def _places(begin: NDArray[np.uint8], columns: Iterable[NDArray[np.uint8]], longest: int) -> NDArray[np.uint64]:
    """At which places each byte stands; everywhere where texts are longer than can be told."""
    if len(begin) + longest > _LONGEST_TOLD:
        return np.full(256, _ANYWHERE)
    found = np.zeros(256, np.uint64)
    for place, column in enumerate((*begin[:, None], *columns)):
        found[np.bincount(column, minlength=256) > 0] |= np.uint64(1 << place)
    return found
