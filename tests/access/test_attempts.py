from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from supportapi.access.attempts import PER_ACCOUNT, PER_ADDRESS, PER_PAIR, Attempts, network_of
from supportapi.errors import RateLimited
from supportapi.snapshots.client import connect_async

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

pytestmark = pytest.mark.anyio


@pytest.fixture
def attempts(later: AsyncRedis) -> Attempts:
    return Attempts(later, time.monotonic)


async def guess(attempts: Attempts, times: int, account: str, address: str) -> None:
    for _ in range(times):
        await attempts.allow(account, address)


async def test_who_guesses_too_often_waits_as_long_as_the_window_lasts(attempts: Attempts) -> None:
    await guess(attempts, PER_PAIR.failures, "ann", "10.0.0.1")

    with pytest.raises(RateLimited) as caught:
        await attempts.allow("ann", "10.0.0.1")

    assert PER_PAIR.seconds - 10 <= caught.value.facts["retry_after_seconds"] <= PER_PAIR.seconds  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue] - a number


async def test_whoever_waited_may_try_again(attempts: Attempts, redis: Redis) -> None:
    await guess(attempts, PER_PAIR.failures, "ann", "10.0.0.1")

    redis.delete(*redis.keys())  # as time does

    await attempts.allow("ann", "10.0.0.1")


async def test_all_processes_count_together(attempts: Attempts, redis_url: str) -> None:
    await guess(attempts, PER_PAIR.failures - 1, "ann", "10.0.0.1")
    async with connect_async(redis_url) as client:
        another = Attempts(client, time.monotonic)
        await another.allow("ann", "10.0.0.1")

        with pytest.raises(RateLimited):
            await another.allow("ann", "10.0.0.1")


async def test_an_account_takes_a_hundred_failures_an_hour_from_all_over_the_world(attempts: Attempts) -> None:
    for number in range(PER_ACCOUNT.failures):
        await attempts.allow("ann", f"10.0.{number}.1")

    with pytest.raises(RateLimited):
        await attempts.allow("ann", "10.0.200.1")

    assert (PER_ACCOUNT.failures, PER_ACCOUNT.seconds) == (100, 3_600)


async def test_nobody_can_lock_an_account_where_its_owner_has_signed_in_before(attempts: Attempts) -> None:
    await attempts.allow("ann", "192.168.0.1")
    await attempts.succeeded("ann", "192.168.0.1")
    for number in range(PER_ACCOUNT.failures):
        await attempts.allow("ann", f"10.0.{number}.1")

    await attempts.allow("ann", "192.168.0.1")


async def test_guessing_where_the_owner_has_signed_in_is_bounded_as_well(attempts: Attempts) -> None:
    await attempts.succeeded("ann", "192.168.0.1")
    await guess(attempts, PER_PAIR.failures, "ann", "192.168.0.1")

    with pytest.raises(RateLimited):
        await attempts.allow("ann", "192.168.0.1")


async def test_an_address_that_tries_many_accounts_waits(attempts: Attempts) -> None:
    for number in range(PER_ADDRESS.failures):
        await attempts.allow(f"user-{number}", "10.0.0.1")

    with pytest.raises(RateLimited):
        await attempts.allow("one-more", "10.0.0.1")
    await attempts.allow("one-more", "10.0.0.2")


async def test_who_knows_the_password_may_sign_in_as_often_as_they_like(attempts: Attempts) -> None:
    for _ in range(PER_ACCOUNT.failures + PER_ADDRESS.failures):
        await attempts.allow("ann", "10.0.0.1")
        await attempts.succeeded("ann", "10.0.0.1")


async def test_what_is_refused_grows_nothing(attempts: Attempts, redis: Redis) -> None:
    for number in range(PER_ADDRESS.failures):
        await attempts.allow(f"user-{number}", "10.0.0.1")
    before = redis.dbsize()

    with pytest.raises(RateLimited):
        await attempts.allow("a name that is new", "10.0.0.1")

    assert redis.dbsize() == before


async def test_every_count_ends_by_itself(attempts: Attempts, redis: Redis) -> None:
    await attempts.allow("ann", "10.0.0.1")
    await attempts.succeeded("ann", "10.0.0.1")
    await attempts.allow("ben", "10.0.0.1")

    left = [redis.ttl(key) for key in redis.keys()]  # noqa: SIM118 - a server, not a dict

    assert len(left) >= 5
    assert -1 not in left


async def test_neither_account_nor_address_can_be_read_from_redis(attempts: Attempts, redis: Redis) -> None:
    await attempts.allow("ann@example.org", "10.0.0.1")

    held = str(redis.keys())

    assert "ann" not in held
    assert "10.0.0.1" not in held


async def test_without_redis_a_process_counts_by_itself(tmp_path: Path) -> None:
    async with connect_async(f"unix://{tmp_path}/none.sock") as nobody:
        attempts = Attempts(nobody, time.monotonic)
        await guess(attempts, PER_PAIR.failures, "ann", "10.0.0.1")
        with pytest.raises(RateLimited):
            await attempts.allow("ann", "10.0.0.1")

        await attempts.succeeded("ann", "10.0.0.1")

        await attempts.allow("ann", "10.0.0.1")


async def test_what_a_process_counts_by_itself_is_bounded(tmp_path: Path) -> None:
    attempts = Attempts(connect_async(f"unix://{tmp_path}/none.sock"), time.monotonic)

    for number in range(12_000):
        attempts._alone.take(("ann", f"10.0.{number // 256}.{number % 256}"))  # pyright: ignore[reportPrivateUsage] - without 12,000 waits

    assert len(attempts._alone._counts) <= 10_000  # pyright: ignore[reportPrivateUsage] - nothing else shows it


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
        ("unix:/run/api.sock", "unix:/run/api.sock"),
    ],
)
async def test_a_subscribers_ipv6_network_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
