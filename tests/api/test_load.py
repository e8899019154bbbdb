"""Many at once: what is computed once, what is refused, and what is served all the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.api.world import serving, settle

if TYPE_CHECKING:
    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio

READY = "/api/metrics?range=30d"


def question(number: int) -> str:
    return f"/api/metrics?range=all&target={number / 100}"


async def test_a_question_of_five_hundred_clients_is_computed_once(api: Api) -> None:
    done = api.doors.desk.done

    answers = await asyncio.gather(*(api.get(question(1)) for _ in range(500)))

    assert Counter(answer.status_code for answer in answers) == {200: 500}
    assert len({answer.content for answer in answers}) == 1
    assert api.doors.desk.done == done + 1


async def test_one_question_in_many_spellings_is_computed_once(api: Api) -> None:
    done = api.doors.desk.done
    spellings = ("region=north&region=south&range=all", "range=all&region=south,north")

    answers = await asyncio.gather(*(api.get(f"/api/metrics?{spelling}") for spelling in spellings * 20))

    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert api.doors.desk.done == done + 1


async def test_more_questions_than_can_wait_are_refused_and_ready_answers_are_not(world: World) -> None:
    async with serving(world, compute_threads=1, questions_waiting_max=4) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)

        flood = asyncio.gather(*(api.get(question(number)) for number in range(100)))
        ready = [await api.get(READY) for _ in range(10)]
        answers = await flood

        statuses = Counter(answer.status_code for answer in answers)
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert set(statuses) == {200, 503}
        assert statuses[200] >= 4
        assert (refused.json()["error"]["code"], refused.headers["retry-after"]) == ("OVERLOADED", "1")
        assert {answer.status_code for answer in ready} == {200}
        assert (await api.get(question(100))).status_code == 200
        assert api.doors.desk.load == 0
