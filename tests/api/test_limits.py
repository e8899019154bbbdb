from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.api.limits import HEADER_BYTES, HEADERS, URI_BYTES
from supportapi.api.operation import BODY_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.api.world import Api

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "uri", ["/api/metrics?region=" + "x" * URI_BYTES, "/api/calls/" + "x" * URI_BYTES, "/" + "%41" * URI_BYTES]
)
async def test_a_longer_address_than_any_question_needs_is_refused(api: Api, uri: str) -> None:
    response = await api.get(uri)

    assert (response.status_code, response.json()["error"]["code"]) == (414, "URI_TOO_LONG")
    assert response.headers["x-request-id"] == response.json()["error"]["request_id"]


async def test_a_filter_of_a_thousand_agents_fits(api: Api) -> None:
    agents = "&".join(f"agent=a{number:04}" for number in range(1_000))

    response = await api.get(f"/api/metrics?{agents}")

    assert response.status_code != 414


@pytest.mark.parametrize(
    "headers",
    [
        {"x-long": "x" * HEADER_BYTES},
        {"authorization": "Bearer " + "x" * HEADER_BYTES},
        {"cookie": "a=" + "x" * HEADER_BYTES},
        {f"x-{number}": "" for number in range(HEADERS)},
    ],
    ids=["long", "token", "cookie", "many"],
)
async def test_more_headers_than_any_client_needs_are_refused(api: Api, headers: dict[str, str]) -> None:
    response = await api.client.get("/api/metrics", headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (431, "HEADERS_TOO_LARGE")


@pytest.mark.parametrize("path", ["/api/auth/sign-in", "/api/query"])
async def test_a_body_that_hides_its_length_is_cut_off_all_the_same(api: Api, path: str) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(1_000):
            yield b"x" * 1_000

    headers = api.bearer() | {"content-type": "application/json"}

    response = await api.client.post(path, content=endless(), headers=headers)

    assert BODY_LIMIT_BYTES < 1_000_000
    assert (response.status_code, response.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":' * 10_000, b'{"queries":' + b"[" * 30_000])
async def test_a_body_nested_without_end_is_refused_and_harms_nobody(api: Api, body: bytes) -> None:
    headers = api.bearer() | {"content-type": "application/json"}

    response = await api.client.post("/api/query", content=body, headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
