from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from supportapi.api.dashboard import PAGES

if TYPE_CHECKING:
    from tests.api.world import Api

pytestmark = pytest.mark.anyio

ASSETS = re.compile(r'(?:src|href)="(/assets/[^"]+)"')


@pytest.mark.parametrize("path", sorted(path for page in PAGES for path in page.paths))
async def test_each_page_is_there_for_who_has_no_session_yet(api: Api, path: str) -> None:
    response = await api.client.get(path)

    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_a_page_runs_no_script_but_ours(api: Api) -> None:
    response = await api.client.get("/")
    policy = response.headers["content-security-policy"]

    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]* src=)|<style|\\son\\w+=", response.text) == []


async def test_a_page_is_asked_for_again_and_what_it_loads_never(api: Api) -> None:
    page = await api.client.get("/")
    assets = [await api.client.get(path) for path in ASSETS.findall(page.text)]

    assert page.headers["cache-control"] == "no-cache"
    assert [asset.status_code for asset in assets] == [200] * len(assets)
    assert {asset.headers["cache-control"] for asset in assets} == {"public, max-age=31536000, immutable"}
    assert {"text/javascript; charset=utf-8", "text/css; charset=utf-8"} <= {
        asset.headers["content-type"] for asset in assets
    }


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_client_that_has_the_page_gets_no_body(api: Api, encoding: str) -> None:
    first = await api.client.get("/", headers={"accept-encoding": encoding})

    again = await api.client.get("/", headers={"accept-encoding": encoding, "if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")


async def test_a_page_may_be_asked_for_by_head(api: Api) -> None:
    response = await api.client.head("/")

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("path", ["/nothing", "/agents/agent-1", "/api/nothing", "/assets/nothing.js", "/index.html"])
async def test_what_is_no_page_stays_not_found(api: Api, path: str) -> None:
    response = await api.client.get(path, headers={"accept": "text/html"})

    assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_no_asset_leads_out_of_its_folder(api: Api) -> None:
    response = await api.client.get("/assets/..%2Findex.html")

    assert response.status_code == 404
