"""A user who is limited to regions tries to see through it: by every route, whatever was cached for others before."""

from __future__ import annotations

import json
import random
import re
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import polars as pl
import pytest

from supportapi.access.users import UserFile
from supportapi.api.app import ROUTES
from supportapi.api.operation import OPERATION, Operation
from supportapi.calls.record import SCHEMA
from supportapi.processes.redis_server import embedded_redis
from tests.api.test_events import Listener
from tests.api.world import FIRST_DAY, Api, World, serving, settle, some_calls

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse"
HIDDEN = re.compile(r"\bsouth\b|\bben\b|\bBen\b|customer-[bc]|c-\d{3}-[bc]")
"""What only the calls of `some_calls` have that somebody who may see `north` may not."""

ASKED: dict[str, tuple[str, ...]] = {
    "compareVersions": ("/api/versions/previous...current",),
    "exportAgents": ("/api/agents/export?range=all",),
    "exportCalls": ("/api/calls/export?range=all", "/api/calls/export?range=all&region=south"),
    "exportMetrics": ("/api/metrics/export?range=all&by=region,agent,issue_type",),
    "getAgent": ("/api/agents/anna?range=all", "/api/agents/ben?range=all"),
    "getAgentOfVersion": ("/api/v/{version}/agents/anna?range=all", "/api/v/{version}/agents/ben?range=all"),
    "getAgentsPage": ("/agents",),
    "getAdminPage": ("/admin",),
    "getAudit": ("/api/versions/current/audit",),
    "getCall": ("/api/calls/c-001-a", "/api/calls/c-001-b", "/api/calls/c-001-c"),
    "getCallsPage": ("/calls",),
    "getDashboard": ("/",),
    "getDashboardAsset": ("/assets/nothing.js",),
    "getDocs": ("/docs",),
    "getDocsAsset": ("/docs/assets/nothing.js",),
    "getFilterOptions": (
        "/api/filters/options",
        "/api/filters/options?region=south",
        "/api/filters/options?region=null",
    ),
    "getFilterOptionsOfVersion": ("/api/v/{version}/filters/options",),
    "getFreshness": ("/api/settings/freshness",),
    "getHealth": ("/api/healthz",),
    "getJob": ("/api/settings/jobs/one",),
    "getManifest": ("/api/settings/manifest",),
    "getMe": ("/api/auth/me",),
    "getMetrics": (
        "/api/metrics?range=all&include=kpis,series,breakdowns,heatmap,distribution,pivot,insights&by=agent,region",
        "/api/metrics?range=all&region=south",
        "/api/metrics?range=30d",
    ),
    "getMetricsCatalogue": ("/api/metrics/catalogue",),
    "getMetricsCatalogueOfVersion": ("/api/v/{version}/metrics/catalogue",),
    "getMetricsOfVersion": ("/api/v/{version}/metrics?range=all&by=region,agent,issue_type",),
    "getOpenapi": ("/openapi.json",),
    "getPrometheusMetrics": ("/metrics",),
    "getQueue": ("/api/settings/queue",),
    "getReadiness": ("/api/readyz",),
    "getRejects": ("/api/settings/rejects",),
    "getSignInPage": ("/sign-in",),
    "listAgents": ("/api/agents?range=all", "/api/agents?range=30d", "/api/agents?range=all&agent_id=ben"),
    "listAgentsOfVersion": ("/api/v/{version}/agents?range=all",),
    "listCalls": (
        "/api/calls?range=all&per_page=200",
        "/api/calls?range=all&region=south",
        "/api/calls?q=ben&range=all",
    ),
    "listJobs": ("/api/settings/jobs",),
    "listSampleUsers": ("/api/auth/samples",),
    "listUsers": ("/api/auth/users",),
    "listVersions": ("/api/versions",),
    "streamEvents": (),  # by a client that listens, below
}
"""What is asked of each GET route. One that is not here fails: think first of what it tells a limited user."""


def operation_of(route: Any) -> Operation:
    return route.opt[OPERATION]


READS = [operation_of(route) for route in ROUTES if "GET" in route.http_methods]


def with_users(world: World) -> World:
    """`world` with a viewer who may see everything, one who may see `north`, and an admin."""
    users = UserFile(world.home)
    users.add("viewer", "viewer", PASSWORD)
    users.add("admin", "admin", PASSWORD)
    users.add("nora", "viewer", PASSWORD, ("north",))
    return world


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A published dataset that no test changes, on a Redis of its own: others are emptied."""
    with embedded_redis(tmp_path_factory.mktemp("redis")) as server:
        world = World(tmp_path_factory.mktemp("world"), server.url)
        world.write(some_calls())
        world.publish()
        yield with_users(world)


@asynccontextmanager
async def loaded(world: World) -> AsyncGenerator[Api]:
    """The API of `world`, ready."""
    world.see()
    async with serving(world) as started:
        await settle(lambda: started.doors.follower.current.snapshot is not None)
        yield started


@pytest.fixture
async def limited(published: World) -> AsyncGenerator[Api]:
    """The API of a dataset that stays, with somebody who may see `north` alone."""
    async with loaded(published) as started:
        yield started


@pytest.fixture
async def moving(world: World) -> AsyncGenerator[Api]:
    """As `limited`, of a dataset that a test may replace."""
    async with loaded(with_users(world)) as started:
        yield started


def version_of(api: Api) -> str:
    return api.doors.follower.current.snapshot.card.version


@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.id)
def test_it_was_thought_of_what_a_route_tells_a_limited_user(operation: Operation) -> None:
    assert operation.id in ASKED, "say in ASKED how it is asked, so that it is seen to tell nothing of other regions"


async def test_no_route_tells_of_other_regions(limited: Api) -> None:
    version = version_of(limited)
    closed = {read.id for read in READS if read.role is not None and read.reach == "everything"}
    addresses = [(name, path.format(version=version)) for name, paths in ASKED.items() for path in paths]

    everybodys = [await limited.get(path, "viewer") for _, path in addresses]
    answers = [await limited.get(path, "nora") for _, path in addresses]

    assert leaked([path for _, path in addresses], answers, HIDDEN) == set()
    statuses = [(name in closed, answer.status_code) for (name, _), answer in zip(addresses, answers, strict=True)]
    assert {status for is_closed, status in statuses if is_closed} == {403}
    assert {status for is_closed, status in statuses if not is_closed} == {200, 404}
    assert {word.group() for answer in everybodys for word in HIDDEN.finditer(said(answer))} >= {"south", "ben", "Ben"}


def said(answer: Any) -> str:
    """Everything that an answer says."""
    return f"{answer.text} {dict(answer.headers)}"


def leaked(asked: list[str], answers: list[Any], secret: re.Pattern[str]) -> set[tuple[str, str]]:
    """What `answers` tell that is secret. A link repeats what was asked, which tells nothing."""
    return {
        (question, word.group())
        for question, answer in zip(asked, answers, strict=True)
        for word in secret.finditer(said(answer))
        if word.group() not in question
    }


async def test_what_was_ready_for_others_is_not_sent_to_who_may_not_see_it(limited: Api) -> None:
    address = "/api/metrics?range=30d"

    told = [(await limited.get(address, who)).json() for who in ("viewer", "nora", "viewer", "nora")]

    calls = [answer["data"]["kpis"][0]["value"] for answer in told]
    assert calls == [60, 20, 60, 20]
    assert [answer["meta"].get("regions") for answer in told] == [None, ["north"], None, ["north"]]


async def test_a_tag_of_one_scope_confirms_nothing_to_another(limited: Api) -> None:
    paths = ("/api/metrics?range=90d", "/api/calls?range=all", "/api/calls/c-001-a", "/api/agents")

    theirs = [await limited.get(path, "viewer") for path in paths]
    own = [
        await limited.get(path, "nora", if_none_match=answer.headers["etag"])
        for path, answer in zip(paths, theirs, strict=True)
    ]
    again = [
        await limited.get(path, "nora", if_none_match=answer.headers["etag"])
        for path, answer in zip(paths, own, strict=True)
    ]

    assert ({answer.status_code for answer in own}, {answer.status_code for answer in again}) == ({200}, {304})


async def test_a_call_outside_is_told_of_in_the_words_of_a_call_that_does_not_exist(limited: Api) -> None:
    outside, missing = [await limited.get(f"/api/calls/{name}", "nora") for name in ("c-001-b", "c-001-x")]

    assert (outside.status_code, missing.status_code) == (404, 404)
    assert outside.json()["error"]["message"].replace("c-001-b", "") == missing.json()["error"]["message"].replace(
        "c-001-x", ""
    )


async def test_a_region_that_may_not_be_seen_is_one_that_has_no_calls(limited: Api) -> None:
    regions = ("south", "nowhere", "null", "north")

    answers = [await limited.get(f"/api/metrics?range=all&region={region}", "nora") for region in regions]

    assert [answer.json()["data"]["kpis"][0]["value"] for answer in answers] == [0, 0, 0, 20]


async def test_a_bundle_is_answered_as_its_queries_alone(limited: Api) -> None:
    asked = {"numbers": {"kind": "metrics", "range": "all"}, "rows": {"kind": "calls", "range": "all"}}

    told = await limited.client.post("/api/query", json={"queries": asked}, headers=limited.bearer("nora"))

    data = told.json()["data"]
    assert data["numbers"] == (await limited.get("/api/metrics?range=all", "nora")).json()
    assert data["rows"] == (await limited.get("/api/calls?range=all", "nora")).json()
    assert told.json()["meta"]["regions"] == ["north"]


async def test_the_cursor_of_somebody_who_sees_more_is_refused(limited: Api) -> None:
    theirs = (await limited.get("/api/calls?range=all&per_page=5", "viewer")).json()["links"]["cursor"]
    own = (await limited.get("/api/calls?range=all&per_page=5", "nora")).json()["links"]["cursor"]

    refused, followed = await limited.get(theirs, "nora"), await limited.get(own, "nora")

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
    assert {row["region"] for row in followed.json()["data"]} == {"north"}


async def test_a_cursor_into_an_older_version_shows_no_more_of_it(moving: Api, world: World) -> None:
    own = (await moving.get("/api/calls?range=all&per_page=5", "nora")).json()["links"]["cursor"]
    older = version_of(moving)
    world.write(some_calls(22))
    world.publish()
    await settle(lambda: version_of(moving) != older)

    pages = await moving.get(own, "nora"), await moving.get(f"/api/v/{older}/agents?range=all", "nora")

    assert pages[0].json()["meta"]["version"] == pages[1].json()["meta"]["version"] == older
    assert {row["region"] for row in (*pages[0].json()["data"], *pages[1].json()["data"]["rows"])} == {"north"}


async def test_a_rule_that_was_changed_holds_for_tokens_that_are_out(limited: Api, published: World) -> None:
    address, users = "/api/metrics?range=all", UserFile(published.home)
    users.add("mia", "viewer", PASSWORD, ("north",))
    before = await limited.get(address, "mia")

    users.add("mia", "viewer", PASSWORD, ("null", "south"))
    limited.edge._gate._memory.clear()  # pyright: ignore[reportPrivateUsage] - as half a minute does
    after = await limited.get(address, "mia")

    told = [answer.json()["meta"]["regions"] for answer in (before, after)]
    assert told == [["north"], ["null", "south"]]
    assert [answer.json()["data"]["kpis"][0]["value"] for answer in (before, after)] == [20, 40]


async def test_who_may_see_nothing_is_answered_that_there_is_nothing(limited: Api, published: World) -> None:
    UserFile(published.home).add("nobody", "viewer", PASSWORD, ())

    paths = ("/api/metrics?range=all", "/api/calls?range=all", "/api/filters/options")
    metrics, calls, options = [(await limited.get(path, "nobody")).json() for path in paths]

    assert (metrics["data"]["kpis"][0]["value"], metrics["meta"]["as_of"], metrics["meta"]["regions"]) == (0, None, [])
    assert (calls["data"], calls["meta"]["total"]) == ([], 0)
    assert options["data"]["regions"] == []


async def test_a_publish_tells_a_limited_listener_that_there_is_one_and_nothing_of_what_it_changed(
    moving: Api, world: World
) -> None:
    listeners = {who: Listener(moving, who) for who in ("viewer", "nora")}
    await settle(lambda: all(each.text for each in listeners.values()))
    world.write(some_calls(22))

    version = world.publish()
    await settle(lambda: all(each.events() for each in listeners.values()))

    (told,), (all_told,) = (listeners[who].events() for who in ("nora", "viewer"))
    assert (told[1], told[2]["version"]) == (all_told[1], version)
    assert (told[2]["days"], told[2]["sections"]) == (None, None)
    assert all_told[2]["days"]
    for each in listeners.values():
        each.leave()


async def test_who_is_limited_meanwhile_does_not_go_on_listening_to_more(moving: Api, world: World) -> None:
    listener = Listener(moving, "viewer")
    await settle(lambda: listener.text)

    UserFile(world.home).add("viewer", "viewer", PASSWORD, ("north",))
    moving.edge._gate._memory.clear()  # pyright: ignore[reportPrivateUsage] - as half a minute does
    world.write(some_calls(22))
    world.publish()
    await settle(lambda: listener.ended)

    assert [(kind, data) for kind, _, data in listener.events()] == [("stream.closing", {"reason": "rights"})]


async def test_the_live_dataset_has_no_size_for_who_may_not_see_all_of_it(limited: Api) -> None:
    told = (await limited.get("/api/settings/manifest", "nora")).json()["data"]

    assert [told[name] for name in ("rows", "size_bytes", "min_started_at", "max_started_at")] == [None] * 4
    assert told["served_version"] == version_of(limited)


async def test_a_user_is_told_what_they_may_see(limited: Api) -> None:
    own, others = [(await limited.get("/api/auth/me", who)).json()["data"]["regions"] for who in ("nora", "viewer")]

    assert (own, others) == (["north"], None)


# -- random datasets, random questions: the same system without the other regions' calls says the same ----------------

ALLOWED = ("north", "null")
REGIONS = ("north", "north", "south", "west", None)


def random_calls(chosen: random.Random) -> pl.DataFrame:
    """Calls of agents and customers who keep to a region or do not; ids say which region a call is of."""
    rows: list[dict[str, Any]] = []
    for number in range(chosen.randrange(20, 90)):
        region = chosen.choice(REGIONS)
        began = FIRST_DAY + timedelta(minutes=chosen.randrange(40 * 1440), microseconds=chosen.randrange(10**6))
        agent = chosen.choice((None, "roving", f"only-{region}"))
        duration = chosen.choice((None, 30.0, 611.5))
        rows.append(
            {
                "call_id": f"id-{region}-{number:03}",
                "customer_id": chosen.choice((None, "kim", "lee", f"of-{region}")),
                "agent_id": agent,
                "agent_name": chosen.choice((None, f"Name in {region}", "Roving Rob")) if agent else None,
                "region": region,
                "channel": chosen.choice(("chat", "phone")),
                "issue_type": chosen.choice((None, "billing", f"issue-of-{region}")),
                "started_at": began,
                "ended_at": None if duration is None else began + timedelta(seconds=duration),
                "wait_seconds": chosen.choice((None, 3.0, 17.0, 90.25)),
                "duration_seconds": duration,
                "answered": chosen.choice((None, True, True, False)),
                "resolved": chosen.choice((None, True, True, False)),
                "resolution": None,
                "rating": chosen.choice((None, 1, 4, 5)),
            }
        )
    return pl.DataFrame(rows, schema=SCHEMA)


def random_question(chosen: random.Random, calls: pl.DataFrame) -> str:
    """A question to any route that answers by calls."""
    agent, call = (quote(chosen.choice(calls[name].to_list()) or "null") for name in ("agent_id", "call_id"))
    about = chosen.choice(("range=all", "range=7d", "range=mtd", "from=2026-01-10&to=2026-02-01"))
    about += chosen.choice(
        ("", "&region=north", "&region=south,null", "&issue_type=billing", "&timezone=Europe/Berlin")
    )
    filtered = about + chosen.choice(("", "", "&agent_id=roving", "&agent_id=only-south,only-north"))
    by = "by=agent,channel,issue_type,rating,region"
    everything = f"include=kpis,series,breakdowns,heatmap,distribution,pivot,insights&{by}&pivot=agent,region"
    return chosen.choice(
        (
            f"/api/metrics?{filtered}&{everything}",
            f"/api/metrics?{filtered}&{everything}&heatmap_metric=first_contact_resolution&grain=week",
            f"/api/agents?{filtered}&sort={chosen.choice(('-calls', 'agent_name', '-first_contact_resolution'))}",
            f"/api/agents/{agent}?{about}",
            f"/api/filters/options?{filtered}",
            "/api/metrics/catalogue",
            f"/api/calls?{filtered}&sort={chosen.choice(('-started_at', 'agent,-wait', 'rating'))}&per_page=7",
            f"/api/calls?{filtered}&q={chosen.choice(('kim', 'name in', 'id-', 'rob', 'south'))}",
            f"/api/calls/{call}",
            f"/api/calls/export?{filtered}",
            f"/api/agents/export?{filtered}",
            f"/api/metrics/export?{filtered}&{by}",
        )
    )


def told(answer: Any) -> Any:
    """What an answer says, but for the version, what served it, and whose it is."""
    if "application/json" not in answer.headers["content-type"]:
        return answer.status_code, answer.text
    said = re.sub(r"cursor=[\w-]+", "cursor=", answer.text)
    return answer.status_code, _plain(json.loads(said))


def _plain(said: Any) -> Any:
    beside = {"version", "dataset_hash", "built_at", "source", "served_from", "request_id"}
    if isinstance(said, dict):
        fields = cast("dict[str, Any]", said)
        kept = {name: _plain(part) for name, part in fields.items() if name not in beside}
        # Of the truth block it is whose answer this is; of the options it is what there is to filter by.
        return kept if "coverage" not in kept else {name: part for name, part in kept.items() if name != "regions"}
    return list(map(_plain, cast("list[Any]", said))) if isinstance(said, list) else said


@pytest.mark.parametrize("seed", range(2))
async def test_a_limited_user_is_told_what_a_system_without_the_other_calls_would_tell(
    tmp_path: Path, redis_url: str, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 - a sample, not a secret
    calls = random_calls(chosen)
    questions = [random_question(chosen, calls) for _ in range(60)]
    shown = pl.col("region").is_null() | (pl.col("region") == "north")
    whole, alone = World(tmp_path / "whole", redis_url), World(tmp_path / "alone", f"{redis_url}?db=1")
    whole.write(calls.sort("started_at", "call_id").lazy())
    alone.write(calls.filter(shown).sort("started_at", "call_id").lazy())
    whole.publish()
    alone.publish()
    UserFile(whole.home).add("nora", "viewer", PASSWORD, ALLOWED)
    UserFile(whole.home).add("viewer", "viewer", PASSWORD)

    async with serving(whole) as limited, serving(alone) as reference:
        await settle(lambda: limited.doors.follower.current.snapshot and reference.doors.follower.current.snapshot)
        everybodys = [await limited.get(question, "viewer") for question in questions]
        answers = [await limited.get(question, "nora") for question in questions]
        wanted = [await reference.get(question, "viewer") for question in questions]

    assert {question: told(answer) for question, answer in zip(questions, answers, strict=True)} == {
        question: told(answer) for question, answer in zip(questions, wanted, strict=True)
    }
    secret = re.compile(r"id-(south|west)-|of-(south|west)|only-(south|west)|Name in (south|west)")
    assert leaked(questions, answers, secret) == set()
    assert any(secret.search(answer.text) for answer in everybodys)
