"""`GET /api/v/{version}/…`: every aggregate of a version that is named, for as long as that version is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from litestar import Request
from litestar.types import ASGIApp

from supportapi.api import agents, catalogue, filter_options, metrics
from supportapi.api.current import Current
from supportapi.api.doors import doors_of
from supportapi.api.operation import OPERATION, Operation, reading
from supportapi.api.trace import trace_of
from supportapi.errors import DataMissing, NotFound, ShelfUnavailable, SnapshotIncomplete, VersionGone

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_LATEST: Final = "/api"
_PREFIX: Final = "/api/v/{version:str}"
_VERSION: Final = "The name of a kept version: 16 hexadecimal digits, as in `meta.version` and `/api/versions`."
_FAILURES: Final = (NotFound, VersionGone, ShelfUnavailable, SnapshotIncomplete, DataMissing)
_HERE: Final = (
    " Of the version that the path names, as long as it is kept (410 `VERSION_GONE` afterwards, `links.current` being "
    "the same question about the current version). The answer never changes and may be kept for a year; `meta.stale` "
    "is false, for nothing newer was asked for."
)


def _of_version(handler: HTTPRouteHandler) -> HTTPRouteHandler:
    """The route that answers as `handler` does, by a version that the path names."""
    answer = handler.fn

    @reading(_PREFIX + _path(handler).removeprefix(_LATEST), _operation(handler.opt[OPERATION]))
    async def of_version(request: Request[Any, Any, Any]) -> ASGIApp:
        trace = trace_of(request.scope)
        version: str = request.path_params["version"]
        try:
            snapshot = await doors_of(request).kept_versions.snapshot(version, trace.current)
        except VersionGone as gone:
            gone.facts["links"] = {"current": _current(request, version)}
            raise
        trace.current = Current(snapshot, None, trace.current.hot, named=True)
        answered: ASGIApp = await answer(request)
        return answered

    return of_version


def _path(handler: HTTPRouteHandler) -> str:
    (path,) = handler.paths
    return path


def _operation(operation: Operation) -> Operation:
    return msgspec.structs.replace(
        operation,
        id=f"{operation.id}OfVersion",
        summary=f"{operation.summary}, of a named version",
        description=(operation.description or f"{operation.summary}.") + _HERE,
        path_parameters={"version": _VERSION, **operation.path_parameters},
        errors=tuple(dict.fromkeys((*operation.errors, *_FAILURES))),
    )


def _current(request: Request[Any, Any, Any], version: str) -> str:
    """Where the same question about the current version is asked."""
    scope = request.scope
    path = _LATEST + quote(scope["path"].removeprefix(f"{_LATEST}/v/{version}"))
    query: bytes = scope["query_string"]
    return f"{path}?{query.decode('latin-1')}" if query else path


ROUTES: Final = [
    _of_version(handler)
    for handler in (metrics.metrics, agents.agents, agents.agent, filter_options.filter_options, catalogue.catalogue)
]
