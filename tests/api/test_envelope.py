from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest
from litestar.exceptions import HTTPException

from supportapi import errors
from supportapi.api.envelope import STATUSES, refusal

if TYPE_CHECKING:
    from tests.api.world import Api

pytestmark = pytest.mark.anyio


def test_every_failure_with_a_name_has_a_status() -> None:
    named = {
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.SupportApiError)
    }

    assert set(STATUSES) == named
    assert len({kind.code for kind in named}) == len(named)


def test_a_crash_gives_nothing_away() -> None:
    said = refusal(RuntimeError("password=hunter2"), "id-1")

    assert said.status == 500
    assert b"hunter2" not in said.body
    assert b'"request_id":"id-1"' in said.body


def test_a_framework_failure_above_499_is_a_crash() -> None:
    said = refusal(HTTPException("inner workings", status_code=500), "id-1")

    assert (said.status, b"inner" in said.body) == (500, False)


def test_what_may_pass_says_when_to_come_back() -> None:
    said = refusal(errors.RateLimited("slow", retry_after_seconds=17), "id-1")

    assert (said.status, said.headers["retry-after"]) == (429, "17")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/nothing", None, 404, "NOT_FOUND"),
        ("GET", "/nothing/at/all", None, 404, "NOT_FOUND"),
        ("DELETE", "/api/metrics", None, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/settings/refresh", None, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/api/auth/sign-in", b"{", 422, "VALIDATION_ERROR"),
        ("POST", "/api/auth/sign-in", b"[1]", 422, "VALIDATION_ERROR"),
        ("POST", "/api/auth/sign-in", b'{"username":"' + b"x" * 70_000 + b'"}', 413, "PAYLOAD_TOO_LARGE"),
        ("GET", "/api/metrics?regio=north", None, 422, "VALIDATION_ERROR"),
        ("GET", "/api/calls/none-such", None, 404, "NOT_FOUND"),
        ("GET", "/api/settings/jobs/none-such", None, 404, "NOT_FOUND"),
        ("GET", "/docs/assets/none-such", None, 404, "NOT_FOUND"),
        ("GET", "/docs/assets/..%2Fstart.js", None, 404, "NOT_FOUND"),
    ],
)
async def test_every_failure_has_the_same_shape(
    api: Api, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    headers = api.bearer("admin") | {"content-type": "application/json"}

    response = await api.client.request(method, path, content=body, headers=headers)

    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["code"] == code
    assert error["request_id"] == response.headers["x-request-id"]
    assert response.headers["content-type"] == "application/json"


async def test_a_wrong_method_is_told_the_right_ones(api: Api) -> None:
    response = await api.client.request("DELETE", "/api/metrics")

    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_body_of_another_type_is_refused(api: Api) -> None:
    body = b'{"username":"viewer","password":"dev"}'

    response = await api.client.post("/api/auth/sign-in", content=body, headers={"content-type": "text/plain"})

    assert (response.status_code, response.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_all_problems_of_a_query_are_named_at_once_in_the_clients_words(api: Api) -> None:
    response = await api.get("/api/metrics?regio=north&from=yesterday&grain=day&grain=week&compare=never")

    details = {detail["field"]: detail["message"] for detail in response.json()["error"]["details"]}
    assert set(details) == {"regio", "from", "grain", "compare"}
    assert "region" in details["regio"]


async def test_all_problems_of_a_body_are_named_at_once(api: Api) -> None:
    response = await api.client.post("/api/auth/sign-in", json={"username": 3, "pasword": "x"})

    fields = [detail["field"] for detail in response.json()["error"]["details"]]
    assert sorted(fields) == ["password", "pasword", "username"]


async def test_a_crash_in_a_handler_is_answered_and_logged(api: Api) -> None:
    api.doors.follower.seen = None

    response = await api.get("/api/settings/manifest")

    assert response.status_code == 500
    assert response.json()["error"]["code"] == "INTERNAL"
    assert "Traceback" not in response.text
    assert api.log()[-1].status == 500
