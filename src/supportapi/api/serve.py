"""From a question about an aggregate to its answer: look, compute, encode, remember."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from supportapi.answers.query_string import canonical, decode
from supportapi.api.answer import REVALIDATE, UNCHANGING, Answer, compressed, tag_of
from supportapi.api.doors import doors_of
from supportapi.api.trace import trace_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar import Request

    from supportapi.answers.meta import Truth
    from supportapi.api.current import Current
    from supportapi.api.doors import Doors
    from supportapi.rollups.aggregates import Aggregates

Q = TypeVar("Q", bound=msgspec.Struct)

_LARGE: Final = 64 * 1024
_encode = msgspec.json.Encoder().encode


async def aggregate(
    request: Request[Any, Any, Any], kind: type[Q], answer: Callable[[Aggregates, Q, Truth], Any]
) -> Answer:
    """The answer to the question in the query string, by the version that the request took.

    `answer` gives an envelope struct with `data` and `meta`. Raises `ValidationFailed`, and as `answered`.
    """
    scope = request.scope
    current = trace_of(scope).current
    raw = scope["query_string"]
    question = decode(raw, kind)
    route = str(scope["path_template"])
    path = scope["path"] if "{" in route else route
    found = await answered(doors_of(request), current, path, question, answer, route=route)
    current.hot.alias((current.scope, path, canonical(question).encode()), (current.scope, path, raw))
    return found


async def answered(
    doors: Doors,
    current: Current,
    path: str,
    question: Q,
    answer: Callable[[Aggregates, Q, Truth], Any],
    *,
    route: str | None = None,
) -> Answer:
    """The answer to `question` at `path` (of the template `route`), by what `current` shows of its version.

    Equal questions of one scope, however spelled and wherever asked, get equal bytes and one computation. Raises what
    `answer` raises, `Overloaded`, and what stands for no version at all.
    """
    snapshot = current.require()
    spelled = canonical(question)
    key = (current.scope, path, spelled.encode())
    found = current.hot.find(key)
    if found is None:
        truth = current.truth()

        def work() -> Answer:
            envelope = answer(snapshot.aggregates, question, truth)
            tag = tag_of(current.scope, truth.version, truth.stale_reason, path, spelled)
            body, source = _encode(envelope), envelope.meta.source
            # Compressing what is large takes too long for the loop, where it would be done when first asked for.
            packed = compressed(body) if len(body) > _LARGE else None
            kept_for = UNCHANGING if current.named else REVALIDATE
            return Answer(
                body,
                tag,
                route=route or path,
                source=source,
                version=truth.version,
                packed=packed,
                cache_control=kept_for,
            )

        found = await doors.desk.run_once((truth.version, truth.stale_reason, key), work)
        current.hot.keep(key, found)
    found.used = True
    return found
