"""The FastAPI application of a peer: what computes, and what is kept in front of it, by the environment."""

from __future__ import annotations

import importlib
import os
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from fastapi import FastAPI, Query, Response
from redis.asyncio import Redis

from benchmarks.peers.server.shape import Dashboard

Ask = Callable[[date, date], Dashboard]
From = Annotated[date, Query(alias="from")]
PATH: Final = "/api/metrics"
_KEPT: Final = 1_000
_KEPT_SECONDS: Final = 3_600


def app() -> FastAPI:
    """The peer of `PEER` (a module of this folder) and `PEER_CACHE` (nothing, `lru` or the URL of a Redis)."""
    by = importlib.import_module(f"benchmarks.peers.server.{os.environ['PEER']}")
    ask: Ask = by.Calls(Path(os.environ["PEER_FILE"])).ask
    cache = os.environ["PEER_CACHE"]
    application = FastAPI()
    if not cache:
        _compute(application, ask)
    elif cache == "lru":
        _remember(application, ask)
    else:
        _store(application, ask, Redis.from_url(cache))
    return application


# All are `async`, so that none pays for a thread: on one core nothing would be computed sooner in one.


def _compute(application: FastAPI, ask: Ask) -> None:
    @application.get(PATH)
    async def metrics(start: From, to: date) -> Dashboard:
        return ask(start, to)


def _remember(application: FastAPI, ask: Ask) -> None:
    kept: OrderedDict[tuple[date, date], bytes] = OrderedDict()

    @application.get(PATH, response_model=Dashboard)
    async def metrics(start: From, to: date) -> Response:
        body = kept.get((start, to))
        if body is None:
            body = kept[start, to] = _encoded(ask(start, to))
            if len(kept) > _KEPT:
                kept.popitem(last=False)
        else:
            kept.move_to_end((start, to))
        return Response(body, media_type="application/json")


def _store(application: FastAPI, ask: Ask, redis: Redis) -> None:
    @application.get(PATH, response_model=Dashboard)
    async def metrics(start: From, to: date) -> Response:
        key = f"metrics:{start}:{to}"
        body = await redis.get(key)
        if body is None:
            body = _encoded(ask(start, to))
            await redis.set(key, body, ex=_KEPT_SECONDS)
        return Response(body, media_type="application/json")


def _encoded(answer: Dashboard) -> bytes:
    return answer.model_dump_json().encode()
