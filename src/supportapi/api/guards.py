"""Who may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supportapi.api.operation import OPERATION, Operation
from supportapi.api.trace import trace_of
from supportapi.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection
    from litestar.handlers.base import BaseRouteHandler


async def admitted(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let the principal of the request through to `handler`, or raise `Unauthenticated` or `Forbidden`.

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
