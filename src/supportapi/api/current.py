"""The version in force, as every request takes it: once, and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from supportapi import errors
from supportapi.access.principal import EVERYTHING, regions_of
from supportapi.answers.meta import StaleReason, Truth
from supportapi.answers.prepared import PreparedAnswer
from supportapi.api.answer import Answer, tag_of
from supportapi.api.hot import HotAnswers

if TYPE_CHECKING:
    from supportapi.rollups.aggregates import Aggregates
    from supportapi.snapshots.pointer import VersionCard

_NAMED: Final = {
    kind.code: kind
    for kind in (
        errors.ManifestMissing, errors.ManifestInvalid, errors.DataMissing, errors.StoreUnavailable, errors.StoreDenied,
    )
}  # fmt: skip


class Snapshot:
    """A version that this process has loaded, with the bytes that were prepared for it.

    Or what is left of the version `whole` for a `scope` that is not everything (see `views.py`): then its `card`, which
    tells of all calls, is still that of the whole. `views` are those that were made of a whole one.
    """

    __slots__ = ("aggregates", "card", "prepared", "scope", "views", "whole")

    def __init__(
        self,
        card: VersionCard,
        aggregates: Aggregates,
        prepared: tuple[PreparedAnswer, ...] = (),
        *,
        scope: str = EVERYTHING,
        whole: Snapshot | None = None,
    ) -> None:
        self.card = card
        self.aggregates = aggregates
        self.prepared = prepared
        self.scope = scope
        self.whole = whole or self
        self.views: dict[str, Snapshot] = {}


class Current:
    """A version and what is known of its freshness. Replaced whole, never changed: a request keeps the one it took.

    `hot` holds the ready answers for just this version and this freshness, for both are said in every answer. (Those
    of versions asked for by name stand there as well: a publish, which drops `hot`, is also what ends a kept version.)
    With `named` the version was asked for by its name, so that its answers never change.
    """

    __slots__ = ("hot", "named", "problem", "snapshot", "stale_reason")

    def __init__(
        self,
        snapshot: Snapshot | None,
        stale_reason: StaleReason | None,
        hot: HotAnswers,
        problem: errors.SupportApiError | None = None,
        *,
        named: bool = False,
    ) -> None:
        self.snapshot = snapshot
        self.named = named
        self.stale_reason: StaleReason | None = stale_reason
        self.hot = hot
        self.problem = problem

    @property
    def scope(self) -> str:
        """What of the data its answers may tell."""
        return EVERYTHING if self.snapshot is None else self.snapshot.scope

    def require(self) -> Snapshot:
        """The snapshot; raises what a client should be told when there is none."""
        if self.snapshot is None:
            raise self.problem or nothing_loaded(None, None)
        return self.snapshot

    def truth(self) -> Truth:
        """The truth block of its answers. Raises as `require`."""
        snapshot = self.require()
        card, regions = snapshot.card, regions_of(snapshot.scope)
        return Truth(
            version=card.version,
            dataset_hash=card.dataset_hash,
            as_of=snapshot.aggregates.max_started_at,
            built_at=card.built_at,
            regions=UNSET if regions is None else regions,
            stale=self.stale_reason is not None,
            stale_reason=self.stale_reason,
        )


def nothing_loaded(code: str | None, message: str | None) -> errors.SupportApiError:
    """Why there is nothing to answer from: `code` and `message` are what the watcher says of the manifest."""
    named = _NAMED.get(code or "")
    if named is not None:
        return named(message or "There is no dataset.")
    if code is not None:
        return errors.WarmingUp(f"No version could be built yet: {message}", reason=code)
    return errors.WarmingUp("No version has been loaded yet: the first one is being built, or Redis is away.")


def ready_answers(snapshot: Snapshot, budget_bytes: int) -> HotAnswers:
    """The prepared answers of a fresh version, ready to be sent. They say that nothing is stale."""
    hot = HotAnswers(budget_bytes)
    version = snapshot.card.version
    for prepared in snapshot.prepared:
        tag = tag_of(EVERYTHING, version, None, prepared.path, prepared.query)
        answer = Answer(
            prepared.body, tag, route=prepared.path, source="prepared", version=version, packed=prepared.gzipped
        )
        hot.keep((EVERYTHING, prepared.path, prepared.query.encode()), answer, prepared=True)
    return hot
