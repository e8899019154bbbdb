"""An encoded answer: made once, sent many times, plain or compressed or as "you have it already"."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from supportapi.api.trace import trace_of

if TYPE_CHECKING:
    from litestar.types import Message, Receive, Scope, Send

    from supportapi.api.counters import Series

Headers = list[tuple[bytes, bytes]]

_SMALL: Final = 600
_GZIP_LEVEL: Final = 6
_JSON: Final = b"application/json"
REVALIDATE: Final = b"private, max-age=0, must-revalidate"
UNCHANGING: Final = b"private, max-age=31536000, immutable"
"""`Cache-Control` of what the next version may answer otherwise, and of what a version asked for by name answers."""

_VARY: Final = (b"vary", b"Accept-Encoding, Origin")


class Reply:
    """Status, headers and body, ready to send: `message` is the body as ASGI has it. The edge counts it in `series`."""

    __slots__ = ("body", "head", "message", "series", "status")

    def __init__(self, status: int, head: Headers, body: bytes) -> None:
        self.status = status
        self.head = head
        self.body = body
        self.message: Message = {"type": "http.response.body", "body": body, "more_body": False}
        self.series: Series | None = None


class Answer:
    """The bytes that answer one question for one version.

    An ETag is strong, so the plain and the compressed form have each their own, `"x"` and `"x-gz"`; either one in
    `If-None-Match` gets 304, for both stand for the same content. The compressed form is `packed`, or made when it is
    first asked for. Called as an ASGI app it sends itself, just as the edge does when it knows it already.
    """

    __slots__ = (
        "_cache_control",
        "_gzip",
        "_link",
        "_plain",
        "_tags",
        "_unchanged",
        "_unchanged_gzip",
        "body",
        "route",
        "source",
        "used",
        "version",
    )

    def __init__(
        self,
        body: bytes,
        tag: str,
        *,
        route: str,
        source: str,
        version: str,
        packed: bytes | None = None,
        cache_control: bytes = REVALIDATE,
        link: bytes | None = None,
    ) -> None:
        self.body = body
        self.route = route
        self.source = source
        self.version = version
        self.used = False
        plain, zipped = f'"{tag}"'.encode(), f'"{tag}-gz"'.encode()
        self._tags = (plain, zipped)
        self._cache_control = cache_control
        self._link: Headers = [] if link is None else [(b"link", link)]
        self._plain = Reply(200, self._head(plain, len(body)), body)
        self._unchanged = Reply(304, self._head(plain), b"")
        self._unchanged_gzip = Reply(304, self._head(zipped), b"")
        self._gzip: Reply | None = self._plain if len(body) < _SMALL else None
        if packed is not None and self._gzip is None:
            self._compressed(packed)

    @property
    def size(self) -> int:
        """Bytes that it holds, roughly: body, compressed body, headers."""
        return len(self.body) + (len(self._gzip.body) if self._gzip else len(self.body) // 3) + 2_000

    def reply(self, headers: dict[bytes, bytes]) -> Reply:
        """What a request with `headers` gets."""
        offered = headers.get(b"accept-encoding")
        packed = offered is not None and self._gzip is not self._plain and accepts_gzip(offered)
        known = headers.get(b"if-none-match")
        if known is not None and (known in self._tags or _matches(known, self._tags)):
            return self._unchanged_gzip if packed else self._unchanged
        if not packed:
            return self._plain
        return self._gzip or self._compressed(compressed(self.body))

    def _compressed(self, packed: bytes) -> Reply:
        head = [*self._head(self._tags[1], len(packed)), (b"content-encoding", b"gzip")]
        self._gzip = Reply(200, head, packed)
        return self._gzip

    def _head(self, tag: bytes, length: int | None = None) -> Headers:
        head: Headers = [(b"etag", tag), (b"cache-control", self._cache_control), _VARY, *self._link]
        if length is None:
            return head
        return [(b"content-type", _JSON), (b"content-length", str(length).encode()), *head]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send itself."""
        del receive
        trace = trace_of(scope)
        trace.source, trace.version = self.source, self.version
        reply = self.reply(trace.headers)
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.head})
        await send(reply.message)


def compressed(body: bytes) -> bytes:
    """`body` as gzip: equal bodies are equal bytes."""
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


def tag_of(scope: str, version: str, stale_reason: str | None, path: str, canonical_query: str) -> str:
    """The name of an answer's content: equal for all who may see it, and for every spelling of the same question."""
    text = "\n".join((scope, version, stale_reason or "", path, canonical_query))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


@lru_cache(256)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Whether `Accept-Encoding` allows gzip: named, or by `*`, and not with a weight of 0."""
    weights: dict[bytes, bool] = {}
    for piece in accept_encoding.lower().split(b","):
        name, _, parameters = piece.partition(b";")
        weight = parameters.replace(b" ", b"").removeprefix(b"q=") or b"1"
        weights[name.strip()] = weight.strip(b"0.") != b""
    return weights.get(b"gzip", weights.get(b"*", False))


def _matches(known: bytes, tags: tuple[bytes, ...]) -> bool:
    offered = [piece.strip().removeprefix(b"W/") for piece in known.split(b",")]
    return any(tag in tags or tag == b"*" for tag in offered)
