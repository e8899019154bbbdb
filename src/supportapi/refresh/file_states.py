"""The partial state of each file of a dataset: found in Redis or beside the file, else computed, and kept in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from supportapi.calls.validate import validate
from supportapi.dataset.kept_states import forget, keep, kept
from supportapi.errors import SupportApiError
from supportapi.refresh.reading import calls_of, reading
from supportapi.rollups.states import STATE_FORMAT, partial_state
from supportapi.snapshots.keys import state_key, state_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from supportapi.refresh.progress import Progress
    from supportapi.refresh.workshop import Workshop

_LOG: Final = structlog.get_logger()


class FileStates:
    """What one build finds and keeps of partial states. `computed` says how many were found nowhere.

    The place beside the dataset may be read-only, and what is in it damaged: that costs time, and never a build.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._shelf = workshop.shelf
        self._zones = workshop.zones
        self._store = workshop.states
        self._beside: set[str] = set()
        self.computed = 0

    def of(self, paths: Mapping[str, Path], progress: Progress) -> list[bytes]:
        """The encoded states of files, given by their SHA-256 and their copies here; all of them are on the shelf then.

        Raises `SchemaInvalid` and `DataCorrupt` for a file whose calls are impossible, or none.
        """
        self._look_beside()
        states: list[bytes] = []
        for number, (file_hash, path) in enumerate(paths.items()):
            progress.done("states", number, len(paths))
            states.append(self._of(file_hash, path))
        return states

    def key(self, file_hash: str) -> str:
        """Where the state of a file stands on the shelf."""
        return state_key(STATE_FORMAT, self._zones, file_hash)

    def forget(self, needed: Iterable[str]) -> None:
        """Remove what is beside the dataset, but for the states of the `needed` files and some others."""
        if self._store is not None:
            try:
                forget(self._store, {self._name(file_hash) for file_hash in needed})
            except SupportApiError as cause:
                self._do_without(cause)

    def _of(self, file_hash: str, path: Path) -> bytes:
        standing = self._shelf.state(self.key(file_hash))
        state = standing or self._found_beside(file_hash) or self._computed(path)
        if standing is None:
            self._shelf.keep_state(self.key(file_hash), state)
        self._keep_beside(file_hash, state)
        return state

    def _computed(self, path: Path) -> bytes:
        self.computed += 1
        with reading(path):
            calls = calls_of([path])
            validate(calls)
            return partial_state(calls, self._zones).encode()

    def _name(self, file_hash: str) -> str:
        return state_name(STATE_FORMAT, self._zones, file_hash)

    def _look_beside(self) -> None:
        if self._store is not None:
            try:
                self._beside = set(self._store.names())
            except SupportApiError as cause:
                self._do_without(cause)

    def _found_beside(self, file_hash: str) -> bytes | None:
        name = self._name(file_hash)
        if self._store is None or name not in self._beside:
            return None
        try:
            return kept(self._store, name)
        except SupportApiError as cause:
            _LOG.warning("state.computed_again", file=file_hash, code=cause.code, reason=cause.message)
            self._beside.discard(name)
            return None

    def _keep_beside(self, file_hash: str, state: bytes) -> None:
        name = self._name(file_hash)
        if self._store is not None and name not in self._beside:
            try:
                keep(self._store, name, state)
            except SupportApiError as cause:
                self._do_without(cause)

    def _do_without(self, cause: SupportApiError) -> None:
        # Once a build: the next state would be refused as well.
        _LOG.warning("states.not_kept_beside", code=cause.code, reason=cause.message)
        self._store = None
