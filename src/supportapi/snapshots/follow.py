"""The shelf for an API process: what its follower asks, without ever holding up a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from supportapi.errors import SnapshotIncomplete
from supportapi.snapshots import keys
from supportapi.snapshots.client import reaching_redis
from supportapi.snapshots.freshness import TURN, Turn
from supportapi.snapshots.pointer import (
    CARD,
    Kept,
    Pointer,
    Published,
    VersionCard,
    keys_of,
    read_event,
    read_index,
    read_pointer,
    whole,
)
from supportapi.snapshots.sightings import ManifestSighting, WorkerBeat

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PIECE_BYTES: Final = 1 << 20


class Memory(msgspec.Struct, frozen=True):
    """Bytes of Redis: what it uses, and its limit if it has one."""

    used: int
    limit: int | None


class AsyncShelf:
    """The reading side. Every method raises `ShelfUnavailable` when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    async def current(self) -> Pointer | None:
        with reaching_redis():
            return read_pointer(await self._redis.hgetall(keys.CURRENT))

    async def parts(self, version: str) -> dict[str, str]:
        """Part -> key. Raises `SnapshotIncomplete` when the version is not on the shelf."""
        with reaching_redis():
            return read_index(version, await self._redis.hgetall(keys.index_key(version)))

    async def read(self, version: str, *parts: str) -> dict[str, bytes]:
        """The bytes of these parts, all of one build.

        Raises `SnapshotIncomplete` when one is gone: read the pointer again, a flip has overtaken the reader.
        """
        wanted = keys_of(version, await self.parts(version), parts)
        return whole(version, {part: await self._value(key) for part, key in wanted.items()})

    async def _value(self, key: str) -> bytes | None:
        # Piece by piece: the time-out is for an answer, and all of a large part may take longer than that. What stands
        # under the key of a part is never replaced, only gone.
        with reaching_redis():
            value = cast("bytes", await self._redis.getrange(key, 0, _PIECE_BYTES - 1))
            if len(value) < _PIECE_BYTES:
                return value or None
            size = cast("int", await self._redis.strlen(key))
            pieces = [value]
            for begin in range(_PIECE_BYTES, size, _PIECE_BYTES):
                pieces.append(await self._redis.getrange(key, begin, begin + _PIECE_BYTES - 1))  # noqa: PERF401 - awaited
        whole_value = b"".join(pieces)
        return whole_value if len(whole_value) == size else None

    async def card(self, version: str) -> VersionCard:
        return msgspec.json.decode((await self.read(version, CARD))[CARD], type=VersionCard)

    async def history(self) -> list[Kept]:
        """The versions that are kept, last published first."""
        with reaching_redis():
            entries = cast(
                "list[tuple[bytes, float]]", await self._redis.zrange(keys.HISTORY, 0, -1, desc=True, withscores=True)
            )
        kept: list[Kept] = []
        for name, sequence in entries:
            try:
                kept.append(Kept(sequence=int(sequence), card=await self.card(name.decode())))
            except SnapshotIncomplete:  # it falls out this very moment
                continue
        return kept

    async def events_after(self, event: str) -> list[Published]:
        """The publishes after `event` that are still in the stream, the oldest first.

        Read them *before* the pointer, which is then at the last of them at least, and no publish is missed.
        """
        with reaching_redis():
            entries = await self._redis.xrange(keys.EVENTS, min=f"({event}")
        return [read_event(*entry) for entry in entries]

    async def wait_for_event(self, after: str, block_ms: int = 1000) -> None:
        """Return when something was published after event `after`, or when `block_ms` have passed.

        `block_ms` must be below the client's socket timeout. After the server lost its data there is no event that says
        so: ask `current()` each time.
        """
        with reaching_redis():
            await self._redis.xread({keys.EVENTS: after}, count=1, block=block_ms)

    async def manifest(self) -> ManifestSighting | None:
        """What the watcher saw last."""
        with reaching_redis():
            document = await self._redis.get(keys.MANIFEST)
        return None if document is None else msgspec.json.decode(document, type=ManifestSighting)

    async def turns(self) -> list[Turn]:
        """When what is served became stale or fresh, the oldest first."""
        with reaching_redis():
            entries = await self._redis.xrange(keys.FRESHNESS)
        return [msgspec.json.decode(fields[TURN], type=Turn) for _, fields in entries]

    async def memory(self) -> Memory:
        """What Redis holds, and may hold."""
        with reaching_redis():
            said = await self._redis.info("memory")
        return Memory(used=int(said["used_memory"]), limit=int(said.get("maxmemory", 0)) or None)

    async def workers(self) -> list[WorkerBeat]:
        """The workers that live."""
        with reaching_redis():
            names = [name async for name in self._redis.scan_iter(match=keys.WORKERS_PATTERN, count=1000)]
            documents = cast("list[bytes | None]", await self._redis.mget(names) if names else [])
        return [msgspec.json.decode(document, type=WorkerBeat) for document in documents if document is not None]
