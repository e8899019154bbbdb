"""The versions that were published before the current one, for who asks for one of them by its name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from supportapi.api.current import Snapshot
from supportapi.api.versions import card_of

if TYPE_CHECKING:
    from supportapi.api.current import Current
    from supportapi.api.machine import ThisMachine
    from supportapi.api.views import Views
    from supportapi.snapshots.follow import AsyncShelf


class KeptVersions:
    """Loads a version when it is first asked for, once for all who ask meanwhile.

    As many are held as the shelf keeps, until the next publish: that is what pushes one of them out.
    """

    def __init__(self, shelf: AsyncShelf, machine: ThisMachine, views: Views) -> None:
        self._views = views
        self._shelf = shelf
        self._machine = machine
        self._beside: Snapshot | None = None
        self._loaded: dict[str, asyncio.Task[Snapshot]] = {}

    async def snapshot(self, version: str, current: Current) -> Snapshot:
        """What may be seen of `version` by who may see what `current` shows.

        The current version, and one that was asked for before, need no Redis. Raises `VersionGone`, `NotFound`,
        `ShelfUnavailable`, `Overloaded`, and as `ThisMachine.make_from`.
        """
        served = current.snapshot
        if served is not None and served.card.version == version:
            return served
        return await self._views.snapshot(current.scope, await self._whole(version, served and served.whole))

    async def _whole(self, version: str, served: Snapshot | None) -> Snapshot:
        if self._beside is not served:
            self._beside, self._loaded = served, {}
        task = self._loaded.get(version)
        if task is None:
            task = self._loaded[version] = asyncio.get_running_loop().create_task(self._load(version))
        try:
            # Shielded: that one of several who wait goes away must not take the version from the others.
            return await asyncio.shield(task)
        finally:
            if task.done() and (task.cancelled() or task.exception() is not None):
                self._loaded.pop(version, None)

    async def _load(self, version: str) -> Snapshot:
        card = card_of(version, await self._shelf.history(), names=())
        return Snapshot(card, await self._machine.load_or_make(self._shelf, card))
