"""Which calls a question is about."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

UNKNOWN: Final = "null"
"""How a client spells the member whose value is not known."""

_ESCAPE: Final = "\\"

DIMENSIONS: Final = ("region", "issue_type", "channel", "agent_id")

ServiceLevelVariant = Literal["standard", "answered_only", "abandon_after_threshold", "all_offered"]
"""Which calls a service level divides by."""


def key_of(value: str | None) -> str:
    r"""The key of a member: its text, `null` for the unknown one, and `\null` for one that is really called null.

    A backslash more stands before every text of backslashes and `null`, so that no two members share a key.
    """
    if value is None:
        return UNKNOWN
    return _ESCAPE + value if value.lstrip(_ESCAPE) == UNKNOWN else value


def value_of(key: str) -> str | None:
    """The member that `key` stands for: what `key_of` was given."""
    if key == UNKNOWN:
        return None
    return key.removeprefix(_ESCAPE) if key.lstrip(_ESCAPE) == UNKNOWN else key


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """For each dimension the keys of the members to keep (see `key_of`); empty means all of them.

    Keys are sorted and free of repeats, so that equal questions are equal values.
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
