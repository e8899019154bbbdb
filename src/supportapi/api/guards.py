"""Who may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supportapi.access.principal import EVERYTHING
from supportapi.api.doors import doors_of
from supportapi.api.operation import OPERATION, Operation
from supportapi.api.trace import trace_of
from supportapi.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection
    from litestar.handlers.base import BaseRouteHandler

    from supportapi.api.trace import Trace
    from supportapi.api.views import Views


async def admitted(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let the principal of the request through to `handler`, or raise `Unauthenticated`, `Forbidden` or `Overloaded`.

    The edge has found out who asks. A handler without an operation is closed to everybody, save for `OPTIONS`, which
    Litestar adds to each path. (Async, because a plain function would be sent to a thread each time.)
    """
    trace = trace_of(connection.scope)
    operation: Operation | None = handler.opt.get(OPERATION)
    if operation is None:
        if trace.method != "OPTIONS":
            raise Forbidden("This route is open to nobody.")
        return
    if operation.role is None:
        return
    if trace.principal is None:
        raise trace.refusal or Unauthenticated("Sign in first.")
    if operation.role == "admin" and trace.principal.role != "admin":
        raise Forbidden("This needs the role 'admin'.", role=trace.principal.role)
    if operation.reach != "nothing":
        await _look_through(trace, trace.principal.scope, operation, doors_of(connection).views)


async def _look_through(trace: Trace, scope: str, operation: Operation, views: Views) -> None:
    """Leave of the request's version what `scope` may see: the one place where a rule about rows meets a request."""
    if operation.reach == "everything" and scope != EVERYTHING:
        raise Forbidden("This tells of all calls, and you may see those of some regions only.", reason="limited_user")
    trace.current = await views.current(scope, trace.current)
