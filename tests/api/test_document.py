"""The OpenAPI document against a running API process: what it promises is what comes, whatever is asked.

`make fuzz` asks twenty for each one that is asked here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from supportapi.access.tokens import Tokens
from supportapi.api.app import openapi_document
from supportapi.processes.redis_server import embedded_redis
from tests.api.world import BUDGET_MB, SECRET, ZONES, World, some_calls
from tests.processes.machine import Api, until

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKENS = Tokens(SECRET, 3_600, time.time)
CONFIG = {
    "request-timeout": 20,
    "checks": {
        # That two parameters exclude each other cannot be said in OpenAPI: 422 says so.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", 401, 403, 404, 409, 410, 422, 429]},
        # A version that is gone is said before anybody looks at what was asked of it.
        "negative_data_rejection": {"expected-statuses": ["4xx"]},
    },
    "operations": [
        # An error in one of its queries stays in that one's part of the answer.
        {"include-operation-id": "query", "checks": {"negative_data_rejection": {"enabled": False}}}
    ],
}
ENDLESS = "streamEvents"
"""Its answer has no end for a generic client to wait for; see test_events.py."""
SCHEMA: Any = schemathesis.openapi.from_dict(
    msgspec.json.decode(openapi_document()), config=schemathesis.Config.from_dict(CONFIG)
)


@SCHEMA.auth(refresh_interval=None)
class SignedIn:
    """An admin. A new session for each request: one of the requests signs out."""

    def get(self, _case: object, _context: object) -> str:
        return TOKENS.issue_token("admin", "admin")[0]

    def set(self, case: schemathesis.Case[Any], token: str, _context: object) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real API process that serves a small dataset."""
    root = tmp_path_factory.mktemp("document")
    with embedded_redis(root / "redis") as server:
        world = World(root, server.url)
        world.write(some_calls())
        world.publish()
        api = Api(
            root,
            APP_ENV="local",
            SECRET_KEY=SECRET,
            REDIS_URL=server.url,
            SUPPORTAPI_HOME=str(world.home),
            MANIFEST_PATH=str(world.data / "manifest.json"),
            REPORTING_TIMEZONES=",".join(ZONES),
            ROLLUP_BUDGET_MB=str(BUDGET_MB),
        )
        try:
            until(lambda: api.ask("GET", "/api/readyz")[0] == 200)
            yield f"http://127.0.0.1:{api.port}"
        finally:
            api.end()


@SCHEMA.exclude(operation_id=ENDLESS).parametrize()
@settings(
    max_examples=settings().max_examples // 10,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
def test_the_api_does_what_its_document_promises(case: schemathesis.Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address)
