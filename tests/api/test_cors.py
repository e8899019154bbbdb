from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.access.principal import EVERYONE
from supportapi.api.cors import Cors
from supportapi.errors import Forbidden
from tests.api.world import ORIGIN, serving

if TYPE_CHECKING:
    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio

HOST = b"api.example"
FOREIGN = [
    {b"origin": b"https://evil.example"},
    {b"origin": b"null"},
    {b"origin": b""},
    {b"origin": b"https://api.example.evil.example"},
    {b"origin": b"https://evil.example/api.example"},
    {b"origin": b"https://api.example:8443"},
    {b"origin": b"https://evil@api.example"},
    {b"origin": ORIGIN.encode() + b".evil.example"},
    {b"sec-fetch-site": b"cross-site"},
    {b"sec-fetch-site": b"same-site"},
    {b"origin": b"https://evil.example", b"sec-fetch-site": b"same-origin"},
    {b"origin": b"https://evil.example", b"referer": b"https://api.example/"},
    {b"origin": b"https://evil.example", b"x-forwarded-host": b"evil.example"},
]
OURS = [
    {},
    {b"origin": b"https://api.example"},
    {b"origin": b"http://api.example"},
    {b"origin": ORIGIN.encode(), b"sec-fetch-site": b"cross-site"},
    {b"sec-fetch-site": b"same-origin"},
    {b"sec-fetch-site": b"none"},
    {b"origin": b"https://evil.example", b"authorization": b"Bearer x"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_that_another_site_makes_a_browser_send_is_refused(method: str, headers: dict[bytes, bytes]) -> None:
    cors = Cors([ORIGIN])

    with pytest.raises(Forbidden) as caught:
        cors.refuse_foreign_write(method, {b"host": HOST, b"cookie": b"supportapi_token=good"} | headers)

    assert caught.value.facts["reason"] == "cross_site"


@pytest.mark.parametrize("headers", OURS)
def test_our_own_pages_listed_origins_and_what_is_no_browser_may_write(headers: dict[bytes, bytes]) -> None:
    Cors([ORIGIN]).refuse_foreign_write("POST", {b"host": HOST} | headers)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_left_to_the_browsers_own_rules(method: str, headers: dict[bytes, bytes]) -> None:
    Cors([ORIGIN]).refuse_foreign_write(method, {b"host": HOST} | headers)


@pytest.mark.parametrize("path", ["/api/settings/refresh", "/api/auth/sign-out", "/api/auth/sign-in", "/api/query"])
async def test_no_route_takes_a_foreign_write_with_the_cookie_of_an_admin(api: Api, path: str) -> None:
    await api.client.post("/api/auth/sign-in", json={"username": "admin", "password": "dev"})

    response = await api.client.post(path, json={}, headers={"origin": "https://evil.example"})

    assert (response.status_code, response.json()["error"]["details"][0]["reason"]) == (403, "cross_site")
    assert (await api.client.get("/api/auth/me")).status_code == 200


async def test_the_same_write_from_our_own_page_is_taken(api: Api) -> None:
    await api.client.post("/api/auth/sign-in", json={"username": "admin", "password": "dev"})

    response = await api.client.post("/api/settings/refresh", headers={"origin": "http://test"})

    assert response.status_code == 202


async def test_an_open_door_is_not_open_to_other_sites(world: World) -> None:
    async with serving(world, refresh_enabled=True, everyone=EVERYONE) as api:
        response = await api.client.post("/api/settings/refresh", headers={"origin": "https://evil.example"})

    assert response.status_code == 403
