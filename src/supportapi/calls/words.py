"""Words that sources use, and what they mean when nobody says otherwise; compared as `record.plain_word` says."""

from __future__ import annotations

from typing import Final

TRUE_WORDS: Final = ("true", "t", "yes", "y", "1")
FALSE_WORDS: Final = ("false", "f", "no", "n", "0")
RESOLVED_WORDS: Final = ("resolved", "solved", "closed", "complete", "completed", "done", "fixed")
UNRESOLVED_WORDS: Final = (
    "unresolved", "not resolved", "escalated", "pending", "open", "in progress", "on hold", "reopened", "transferred",
    "follow up", "follow up required", "callback", "failed",
)  # fmt: skip
