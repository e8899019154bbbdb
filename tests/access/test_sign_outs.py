from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from supportapi.access.sign_outs import BEGINNING, SignedOut, SignOuts
from supportapi.errors import ShelfUnavailable
from supportapi.snapshots.client import connect_async
from supportapi.snapshots.keys import SIGN_OUTS

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

pytestmark = pytest.mark.anyio


async def test_what_is_put_on_the_list_is_read_once_and_whole(later: AsyncRedis) -> None:
    sign_outs = SignOuts(later, 3_600, time.time)
    await sign_outs.add({"a": 1.5, "b": 2.0})

    entry, ended = await sign_outs.after(BEGINNING)

    assert ended == {"a": 1.5, "b": 2.0}
    assert await sign_outs.after(entry) == (entry, {})


async def test_the_list_goes_when_the_last_of_its_tokens_would_have(later: AsyncRedis, redis: Redis) -> None:
    await SignOuts(later, 3_600, time.time).add({"a": time.time() + 3_600})

    assert 3_600 < redis.ttl(SIGN_OUTS) <= 7_200  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue] - a number


async def test_what_expired_long_ago_leaves_the_list(later: AsyncRedis, redis: Redis) -> None:
    await SignOuts(later, 3_600, time.time).add({f"{number}": 0.0 for number in range(1_000)})

    await SignOuts(later, 3_600, lambda: time.time() + 7_201).add({"last": 0.0})

    assert redis.xlen(SIGN_OUTS) < 200  # the server trims by whole nodes of a hundred entries


async def test_without_redis_nothing_is_promised(tmp_path: Path) -> None:
    async with connect_async(f"unix://{tmp_path}/none.sock") as nobody:
        with pytest.raises(ShelfUnavailable):
            await SignOuts(nobody, 3_600, time.time).add({"a": 1.0})


async def test_a_copy_keeps_tokens_until_they_expire_by_themselves() -> None:
    now = [100.0]
    signed_out = SignedOut(lambda: now[0])
    signed_out.add({"soon": 110.0, "later": 200.0})
    both = [token in signed_out for token in ("soon", "later", "another")]

    now[0] = 150.0
    signed_out.add({})

    assert both == [True, True, False]
    assert signed_out.living() == {"later": 200.0}
