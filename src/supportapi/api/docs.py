"""`/docs`: the OpenAPI document to click through, from files that we ship; it needs no other host."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.api.answer import accepts_gzip
from supportapi.api.operation import Operation, Success, reading
from supportapi.api.plain import empty_response, text_response
from supportapi.api.trace import trace_of
from supportapi.errors import NotFound

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts of ours only. The UI sets styles on elements, and its icons are data."""
_PAGE_HEADERS: Final = {"content-security-policy": _POLICY}
_ASSETS: Final = {
    "swagger-ui-bundle.js": ("swagger-ui", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("swagger-ui", "text/css; charset=utf-8"),
    "start.js": ("docs", "text/javascript; charset=utf-8"),
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
    successes={200: Success(description="The file.", media_type="text/plain")},
    errors=(NotFound,),
)
DOCUMENT: Final = Operation(
    id="getOpenapi",
    tag="status",
    summary="This document",
    role=None,
    successes={200: Success(description="OpenAPI 3.1.", body=dict[str, Any])},
)
ROOT: Final = Operation(
    id="getRoot",
    tag="status",
    summary="The way to the documentation",
    role=None,
    successes={307: Success(description="Go there.", headers={"Location": "`/docs`."})},
)


@reading("/", ROOT)
async def root() -> ASGIApp:
    """To the documentation, until there is a dashboard."""
    return empty_response(307, {"location": "/docs"})


@reading("/docs", PAGE)
async def docs() -> ASGIApp:
    """The page."""
    return text_response(_read("docs", "index.html"), "text/html; charset=utf-8", _PAGE_HEADERS)


@reading("/docs/assets/{name:str}", ASSET)
async def docs_asset(request: Request[Any, Any, Any]) -> ASGIApp:
    """One of the files that the page loads. Raises `NotFound` for every other name."""
    name: str = request.path_params["name"]
    if name not in _ASSETS:
        raise NotFound(f"There is no file '{name[:100]}'.")
    folder, media_type = _ASSETS[name]
    headers = trace_of(request.scope).headers
    tag, packed = _packed(folder, name)
    caching = {"cache-control": "public, max-age=3600", "vary": "Accept-Encoding, Origin"}
    packing = accepts_gzip(headers.get(b"accept-encoding", b""))
    caching["etag"] = f'"{tag}-gz"' if packing else f'"{tag}"'
    if headers.get(b"if-none-match", b"").decode("latin-1") == caching["etag"]:
        return empty_response(304, caching)
    if packing:
        return text_response(packed, media_type, {**caching, "content-encoding": "gzip"})
    return text_response(_read(folder, name), media_type, caching)


@reading("/openapi.json", DOCUMENT)
async def openapi_json(request: Request[Any, Any, Any]) -> ASGIApp:
    """The document, made when the app was."""
    return text_response(request.app.state["openapi"], "application/json", {"cache-control": "no-cache"})


@lru_cache
def _read(folder: str, name: str) -> bytes:
    return files("supportapi.api").joinpath("static", folder, name).read_bytes()


@lru_cache
def _packed(folder: str, name: str) -> tuple[str, bytes]:
    content = _read(folder, name)
    return hashlib.blake2b(content, digest_size=8).hexdigest(), gzip.compress(content, 6, mtime=0)
