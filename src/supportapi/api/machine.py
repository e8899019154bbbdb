"""This machine's copies of versions: arrays that its processes map, made here when the worker runs elsewhere."""

from __future__ import annotations

import asyncio
import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from supportapi.calls.manifest import ManifestFile
from supportapi.dataset.files import writing
from supportapi.errors import DataMismatch, DataMissing, SnapshotIncomplete
from supportapi.rollups.aggregates import Aggregates
from supportapi.snapshots.pointer import STATE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from supportapi.dataset.pinned import Pinned
    from supportapi.snapshots.arrays import Arrays
    from supportapi.snapshots.follow import AsyncShelf
    from supportapi.snapshots.pointer import VersionCard


class ThisMachine:
    """Loads a version's arrays from `home`, or makes them there from its partial states and its rows."""

    def __init__(self, home: Path, arrays: Arrays, pinned: Pinned, rollup_budget_mb: int) -> None:
        self._lock = home / "making.lock"
        self._arrays = arrays
        self._pinned = pinned
        self._rollup_budget_mb = rollup_budget_mb

    def load(self, card: VersionCard) -> Aggregates | None:
        """The aggregates of a version, memory-mapped, or None when this machine has no arrays of it."""
        kept = self._arrays.load(card.version)
        return None if kept is None else Aggregates.from_arrays(*kept)

    def make(self, card: VersionCard, states: Mapping[str, bytes]) -> Aggregates:
        """Make the arrays of a version, once for all processes of the machine, and load them.

        Raises `DataMissing` when the rows can no longer be got, and `DatasetNotWritable`.
        """
        with self._alone():
            made = self.load(card)
            if made is None:
                self._build(card, states)
                made = self.load(card)
        if made is None:
            raise SnapshotIncomplete(f"The arrays of {card.version} are gone again.", version=card.version)
        return made

    async def make_from(self, shelf: AsyncShelf, card: VersionCard) -> Aggregates:
        """As `make`, with the partial states of the shelf; beside the event loop."""
        names = {f"{STATE_PREFIX}{file.hash}": file.hash for file in card.files}
        states = await shelf.read(card.version, *names)
        return await asyncio.to_thread(self.make, card, {names[part]: state for part, state in states.items()})

    async def load_or_make(self, shelf: AsyncShelf, card: VersionCard) -> Aggregates:
        """The aggregates of a version, made here when this machine has none; beside the event loop."""
        found = await asyncio.to_thread(self.load, card)
        return await self.make_from(shelf, card) if found is None else found

    def retire(self, kept: Sequence[VersionCard]) -> None:
        """Remove what none of the `kept` versions needs, the one in force first. A worker's builds do this as well."""
        self._arrays.prune({card.version for card in kept})
        live = {file.hash for card in kept[:1] for file in card.files}
        self._pinned.prune({file.hash for card in kept for file in card.files}, live)

    def rows(self, card: VersionCard) -> list[Path]:
        """The version's own files on this machine, copied here first if need be.

        Raises `DataMissing` when one is neither here nor, any longer, in the dataset.
        """
        try:
            return [self._pinned.path(ManifestFile(path=file.path, hash=file.hash)) for file in card.files]
        except DataMismatch as replaced:
            raise _replaced(card) from replaced

    def calls(self, card: VersionCard) -> pl.LazyFrame:
        """The rows of a version, in the columns of a call. Raises as `rows`."""
        from supportapi.refresh.build import calls_of  # noqa: PLC0415 - only who asks for rows needs Polars

        return calls_of(self.rows(card))

    @contextmanager
    def _alone(self) -> Generator[None]:
        with writing(self._lock.parent):
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            lock = self._lock.open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _build(self, card: VersionCard, states: Mapping[str, bytes]) -> None:
        # Polars comes in only here: where the worker runs as well, the arrays are there already.
        from supportapi.refresh.build import make_aggregates  # noqa: PLC0415 - see above

        ordered = [states[file.hash] for file in card.files]
        aggregates = make_aggregates(ordered, self.rows(card), card.zones, self._rollup_budget_mb)
        self._arrays.save(card.version, *aggregates.to_arrays())


def _replaced(card: VersionCard) -> DataMissing:
    message = f"The rows of version {card.version} are not on this machine, and the dataset has been replaced."
    return DataMissing(message, version=card.version)
