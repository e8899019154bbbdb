"""Where answers that are not ready are computed: beside the event loop, once each, and not without limit."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from supportapi.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")

_RETRY_SECONDS: Final = 1


class Desk:
    """A few threads and a bounded queue.

    Work in a thread leaves the loop free to send what is ready. More than `waiting` pieces of work at once are
    refused (`Overloaded`) before memory grows. `load` is how many there are now, `done` how many were ever finished.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting = waiting
        self._under_way: dict[Hashable, asyncio.Task[object]] = {}
        self.load = 0
        self.done = 0

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, which runs in a thread. Raises what it raises, and `Overloaded`."""
        if self.load >= self._waiting:
            raise Overloaded(
                "More questions are waiting than can be answered in time.", retry_after_seconds=_RETRY_SECONDS
            )
        self.load += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self.load -= 1
            self.done += 1

    async def run_once(self, key: Hashable, work: Callable[[], T]) -> T:
        """As `run`, but who asks for the same `key` while it is under way waits for that one result."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self.run(work))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Shielded: that one of several who wait goes away must not take the answer from the others.
        result: T = await asyncio.shield(task)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - keyed
        return result

    def close(self) -> None:
        """Take no more work; what runs may end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
