"""How far a command is, on a terminal: one line that moves. Silence anywhere else."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Tell = Callable[[str, int, int], None]

_EVERY_SECONDS: Final = 0.1
_SETTLED_SECONDS: Final = 1.0
"""Before that a rate says nothing."""
_BAR: Final = 24


@contextmanager
def progress_line(terminal: TextIO, clock: Callable[[], float] = time.monotonic) -> Generator[Tell]:
    """Tell it `(stage, done, total)`; a total of 0 is one that nobody knows, and any other may be an estimate."""
    if not terminal.isatty():
        yield _silence
        return
    line = _Line(terminal, clock)
    try:
        yield line.tell
    finally:
        line.end()


class _Line:
    def __init__(self, terminal: TextIO, clock: Callable[[], float]) -> None:
        self._terminal = terminal
        self._clock = clock
        self._stage = ""
        self._began = self._shown_at = clock()

    def tell(self, stage: str, done: int, total: int) -> None:
        now = self._clock()
        if stage != self._stage:
            self.end()
            self._stage, self._began = stage, now
        elif now - self._shown_at < _EVERY_SECONDS and done != total:
            return
        self._shown_at = now
        self._terminal.write(f"\r\033[K{described(stage, done, total, now - self._began)}")
        self._terminal.flush()

    def end(self) -> None:
        """What was said of a stage stays; the next one begins a line."""
        if self._stage:
            self._terminal.write("\n")
            self._terminal.flush()


def described(stage: str, done: int, total: int, seconds: float) -> str:
    """One line: a bar where the total is known, rows, their rate, and the time that is left at that rate."""
    parts = [f"{done:,} rows"]
    rate = done / seconds if seconds >= _SETTLED_SECONDS else 0.0
    if rate:
        parts.append(f"{rate:,.0f}/s")
    if rate and done < total:
        parts.append(f"{_clock((total - done) / rate)} left")
    share = min(done / total, 1.0) if total else 0.0
    full = int(share * _BAR)
    bar = f" [{'#' * full}{'-' * (_BAR - full)}] {share:4.0%}" if total else ""
    return f"{stage:<6}{bar} {', '.join(parts)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds) + 1, 60)
    return f"{minutes}:{rest:02}"


def _silence(_stage: str, _done: int, _total: int) -> None:
    return
