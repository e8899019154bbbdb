"""What stands on the shelf, as its readers get it: the pointer, an event, a version's card."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from supportapi.errors import SnapshotIncomplete

if TYPE_CHECKING:
    from collections.abc import Mapping

# Every part of a version and its encoding. `state:<file hash>` stands for one part a file.
ENCODINGS: Final[Mapping[str, str]] = {
    "card": "json",
    "days": "json",
    "file-days": "json",
    "audit": "json",
    "prepared": "msgpack",
    "state": "state",
}
CARD: Final = "card"
DAYS: Final = "days"
FILE_DAYS: Final = "file-days"
PREPARED: Final = "prepared"
STATE_PREFIX: Final = "state:"


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """That an admin put an older version in force: who, when, and `over` which version, the one that was wanted then.

    It holds until another version is wanted, or one is activated again.
    """

    by: str
    at: datetime
    over: str


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """The version that is served now. `sequence` orders publishes; `parts` is how many parts it has.

    `format` is the publisher's `keys.FORMAT`: a release does not load, nor replace, what a newer one published.
    `rollback` says that an admin went back to it.
    """

    version: str
    dataset_hash: str
    sequence: int
    published_at: datetime
    parts: int
    format: int
    rollback: Rollback | None = None

    def holds_off(self, version: str) -> bool:
        """Whether an admin went back from `version`, so that it must not be published by itself."""
        return self.rollback is not None and self.rollback.over == version


class DaySpan(msgspec.Struct, frozen=True, kw_only=True):
    """Days in the first reporting time zone: from the first one up to the day after the last."""

    from_: date = msgspec.field(name="from")
    to: date

    @classmethod
    def between(cls, first: date, last: date) -> DaySpan:
        """From `first` to `last`, both included."""
        return cls(from_=first, to=last + timedelta(days=1))


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a publish changed since the version before it: the days with other calls, the kinds of answers that differ.

    None is not known: there was no version before, or it is of a release that did not keep what is needed to compare.
    """

    since: str | None = None
    days: tuple[DaySpan, ...] | None = None
    sections: tuple[str, ...] | None = None


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the event stream. `id` is where to go on listening."""

    id: str
    version: str
    dataset_hash: str
    sequence: int
    published_at: datetime
    difference: Difference


class CoveredFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a version's dataset. `hash` finds its pinned copy and its partial state."""

    path: str
    hash: str
    rows: int


class VersionCard(msgspec.Struct, frozen=True, kw_only=True):
    """Provenance of a version: which data, computed when, where, by how long a build, and how it was audited.

    `coverage` is the instants of the first and the last call, `as_of` the data's watermark. `stage_seconds` has the
    seconds of each stage until staging.
    """

    version: str
    dataset_hash: str
    format: int
    built_at: datetime
    build_seconds: float
    rows: int
    columns: tuple[str, ...]
    min_started_at: datetime | None
    max_started_at: datetime | None
    as_of: datetime | None
    files: tuple[CoveredFile, ...]
    zones: tuple[str, ...]
    audit_queries: int
    host: str
    dataset: str | None = None
    source: str | None = None
    stage_seconds: dict[str, float] = {}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the history: where it stands in the order of publishes, and its card."""

    sequence: int
    card: VersionCard


def encoding_of(part: str) -> str:
    """The declared encoding of a part. Raises `KeyError` for a part that nobody declared."""
    return ENCODINGS["state" if part.startswith(STATE_PREFIX) else part]


def instant(microseconds: str) -> datetime:
    """The UTC instant of a count of microseconds, as the scripts write it."""
    return datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC)


def read_pointer(fields: Mapping[Any, Any]) -> Pointer | None:
    """The pointer in the fields of its hash, or None when nothing was published yet."""
    if not fields:
        return None
    text = _texts(fields)
    return Pointer(
        version=text["version"],
        dataset_hash=text["dataset_hash"],
        sequence=int(text["sequence"]),
        published_at=instant(text["published_at"]),
        parts=int(text["parts"]),
        format=int(text["format"]),
        rollback=msgspec.json.decode(text["rollback"], type=Rollback) if "rollback" in text else None,
    )


def read_event(entry_id: bytes, fields: Mapping[Any, Any]) -> Published:
    """One entry of the stream."""
    text = _texts(fields)
    return Published(
        id=entry_id.decode(),
        version=text["version"],
        dataset_hash=text["dataset_hash"],
        sequence=int(text["sequence"]),
        published_at=instant(text["published_at"]),
        difference=msgspec.json.decode(text.get("difference", "{}"), type=Difference),
    )


def read_index(version: str, fields: Mapping[Any, Any]) -> dict[str, str]:
    """Part -> key of a version. Raises `SnapshotIncomplete` when the version is not on the shelf."""
    if not fields:
        raise SnapshotIncomplete(f"Version {version} is not on the shelf.", version=version, part="_idx")
    return {part: entry.split(" ", 1)[1] for part, entry in _texts(fields).items()}


def whole(version: str, values: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """The values, if none is missing. Raises `SnapshotIncomplete` naming the first that is."""
    for part, value in values.items():
        if value is None:
            raise SnapshotIncomplete(
                f"Part '{part}' of version {version} is not on the shelf.", version=version, part=part
            )
    return {part: value for part, value in values.items() if value is not None}


def keys_of(version: str, index: Mapping[str, str], parts: tuple[str, ...]) -> dict[str, str]:
    """Part -> key of the parts asked for. Raises `SnapshotIncomplete` for one that the version does not have."""
    for part in parts:
        if part not in index:
            raise SnapshotIncomplete(f"Version {version} has no part '{part}'.", version=version, part=part)
    return {part: index[part] for part in parts}


def _texts(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in fields.items()}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
