"""The outermost layer: what is ready is sent from here, and every response has its id, its log line, its count.

    request -> edge -> ready bytes?  yes -> sent
                                     no  -> Litestar -> answer (which becomes ready bytes)

Litestar's own middleware does not see unknown paths, wrong methods and refused tokens; this layer sees everything.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from supportapi.api.envelope import refusal
from supportapi.api.gate import read_headers
from supportapi.api.limits import refuse_oversized
from supportapi.api.trace import KEY, RequestIds, Trace
from supportapi.errors import SupportApiError, Unauthenticated, WarmingUp

if TYPE_CHECKING:
    from supportapi.api.access_log import AccessLog
    from supportapi.api.answer import Answer, Reply
    from supportapi.api.cors import Cors
    from supportapi.api.counters import Counters, Series
    from supportapi.api.follower import Current
    from supportapi.api.gate import Gate
    from supportapi.api.security_headers import SecurityHeaders

Headers = list[tuple[bytes, bytes]]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_READS: Final = ("GET", "HEAD")
_VARY_ORIGIN: Final = (b"vary", b"Origin")
_NO_STORE: Final = (b"cache-control", b"no-store")
_NO_BODY: Final = {"type": "http.response.body", "body": b"", "more_body": False}
_log = structlog.get_logger(__name__)


class Edge:
    """The ASGI app that the server calls; `app` is Litestar behind it. `current` gives the version in force."""

    def __init__(
        self,
        app: App,
        *,
        current: Callable[[], Current],
        gate: Gate,
        cors: Cors,
        counters: Counters,
        access_log: AccessLog,
        security: SecurityHeaders,
    ) -> None:
        self.app = app
        self._current = current
        self._gate = gate
        self._cors = cors
        self._counters = counters
        self.access_log = access_log
        self._security = security
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from ready bytes, or let Litestar answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # From here to the end is all that a hot answer costs: one function, because each call of another one counts.
        started = time.perf_counter()
        headers = read_headers(scope["headers"])
        request_id = self._ids.take(headers.get(b"x-request-id"))
        current = self._current()
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        principal = self._gate.remembered(headers, started) if method in _READS else None
        answer = None if principal is None else current.hot.find((principal.scope, path, query))
        if answer is None or principal is None:
            await self._ask(scope, receive, send, Trace(method, headers, request_id, current), started)
            return
        answer.used = True
        reply = answer.reply(headers)
        series = reply.series or self._first_time(answer, reply)
        head = [*reply.head, (b"x-request-id", request_id)]
        if b"origin" in headers:
            head += self._cors.grant(headers[b"origin"])
        await send({"type": "http.response.start", "status": reply.status, "headers": head})
        await send(reply.message if method == "GET" else _NO_BODY)
        seconds = time.perf_counter() - started
        series.observe(seconds)
        what = (method, answer.route, path, query, reply.status, answer.source, answer.version, principal.username)
        self.access_log.add((what, started, seconds, request_id))

    def _first_time(self, answer: Answer, reply: Reply) -> Series:
        """Done once for a reply: it gets the headers that every answer carries, and the series that counts it."""
        reply.head = [*reply.head, *self._security.of_data]
        series = reply.series = self._counters.series(answer.route, reply.status, answer.source, "hot")
        return series

    async def _ask(self, scope: Scope, receive: Receive, send: Send, trace: Trace, started: float) -> None:
        scope[KEY] = trace
        path, query = scope["path"], scope["query_string"]
        sending = _Sending(send, trace, self._cors, self._security)
        try:
            if trace.method == "OPTIONS" and b"access-control-request-method" in trace.headers:
                await self._preflight(sending, trace)
            else:
                await self._through(scope, receive, sending, trace)
        except SupportApiError as refused:
            await _send_failure(sending, refused, trace)
        except Exception as error:
            if sending.status:
                raise
            _log.exception("request.crashed", request_id=trace.request_id.decode("latin-1"), path=path)
            await _send_failure(sending, error, trace)
        finally:
            seconds = time.perf_counter() - started
            route = trace.route or _route(scope)
            self._counters.series(route, sending.status, trace.source, "cold").observe(seconds)
            user = trace.principal.username if trace.principal else None
            what = (trace.method, route, path, query, sending.status, trace.source, trace.version, user)
            self.access_log.add((what, started, seconds, trace.request_id))

    async def _through(self, scope: Scope, receive: Receive, sending: _Sending, trace: Trace) -> None:
        refuse_oversized(scope)
        self._cors.refuse_foreign_write(trace.method, trace.headers)
        # Whether a principal is needed is the handler's business (see guards.py): here it is only found out.
        try:
            trace.principal = self._gate.admit(trace.headers)
        except (Unauthenticated, WarmingUp) as refused:
            trace.refusal = refused
        if trace.method == "HEAD":
            scope["method"] = "GET"
        await self.app(scope, receive, sending)

    async def _preflight(self, sending: _Sending, trace: Trace) -> None:
        trace.route = "preflight"
        head = self._cors.preflight(trace.headers.get(b"origin", b""))
        await sending({"type": "http.response.start", "status": 204, "headers": head})
        await sending({"type": "http.response.body", "body": b"", "more_body": False})


class _Sending:
    """Litestar's `send`: adds what every response carries, and keeps the status."""

    def __init__(self, send: Send, trace: Trace, cors: Cors, security: SecurityHeaders) -> None:
        self._send = send
        self._trace = trace
        self._cors = cors
        self._security = security
        self.status = 0

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._head(message.get("headers", ()))
        elif self._trace.method == "HEAD" and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def _head(self, sent: Iterable[tuple[bytes, bytes]]) -> Headers:
        given = list(sent)
        head = [*given, (b"x-request-id", self._trace.request_id)]
        names = {name for name, _ in given}
        if b"cache-control" not in names:
            head.append(_NO_STORE)
        if b"vary" not in names:
            head.append(_VARY_ORIGIN)
        head += self._security.beside(given)
        return head + self._cors.grant(self._trace.headers.get(b"origin", b""))


async def _send_failure(send: _Sending, error: Exception, trace: Trace) -> None:
    said = refusal(error, trace.request_id.decode("latin-1"))
    head = [(name.encode(), text.encode("latin-1")) for name, text in said.headers.items()]
    head += [(b"content-type", b"application/json"), (b"content-length", str(len(said.body)).encode())]
    await send({"type": "http.response.start", "status": said.status, "headers": head})
    await send({"type": "http.response.body", "body": said.body, "more_body": False})


def _route(scope: Scope) -> str:
    # Unknown paths share one label: a scanner must not grow the counters.
    template = scope.get("path_template")
    return str(template) if template else "unknown"
