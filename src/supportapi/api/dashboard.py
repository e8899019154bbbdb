"""The dashboard: pages that are one file, and the scripts, styles and fonts that it loads.

They are built from `dashboard/` and committed, so that nobody who installs the package needs Node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request
from litestar.types import ASGIApp

from supportapi.api.operation import Operation, Success, reading
from supportapi.api.shipped import names_in, shipped_file
from supportapi.api.trace import trace_of
from supportapi.errors import NotFound

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_FOLDER: Final = "dashboard"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_PAGE_HEADERS: Final = {
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_ASSET_HEADERS: Final = {"cache-control": "public, max-age=31536000, immutable"}
"""An asset's name holds the hash of its content: other content has another name."""

_PAGES: Final = {
    "/": ("getDashboard", "The dashboard: overview"),
    "/agents": ("getAgentsPage", "The dashboard: leaderboard"),
    "/calls": ("getCallsPage", "The dashboard: calls"),
    "/admin": ("getAdminPage", "The dashboard: data and versions, for admins"),
    "/sign-in": ("getSignInPage", "The dashboard: sign-in"),
}
ASSET: Final = Operation(
    id="getDashboardAsset",
    tag="status",
    summary="A file of the dashboard",
    role=None,
    path_parameters={"name": "The file's name, which changes with its content."},
    successes={200: Success(description="The file.", media_type="text/plain")},
    errors=(NotFound,),
)


def _page(path: str, identity: str, summary: str) -> HTTPRouteHandler:
    operation = Operation(
        id=identity,
        tag="status",
        summary=summary,
        role=None,
        successes={200: Success(description="A page.", media_type="text/html")},
    )

    @reading(path, operation)
    async def page(request: Request[Any, Any, Any]) -> ASGIApp:
        return shipped_file(trace_of(request.scope), _FOLDER, "index.html", _PAGE_HEADERS)

    return page


PAGES: Final = [_page(path, identity, summary) for path, (identity, summary) in _PAGES.items()]
"""The paths that the dashboard knows; every other path stays what it was."""


@reading("/assets/{name:str}", ASSET)
async def dashboard_asset(request: Request[Any, Any, Any]) -> ASGIApp:
    """One of the files that the pages load. Raises `NotFound` for every other name."""
    name: str = request.path_params["name"]
    if (path := f"assets/{name}") not in names_in(_FOLDER):
        raise NotFound(f"There is no file '{name[:100]}'.")
    return shipped_file(trace_of(request.scope), _FOLDER, path, _ASSET_HEADERS)
