"""A span for each request, around the edge. Only where traces are on: else nobody is there who could cost anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supportapi import tracing
from supportapi.api.gate import read_headers
from supportapi.api.trace import KEY

if TYPE_CHECKING:
    from supportapi.api.edge import App, Receive, Scope, Send
    from supportapi.api.trace import Trace


class Traced:
    """The ASGI app `app`, with a span around each request, whose parent is the client's `traceparent` if it has one."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        offered = read_headers(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        about = {"http__request__method": method, "url__path": scope["path"]}
        with tracing.span(method, kind="server", parent=offered or None, **about) as span:

            async def watched(message: Any) -> None:
                if span is not None and message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, watched)
            trace: Trace | None = scope.get(KEY)
            if span is not None and trace is not None:  # ready answers are sent before there is one
                route = trace.route or str(scope.get("path_template") or "")
                span.update_name(f"{method} {route}".rstrip())
                span.set_attribute("http.route", route)
                span.set_attribute("supportapi.request_id", trace.request_id.decode("latin-1"))
