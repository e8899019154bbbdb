"""Traces from a request to its job and the publish, by OpenTelemetry's own exporter to memory; and traces off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from supportapi import tracing
from supportapi.api.traced import Traced
from supportapi.errors import StartRefused
from supportapi.refresh.job import run_build, run_refresh
from tests.api.world import serving, settle, some_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.api.world import World

pytestmark = pytest.mark.anyio

SOURCES = str(Path(__file__).parents[2] / "src")
TRACE = "0af7651916cd43dd8448eb211c80319c"
CLIENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.start("test", exporter)
    yield exporter
    tracing.stop()


def ancestry(span: ReadableSpan, spans: dict[int, ReadableSpan]) -> list[str]:
    """The names from a span up to the client, of whom only the id is known."""
    names = [span.name]
    while span.parent is not None and span.parent.span_id in spans:
        span = spans[span.parent.span_id]
        names.append(span.name)
    return names


async def test_a_refresh_can_be_followed_from_the_click_to_the_publish(
    world: World, exported: InMemorySpanExporter
) -> None:
    async with serving(world, refresh_enabled=True) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        world.write(some_calls(30))
        transport = httpx.ASGITransport(app=Traced(api.edge))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            accepted = await client.post(
                "/api/settings/refresh", headers=api.bearer("admin") | {"traceparent": CLIENT, "x-request-id": "mine"}
            )
        refresh = accepted.json()["data"]["id"]
        run_refresh(world.workshop, refresh, 1, worker="worker")
        build = next(record for record in world.records.list() if record.kind == "build" and record.open)
        run_build(world.workshop, build.id, 1, worker="worker")

    spans = {span.context.span_id: span for span in exported.get_finished_spans() if span.context is not None}
    [published] = [span for span in spans.values() if span.name == "build.publish"]
    [requested] = [span for span in spans.values() if span.name == "POST /api/settings/refresh"]
    assert {f"{span.context.trace_id:032x}" for span in spans.values() if span.context is not None} == {TRACE}
    assert ancestry(published, spans) == [
        "build.publish", "build", "build.request", "refresh", "refresh.request", "POST /api/settings/refresh",
    ]  # fmt: skip
    assert requested.parent is not None
    assert f"{requested.parent.span_id:016x}" == "b7ad6b7169203331"
    assert dict(requested.attributes or {}) == {
        "http.request.method": "POST", "http.response.status_code": 202, "http.route": "/api/settings/refresh",
        "supportapi.request_id": "mine", "url.path": "/api/settings/refresh",
    }  # fmt: skip
    outcomes = {span.name: (span.attributes or {}).get("outcome") for span in spans.values()}
    assert (outcomes["build"], outcomes["refresh"]) == ("succeeded", "succeeded")


async def test_a_ready_answer_has_a_span_too(world: World, exported: InMemorySpanExporter) -> None:
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        transport = httpx.ASGITransport(app=Traced(api.edge))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            first = await client.get("/api/metrics", headers=api.bearer())
            second = await client.get("/api/metrics", headers=api.bearer())

    statuses = [(span.attributes or {}).get("http.response.status_code") for span in exported.get_finished_spans()]
    assert first.content == second.content
    assert statuses == [200, 200]


def test_a_failed_stage_says_so_in_its_span(exported: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="torn"), tracing.span("build.pin"):
        raise ValueError("torn")

    [span] = exported.get_finished_spans()
    assert span.status.is_ok is False
    assert [event.name for event in span.events] == ["exception"]


def test_while_traces_are_off_nothing_is_traced_and_nothing_for_it_is_imported() -> None:
    program = (
        "import sys, supportapi.processes.application, supportapi.processes.worker\nfrom supportapi import tracing\n"
        "with tracing.span('anything', parent='x') as span: print(span, tracing.traceparent())\n"
        "traces = ('opentelemetry.sdk.trace', 'opentelemetry.exporter')\n"
        "print([name for name in sys.modules if name.startswith(traces)])"
    )

    shown = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": SOURCES}, capture_output=True, text=True, check=True
    ).stdout

    assert shown.splitlines() == ["None None", "[]"]


def test_asked_for_without_the_extra_a_process_refuses_to_start_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "_NEEDED", ("opentelemetry.no_such_part",))

    with pytest.raises(StartRefused, match=r"pip install 'supportapi\[otel\]'"):
        tracing.refuse_without_extra()
