"""From a request for an aggregate to its answer: decode, look, compute, encode, remember."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from supportapi.answers.query_string import canonical, decode
from supportapi.api.answer import Answer, tag_of
from supportapi.api.doors import doors_of
from supportapi.api.trace import trace_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar import Request

    from supportapi.answers.meta import Truth
    from supportapi.rollups.aggregates import Aggregates

Q = TypeVar("Q", bound=msgspec.Struct)

_encode = msgspec.json.Encoder().encode


async def aggregate(
    request: Request[Any, Any, Any], kind: type[Q], answer: Callable[[Aggregates, Q, Truth], Any]
) -> Answer:
    """The answer to the question in the query string, by the version that the request took.

    `answer` gives an envelope struct with `data` and `meta`. Equal questions, however spelled, get equal bytes and
    one computation. Raises `ValidationFailed`, `Overloaded`, and what stands for no version at all.
    """
    scope = request.scope
    current = trace_of(scope).current
    raw = scope["query_string"]
    question = decode(raw, kind)
    snapshot = current.require()
    path, spelled = str(scope["path_template"]), canonical(question)
    path = scope["path"] if "{" in path else path
    key = (path, spelled.encode())
    found = current.hot.find(*key)
    if found is None:
        truth = current.truth()

        def work() -> Answer:
            envelope = answer(snapshot.aggregates, question, truth)
            tag = tag_of(truth.version, truth.stale_reason, path, spelled)
            route = str(scope["path_template"])
            return Answer(_encode(envelope), tag, route=route, source=envelope.meta.source, version=truth.version)

        found = await doors_of(request).desk.run_once((id(current), key), work)
        current.hot.keep(key, found)
    current.hot.alias(key, (path, raw))
    return found
