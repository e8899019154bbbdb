"""The answers that are ready: bytes by path and query, bounded, dropped as one when the version changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from supportapi.api.answer import Answer

Key = tuple[str, str, bytes]
"""The scope of whoever asks (`Principal.scope`), and path and raw query string, just as they came."""

_SPELLINGS: Final = 16
"""How many spellings of one question are remembered; a further one costs a decoding, not a computation."""
_SPELLING_BYTES: Final = 300


class HotAnswers:
    """Answers by every spelling of their question that was seen.

    Prepared ones stay. The others are bounded by `budget_bytes`, and the first to go is the oldest that nobody asked
    for again (a clock: one that was used gets a second round), so a crawl of one-time questions pushes out itself.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._answers: dict[Key, Answer] = {}
        self._spellings: dict[Key, list[Key]] = {}
        self._evictable: dict[Key, int] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._spellings)

    def find(self, key: Key) -> Answer | None:
        """The answer to a question spelled like this, as somebody of this scope may see it."""
        return self._answers.get(key)

    def keep(self, key: Key, answer: Answer, *, prepared: bool = False) -> None:
        """Remember `answer` under the canonical spelling of its question."""
        if key in self._spellings:
            return
        size = answer.size + _SPELLING_BYTES
        if not prepared:
            if size > self._budget:
                return
            self._evictable[key] = size
        self._answers[key] = answer
        self._spellings[key] = [key]
        self.bytes += size
        self._shrink()

    def alias(self, key: Key, spelling: Key) -> None:
        """Remember that `spelling` means the same as the canonical `key`, when that is still kept."""
        spellings = self._spellings.get(key)
        if spellings is None or spelling in self._answers or len(spellings) >= _SPELLINGS:
            return
        spellings.append(spelling)
        self._answers[spelling] = self._answers[key]
        self.bytes += _SPELLING_BYTES
        if key in self._evictable:
            self._evictable[key] += _SPELLING_BYTES
            self._shrink()

    def learn(self, earlier: HotAnswers) -> None:
        """Know every spelling that `earlier` knew of a question that is ready here as well.

        What a spelling means does not depend on the data: after a publish the same front ends ask by the same ones.
        """
        for key, spellings in earlier._spellings.items():
            for spelling in spellings[1:]:
                self.alias(key, spelling)

    def _shrink(self) -> None:
        while self.bytes > self._budget and self._evictable:
            key = next(iter(self._evictable))
            size = self._evictable.pop(key)
            answer = self._answers[key]
            if answer.used:
                answer.used = False
                self._evictable[key] = size
                continue
            self.bytes -= size
            for spelling in self._spellings.pop(key):
                del self._answers[spelling]
