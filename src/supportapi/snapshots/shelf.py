"""Where snapshots stand in Redis, for those who put them there: stage, publish, go back, retire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, cast

import msgspec

from supportapi.errors import PublishRefused, SnapshotIncomplete
from supportapi.snapshots import keys
from supportapi.snapshots.client import reaching_redis
from supportapi.snapshots.freshness import TURN, TURNS_KEPT
from supportapi.snapshots.pointer import (
    CARD,
    Difference,
    Kept,
    Pointer,
    Rollback,
    VersionCard,
    encoding_of,
    keys_of,
    read_index,
    read_pointer,
    whole,
)
from supportapi.snapshots.scripts import FLIP, KEEP_STATE, NEXT_SEQUENCE, TOUCH
from supportapi.snapshots.sightings import ManifestSighting, WorkerBeat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redis import Redis

    from supportapi.snapshots.freshness import Turn

STAGE_SECONDS: Final = 3600
GRACE_SECONDS: Final = 60
EVENTS_KEPT: Final = 256
_NOT_KNOWN: Final = Difference()

Outcome = Literal["published", "unchanged"]


class Shelf:
    """The snapshots of one Redis. `kept` versions stay readable; older ones end `grace_seconds` after they fell out.

    Every method raises `ShelfUnavailable` when Redis does not answer or refuses the write.
    """

    def __init__(self, redis: Redis, kept: int = 3, grace_seconds: int = GRACE_SECONDS) -> None:
        # Typed loosely: redis-py declares each reply as maybe awaitable.
        self._redis: Any = redis
        self._kept = kept
        self._grace_seconds = grace_seconds

    def next_sequence(self) -> int:
        """A number above every other build's: taken at the start of a build, it orders their publishes."""
        with reaching_redis():
            return int(self._redis.eval(NEXT_SEQUENCE, 2, keys.SEQUENCE, keys.CURRENT))

    def current(self) -> Pointer | None:
        with reaching_redis():
            return read_pointer(self._redis.hgetall(keys.CURRENT))

    def stage(
        self, version: str, sequence: int, parts: Mapping[str, bytes], shared: Mapping[str, str] | None = None
    ) -> None:
        """Write the parts of a version beside everything that is read; they end by themselves if nobody publishes.

        `shared` are parts that stand under keys of their own already (`keep_state`), by name. Raises
        `SnapshotIncomplete` when one of them is gone.
        """
        index = {part: f"{encoding_of(part)} {keys.part_key(version, sequence, part)}" for part in parts}
        index |= {part: f"{encoding_of(part)} {key}" for part, key in (shared or {}).items()}
        with reaching_redis():
            for part, value in parts.items():
                self._redis.set(keys.part_key(version, sequence, part), value, ex=STAGE_SECONDS)
            self._require(version, shared or {})
            staged = keys.staged_index_key(version, sequence)
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(staged)
                pipe.hset(staged, mapping=index)
                pipe.expire(staged, STAGE_SECONDS)
                pipe.execute()

    def publish(self, version: str, sequence: int, dataset_hash: str, difference: Difference = _NOT_KNOWN) -> Outcome:
        """Point at a staged version, in one step: readers see all old or all new.

        `difference` is what those who listen are told of it. `unchanged` when it is current already and whole. Raises
        `PublishRefused` when a build that began later is current, and `SnapshotIncomplete` when a part is missing.
        """
        return self._flip(version, sequence, dataset_hash, keys.staged_index_key(version, sequence), difference)

    def activate(
        self,
        version: str,
        sequence: int,
        dataset_hash: str,
        difference: Difference = _NOT_KNOWN,
        rollback: Rollback | None = None,
    ) -> Outcome:
        """Point at a version that is still on the shelf: the way back to an older dataset. Raises as `publish`.

        A `rollback` stands in the pointer until the next publish.
        """
        return self._flip(version, sequence, dataset_hash, keys.index_key(version), difference, rollback)

    def end_rollback(self) -> None:
        """Let the version that an admin went back from be published again. What is served stays."""
        with reaching_redis():
            self._redis.hdel(keys.CURRENT, "rollback")

    def complete(self, version: str) -> bool:
        """Whether the version stands on the shelf with every part."""
        with reaching_redis():
            fields = self._redis.hgetall(keys.index_key(version))
            if not fields:
                return False
            wanted = set(read_index(version, fields).values())
            return self._redis.exists(*wanted) == len(wanted)

    def parts(self, version: str) -> dict[str, str]:
        """Part -> key. Raises `SnapshotIncomplete` when the version is not on the shelf."""
        with reaching_redis():
            return read_index(version, self._redis.hgetall(keys.index_key(version)))

    def read(self, version: str, *parts: str) -> dict[str, bytes]:
        """The bytes of these parts. Raises `SnapshotIncomplete` when the version or one of them is gone."""
        wanted = keys_of(version, self.parts(version), parts)
        with reaching_redis():
            values = cast("list[bytes | None]", self._redis.mget(list(wanted.values())) if wanted else [])
        return whole(version, dict(zip(wanted, values, strict=True)))

    def history(self) -> list[Kept]:
        """The versions that are kept, last published first."""
        with reaching_redis():
            entries = cast(
                "list[tuple[bytes, float]]", self._redis.zrange(keys.HISTORY, 0, -1, desc=True, withscores=True)
            )
        kept: list[Kept] = []
        for name, sequence in entries:
            try:
                card = self.read(name.decode(), CARD)[CARD]
            except SnapshotIncomplete:  # it falls out this very moment
                continue
            kept.append(Kept(sequence=int(sequence), card=msgspec.json.decode(card, type=VersionCard)))
        return kept

    def state(self, key: str) -> bytes | None:
        """A partial state under its own key (`keys.state_key`), or None."""
        with reaching_redis():
            return cast("bytes | None", self._redis.get(key))

    def keep_state(self, key: str, value: bytes) -> None:
        """Keep a partial state for the next builds. It stays as long as a kept version needs it, else an hour."""
        with reaching_redis():
            self._redis.eval(KEEP_STATE, 1, key, STAGE_SECONDS, value)

    def see_manifest(self, sighting: ManifestSighting) -> None:
        with reaching_redis():
            self._redis.set(keys.MANIFEST, msgspec.json.encode(sighting))

    def manifest(self) -> ManifestSighting | None:
        with reaching_redis():
            document = self._redis.get(keys.MANIFEST)
        return None if document is None else msgspec.json.decode(document, type=ManifestSighting)

    def note_turn(self, turn: Turn) -> None:
        """Add to what is remembered of freshness."""
        with reaching_redis():
            fields = {TURN: msgspec.json.encode(turn)}
            self._redis.xadd(keys.FRESHNESS, fields, maxlen=TURNS_KEPT, approximate=False)

    def beat(self, worker: WorkerBeat, seconds: int) -> None:
        """Say that a worker lives, for the next `seconds`."""
        with reaching_redis():
            self._redis.set(keys.worker_key(worker.name), msgspec.json.encode(worker), ex=seconds)

    def end_beat(self, worker: str) -> None:
        with reaching_redis():
            self._redis.delete(keys.worker_key(worker))

    def works_on(self, worker: str, job: str) -> bool:
        """Whether that worker has said lately that it works on that job."""
        with reaching_redis():
            document = self._redis.get(keys.worker_key(worker))
        return document is not None and msgspec.json.decode(document, type=WorkerBeat).job == job

    def workers(self) -> list[WorkerBeat]:
        with reaching_redis():
            names = list(self._redis.scan_iter(match=keys.WORKERS_PATTERN, count=1000))
            documents = cast("list[bytes | None]", self._redis.mget(names) if names else [])
        return [msgspec.json.decode(document, type=WorkerBeat) for document in documents if document is not None]

    def _require(self, version: str, shared: Mapping[str, str]) -> None:
        names: Sequence[str] = list(shared)
        if not names:
            return
        found = self._redis.eval(TOUCH, len(names), *(shared[name] for name in names), STAGE_SECONDS)
        for name, there in zip(names, found, strict=True):
            if not there:
                raise SnapshotIncomplete(f"Part '{name}' of {version} is not on the shelf.", version=version, part=name)

    def _flip(
        self,
        version: str,
        sequence: int,
        dataset_hash: str,
        source: str,
        difference: Difference,
        rollback: Rollback | None = None,
    ) -> Outcome:
        with reaching_redis():
            outcome, detail = self._redis.eval(
                FLIP,
                5,
                keys.CURRENT,
                keys.HISTORY,
                keys.EVENTS,
                source,
                keys.index_key(version),
                version,
                sequence,
                dataset_hash,
                self._kept,
                self._grace_seconds,
                EVENTS_KEPT,
                keys.SNAPSHOT_PREFIX,
                f":{keys.INDEX}",
                keys.FORMAT,
                msgspec.json.encode(difference),
                b"" if rollback is None else msgspec.json.encode(rollback),
            )
        match outcome.decode():
            case "published":
                return "published"
            case "unchanged":
                return "unchanged"
            case "incomplete":
                part = detail.decode()
                raise SnapshotIncomplete(f"Part '{part}' of {version} is not on the shelf.", version=version, part=part)
            case _:
                raise PublishRefused(
                    f"Build {sequence} of {version} is late: {detail.decode()} is published.",
                    version=version,
                    sequence=sequence,
                    published=int(detail),
                )
