from __future__ import annotations

import asyncio
import threading

import pytest

from supportapi.api.desk import Desk
from supportapi.errors import NotFound, Overloaded

pytestmark = pytest.mark.anyio


async def test_one_question_is_computed_once_for_all_who_wait() -> None:
    desk, opened, computed = Desk("test", 2, 10), threading.Event(), list[int]()

    def work() -> int:
        opened.wait(5)
        computed.append(1)
        return 42

    waiting = [asyncio.create_task(desk.run_once("key", work)) for _ in range(500)]
    await asyncio.sleep(0.01)
    opened.set()

    assert await asyncio.gather(*waiting) == [42] * 500
    assert len(computed) == 1
    desk.close()


async def test_too_much_work_is_refused_at_once() -> None:
    desk, opened = Desk("test", 1, 2), threading.Event()
    busy = [asyncio.create_task(desk.run(lambda: opened.wait(5))) for _ in range(2)]
    await asyncio.sleep(0.01)

    with pytest.raises(Overloaded):
        await desk.run(lambda: None)

    opened.set()
    await asyncio.gather(*busy)
    assert desk.load == 0
    desk.close()


async def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    desk = Desk("test", 1, 5)

    def fail() -> int:
        raise NotFound("no")

    found = await asyncio.gather(*(desk.run_once("k", fail) for _ in range(3)), return_exceptions=True)

    assert [type(one) for one in found] == [NotFound] * 3
    assert await desk.run_once("k", lambda: 1) == 1
    desk.close()


async def test_one_who_goes_away_does_not_take_the_answer_from_the_others() -> None:
    desk, opened = Desk("test", 1, 5), threading.Event()
    first = asyncio.create_task(desk.run_once("k", lambda: opened.wait(5)))
    second = asyncio.create_task(desk.run_once("k", lambda: False))
    await asyncio.sleep(0.01)

    first.cancel()
    opened.set()

    assert await second is True
    desk.close()
