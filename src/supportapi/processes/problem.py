"""What the looks at settings, data and Redis find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something that is wrong. One that `blocks` must be mended before a process starts; the others may heal."""

    about: str
    what: str
    remedy: str
    blocks: bool = False
