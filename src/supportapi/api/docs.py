"""`/docs`: the OpenAPI document to click through, from files that we ship; it needs no other host."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import text_response
from supportapi.api.shipped import shipped_file
from supportapi.api.trace import trace_of
from supportapi.errors import NotFound

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts of ours only. The UI sets styles on elements, and its icons are data."""
_PAGE_HEADERS: Final = {
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
}
_ASSET_HEADERS: Final = {"cache-control": "public, max-age=3600"}
_ASSETS: Final = {
    "swagger-ui-bundle.js": "swagger-ui",
    "swagger-ui.css": "swagger-ui",
    "start.js": "docs",
}

PAGE: Final = Operation(
    id="getDocs",
    tag="status",
    summary="The interactive documentation",
    role=None,
    successes={200: Success(description="A page.", media_type="text/html")},
)
ASSET: Final = Operation(
    id="getDocsAsset",
    tag="status",
    summary="A file of the interactive documentation",
    role=None,
    path_parameters={"name": "The file's name."},
    successes={200: Success(description="The file.", media_type="text/javascript", other_media_types=("text/css",))},
    errors=(NotFound,),
)
DOCUMENT: Final = Operation(
    id="getOpenapi",
    tag="status",
    summary="This document",
    role=None,
    successes={200: Success(description="OpenAPI 3.1.", body=dict[str, Any])},
)


@reading("/docs", PAGE)
async def docs(request: Request[Any, Any, Any]) -> ASGIApp:
    """The page."""
    return shipped_file(trace_of(request.scope), "docs", "index.html", _PAGE_HEADERS)


@reading("/docs/assets/{name:str}", ASSET)
async def docs_asset(request: Request[Any, Any, Any]) -> ASGIApp:
    """One of the files that the page loads. Raises `NotFound` for every other name."""
    name: str = request.path_params["name"]
    if name not in _ASSETS:
        raise NotFound(f"There is no file '{name[:100]}'.")
    return shipped_file(trace_of(request.scope), _ASSETS[name], name, _ASSET_HEADERS)


@reading("/openapi.json", DOCUMENT)
async def openapi_json(request: Request[Any, Any, Any]) -> ASGIApp:
    """The document, made when the app was."""
    return text_response(request.app.state["openapi"], "application/json", {"cache-control": "no-cache"})
