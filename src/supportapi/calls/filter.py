"""Which calls a question is about."""

from __future__ import annotations

from typing import Final

import msgspec

UNKNOWN: Final = "null"
"""How a client spells the member whose value is not known."""

DIMENSIONS: Final = ("region", "issue_type", "channel", "agent_id")


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """For each dimension the members to keep, in the client's spelling; empty means all of them.

    Members are sorted and free of repeats, so that equal questions are equal values. `UNKNOWN` keeps the calls whose
    value is not known.
    """

    region: tuple[str, ...] = ()
    issue_type: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    agent_id: tuple[str, ...] = ()

    def members(self, dimension: str) -> tuple[str, ...]:
        """The members that `dimension` is limited to; empty when it is not."""
        members: tuple[str, ...] = getattr(self, dimension)
        return members

    @property
    def limited(self) -> tuple[str, ...]:
        """The dimensions that are limited at all."""
        return tuple(name for name in DIMENSIONS if self.members(name))
