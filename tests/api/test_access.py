from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.access.attempts import PER_PAIR
from supportapi.access.tokens import Tokens
from supportapi.access.users import UserFile
from supportapi.api.app import ROUTES
from supportapi.api.operation import OPERATION
from tests.api.world import SECRET, Api, World, clock, serving, settle

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

PUBLIC = {
    "getAdminPage", "getAgentsPage", "getCallsPage", "getDashboard", "getDashboardAsset", "getDocs", "getDocsAsset",
    "getHealth", "getOpenapi", "getPrometheusMetrics", "getReadiness", "getSignInPage", "listSampleUsers", "signIn",
    "signOut",
}  # fmt: skip
OPEN = ["/api/healthz", "/api/readyz", "/openapi.json", "/docs", "/metrics"]
VIEWERS = [
    "/api/auth/me",
    "/api/metrics",
    "/api/metrics/catalogue",
    "/api/agents",
    "/api/filters/options",
    "/api/calls",
    "/api/calls/c-000-a",
    "/api/versions",
    "/api/settings/manifest",
]
ADMINS = [
    "/api/auth/users",
    "/api/settings/freshness",
    "/api/settings/jobs",
    "/api/settings/jobs/any",
    "/api/settings/queue",
    "/api/settings/rejects",
]


def test_only_what_is_meant_to_be_is_public() -> None:
    operations = [route.opt[OPERATION] for route in ROUTES]

    assert {operation.id for operation in operations if operation.role is None} == PUBLIC


@pytest.mark.parametrize("path", OPEN)
async def test_open_routes_need_no_token(api: Api, path: str) -> None:
    assert (await api.client.get(path)).status_code == 200


@pytest.mark.parametrize("path", VIEWERS + ADMINS + ["/api/events"])
async def test_everything_else_does(api: Api, path: str) -> None:
    response = await api.client.get(path)

    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", VIEWERS)
async def test_a_viewer_reads(api: Api, path: str) -> None:
    assert (await api.get(path)).status_code == 200


@pytest.mark.parametrize("path", ADMINS)
async def test_a_viewer_does_not_administrate(api: Api, path: str) -> None:
    response = await api.get(path)

    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")


async def test_a_viewer_may_not_refresh(api: Api) -> None:
    response = await api.client.post("/api/settings/refresh", headers=api.bearer())

    assert response.status_code == 403


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic dmlld2VyOmRldg==", "nonsense"])
async def test_what_is_no_token_is_refused(api: Api, header: str) -> None:
    response = await api.client.get("/api/auth/me", headers={"authorization": header})

    assert response.status_code == 401


async def test_a_token_that_has_ended_is_refused(api: Api) -> None:
    ended, _ = Tokens(SECRET, 60, lambda: clock().timestamp() - 3_600).issue_token("viewer", "viewer")
    forged, _ = Tokens("another secret", 60, lambda: clock().timestamp()).issue_token("viewer", "viewer")

    statuses = [
        (await api.client.get("/api/metrics", headers={"authorization": f"Bearer {token}"})).status_code
        for token in (ended, forged)
    ]

    assert statuses == [401, 401]


async def test_who_signs_in_gets_a_token_and_a_cookie(api: Api) -> None:
    response = await api.client.post("/api/auth/sign-in", json={"username": "admin", "password": "dev"})

    data = response.json()["data"]
    assert response.status_code == 200
    assert (data["token_type"], data["expires_in"]) == ("bearer", 3_600)
    assert data["user"] == {"username": "admin", "role": "admin", "regions": None}
    cookie = response.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=3600"))
    assert "Secure" not in cookie
    me = await api.client.get("/api/auth/me")
    assert me.json()["data"] == {"username": "admin", "role": "admin", "regions": None}
    bearer = await api.client.get("/api/auth/me", headers={"authorization": f"Bearer {data['access_token']}"})
    assert bearer.status_code == 200


async def test_the_cookie_opens_the_hot_answers(api: Api) -> None:
    await api.client.post("/api/auth/sign-in", json={"username": "viewer", "password": "dev"})

    responses = [await api.client.get("/api/metrics") for _ in range(2)]

    assert [response.status_code for response in responses] == [200, 200]


@pytest.mark.parametrize(("username", "password"), [("admin", "wrong"), ("nobody", "dev")])
async def test_wrong_credentials_are_refused_in_the_same_words(api: Api, username: str, password: str) -> None:
    response = await api.client.post("/api/auth/sign-in", json={"username": username, "password": password})

    assert response.status_code == 401
    assert response.json()["error"]["message"] == "Username or password is wrong."
    assert "set-cookie" not in response.headers


async def test_too_many_attempts_have_to_wait_with_the_right_password_too(api: Api) -> None:
    body = {"username": "admin", "password": "dev"}
    for _ in range(PER_PAIR.failures):
        await api.doors.door.attempts.allow("admin", "127.0.0.1")

    response = await api.client.post("/api/auth/sign-in", json=body)

    assert (response.status_code, response.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert int(response.headers["retry-after"]) > 0


async def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_names(world: World) -> None:
    async with serving(world, proxies_in_front=1) as api:
        for _ in range(PER_PAIR.failures):
            await api.doors.door.attempts.allow("admin", "203.0.113.9")

        statuses = [
            (
                await api.client.post(
                    "/api/auth/sign-in",
                    json={"username": "admin", "password": "dev"},
                    headers={"x-forwarded-for": forwarded},
                )
            ).status_code
            for forwarded in ("203.0.113.9", "198.51.100.1, 203.0.113.9", "203.0.113.9, 198.51.100.1")
        ]

    assert statuses == [429, 429, 200]


async def test_without_a_proxy_nobody_chooses_their_address(api: Api) -> None:
    for _ in range(PER_PAIR.failures):
        await api.doors.door.attempts.allow("admin", "127.0.0.1")

    response = await api.client.post(
        "/api/auth/sign-in", json={"username": "admin", "password": "dev"}, headers={"x-forwarded-for": "203.0.113.9"}
    )

    assert response.status_code == 429


async def test_who_signs_out_loses_the_cookie(api: Api) -> None:
    await api.client.post("/api/auth/sign-in", json={"username": "viewer", "password": "dev"})

    response = await api.client.post("/api/auth/sign-out")

    assert response.status_code == 200
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert (await api.client.get("/api/auth/me")).status_code == 401


async def test_elsewhere_than_local_the_cookie_is_secure(world: World) -> None:
    async with serving(world, secure_cookie=True) as api:
        response = await api.client.post("/api/auth/sign-in", json={"username": "viewer", "password": "dev"})

    assert "; Secure" in response.headers["set-cookie"]


async def test_the_samples_that_a_page_offers_can_sign_in(api: Api) -> None:
    offered = (await api.client.get("/api/auth/samples")).json()["data"][0]

    response = await api.client.post(
        "/api/auth/sign-in", json={"username": offered["username"], "password": offered["password"]}
    )

    assert response.json()["data"]["user"] == {name: offered[name] for name in ("username", "role", "regions")}


@pytest.mark.parametrize(
    "path",
    [
        "/api/calls/{}",
        "/api/agents/{}",
        "/api/settings/jobs/{}",
        "/api/versions/{}/audit",
        "/api/versions/{}...x",
        "/docs/assets/{}",
    ],
)
@pytest.mark.parametrize(
    "name", ["..%2F..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "..%5C..%5Cx", "x%00.json", "%7Bsapi%7D:current", "*"]
)
async def test_no_name_in_an_address_reaches_a_file_or_a_key(api: Api, path: str, name: str) -> None:
    response = await api.get(path.format(name), "admin")

    assert response.status_code in {404, 410, 422}
    assert "root:" not in response.text


@pytest.mark.parametrize("field", ["command", "refresh_command", "args", "env"])
async def test_no_request_says_what_a_refresh_runs(api: Api, field: str) -> None:
    response = await api.client.post("/api/settings/refresh", json={field: "touch /tmp/x"}, headers=api.bearer("admin"))

    assert (response.status_code, response.json()["error"]["details"][0]["field"]) == (422, field)


async def test_who_was_an_admin_administrates_no_longer(world: World, tmp_path: Path) -> None:
    home = tmp_path / "another home"
    users = UserFile(home)
    users.add("admin", "admin", "correct horse")
    async with serving(world, home) as api:
        await settle(lambda: api.doors.door.signed_out.loaded)
        before = await api.get("/api/settings/jobs", "admin")
        users.add("admin", "viewer", "correct horse")
        api.edge._gate._memory.clear()  # pyright: ignore[reportPrivateUsage] - as half a minute does

        after = await api.get("/api/settings/jobs", "admin")

    assert (before.status_code, after.status_code) == (200, 403)
