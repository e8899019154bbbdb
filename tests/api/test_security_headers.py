from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.api.security_headers import SecurityHeaders
from tests.api.world import serving

if TYPE_CHECKING:
    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio

PREPARED = "/api/metrics?range=30d"
COMPUTED = "/api/metrics?from=2026-01-06&to=2026-01-09"
DATA = [
    PREPARED,
    COMPUTED,
    "/api/calls",
    "/api/healthz",
    "/metrics",
    "/openapi.json",
    "/nothing",
    "/api/metrics?wrong=1",
]
EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize("path", [*DATA, "/docs", "/docs/assets/start.js"])
async def test_every_answer_is_what_it_says_and_tells_no_other_site_where_it_was_read(api: Api, path: str) -> None:
    await api.get(path)

    again = await api.get(path)  # from memory, where it is kept

    assert {name: again.headers.get(name) for name in EVERYWHERE} == EVERYWHERE


@pytest.mark.parametrize("path", DATA)
async def test_data_loads_nothing_and_stands_in_no_frame(api: Api, path: str) -> None:
    await api.get(path)

    again = await api.get(path)

    assert again.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_no_header_is_said_twice(api: Api) -> None:
    responses = [await api.get(path) for path in [*DATA, *DATA, "/docs"]]

    doubled = [
        (response.url.path, name)
        for response in responses
        for name in {name.lower() for name, _ in response.headers.multi_items()}
        if len(response.headers.get_list(name)) > 1
    ]
    assert doubled == []


async def test_nothing_changed_is_said_with_the_same_headers(api: Api) -> None:
    etag = (await api.get(PREPARED)).headers["etag"]

    unchanged = await api.get(PREPARED, if_none_match=etag)

    assert (unchanged.status_code, unchanged.headers["x-content-type-options"]) == (304, "nosniff")


async def test_the_page_runs_scripts_of_ours_only_and_stands_in_no_frame(api: Api) -> None:
    policy = (await api.client.get("/docs")).headers["content-security-policy"]

    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy


def test_a_page_without_a_policy_gets_a_strict_one_and_a_policy_of_its_own_is_kept() -> None:
    security = SecurityHeaders(secure=False)
    page = (b"content-type", b"text/html; charset=utf-8")

    strict = dict(security.beside([page]))
    own = dict(security.beside([page, (b"content-security-policy", b"default-src 'self'")]))

    assert b"script-src 'self'" in strict[b"content-security-policy"]
    assert b"unsafe" not in strict[b"content-security-policy"]
    assert b"content-security-policy" not in own


@pytest.mark.parametrize("path", [PREPARED, "/api/healthz", "/nothing"])
@pytest.mark.parametrize(("secure", "expected"), [(True, "max-age=31536000"), (False, None)])
async def test_only_where_browsers_come_by_https_they_are_told_to_stay(
    world: World, path: str, *, secure: bool, expected: str | None
) -> None:
    async with serving(world, secure_cookie=secure) as api:
        response = await api.get(path)

    assert response.headers.get("strict-transport-security") == expected


@pytest.mark.parametrize("path", ["/api/auth/sign-in", "/api/auth/sign-out"])
async def test_no_cache_keeps_a_token(api: Api, path: str) -> None:
    response = await api.client.post(path, json={"username": "viewer", "password": "dev"})

    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [PREPARED, COMPUTED, "/api/calls", "/api/auth/me", "/api/versions"])
async def test_no_shared_cache_keeps_an_answer(api: Api, path: str) -> None:
    caching = (await api.get(path)).headers["cache-control"]

    assert "public" not in caching
    assert "private" in caching or "no-store" in caching
