"""Where a build is, written into its record as it goes."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

import structlog

from supportapi import tracing

if TYPE_CHECKING:
    from collections.abc import Generator

    from supportapi.refresh.records import JobRecord, Records

_LOG: Final = structlog.get_logger()
# Where each stage ends, as a share of a build of a new dataset: measured shares, rounded.
STAGES: Final = {
    "pin": 0.10,
    "states": 0.45,
    "merge": 0.50,
    "build": 0.75,
    "audit": 0.85,
    "prepare": 0.92,
    "save": 0.97,
    "publish": 1.0,
}
_QUIET_SECONDS: Final = 0.25


class Progress:
    """Writes stage and share of one attempt. Says nothing more once the attempt was given up for lost."""

    def __init__(self, records: Records, record: JobRecord) -> None:
        self._records = records
        self._record = record
        self._written_at = 0.0
        self._begin = 0.0
        self._end = 0.0
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Generator[None]:
        """One stage of `STAGES`: in the record from its beginning, its seconds from its end."""
        self._begin, self._end = self._end, STAGES[name]
        self._write(name, self._begin)
        began = time.monotonic()
        try:
            with tracing.span(f"build.{name}"):
                yield
        finally:
            self.seconds[name] = round(time.monotonic() - began, 4)
            _LOG.debug("build.stage_ended", job=self._record.id, stage=name, seconds=self.seconds[name])

    def done(self, name: str, part: int, parts: int) -> None:
        """Within a stage, `part` of `parts` are done. Written a few times a second at most."""
        if time.monotonic() - self._written_at >= _QUIET_SECONDS:
            self._write(name, self._begin + (self._end - self._begin) * part / max(parts, 1))

    def _write(self, stage: str, share: float) -> None:
        self._written_at = time.monotonic()
        self._records.change(
            self._record.id,
            self._record.attempts,
            stage=stage,
            progress=round(share, 4),
            stage_seconds=dict(self.seconds),
        )
