"""What each scope sees of a version: made when somebody of that scope first asks, once for all who ask meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from supportapi.access.principal import EVERYTHING, regions_of
from supportapi.api.current import Current, Snapshot
from supportapi.rollups.limited import limited_to

if TYPE_CHECKING:
    from supportapi.api.desk import Desk

VIEWS_KEPT: Final = 32
"""So many scopes of one version are kept at once; of ten million calls each takes some 20 MB at the most."""


class Views:
    """Looks at snapshots through scopes. A snapshot keeps its views, and they go with it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def current(self, scope: str, current: Current) -> Current:
        """`current` with nothing of its snapshot but what `scope` may see. Raises `Overloaded`."""
        if current.snapshot is None or scope == current.scope:
            return current
        seen = await self.snapshot(scope, current.snapshot)
        return Current(seen, current.stale_reason, current.hot, named=current.named)

    async def snapshot(self, scope: str, snapshot: Snapshot) -> Snapshot:
        """What `scope` may see of `snapshot`, which is whole. Raises `Overloaded`."""
        if scope == EVERYTHING:
            return snapshot
        view = snapshot.views.get(scope)
        if view is None:
            work = (snapshot.card.version, scope)
            view = await self._desk.run_once(("view", *work), lambda: _view(scope, snapshot))
            snapshot.views[scope] = view
            while len(snapshot.views) > VIEWS_KEPT:
                del snapshot.views[next(iter(snapshot.views))]
        return view


def _view(scope: str, snapshot: Snapshot) -> Snapshot:
    aggregates = limited_to(snapshot.aggregates, regions_of(scope) or ())
    return Snapshot(snapshot.card, aggregates, scope=scope, whole=snapshot)
