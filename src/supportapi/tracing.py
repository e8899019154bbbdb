"""Traces, for whoever collects them: from a request to the job that it asked for, and to the publish.

Off until a process calls `start`: until then a span is nothing, and nothing that traces is imported (OpenTelemetry is
the optional extra `otel`). Where spans are sent is said by the usual `OTEL_...` variables, which its own SDK reads.
"""

from __future__ import annotations

import contextlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal

from supportapi.errors import StartRefused

if TYPE_CHECKING:
    from collections.abc import Generator

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

_NEEDED: Final = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
_HEADER: Final = "traceparent"


class _Tracing:
    """Where the spans of this process go; None: nowhere."""

    provider: TracerProvider | None = None


def refuse_without_extra() -> None:
    """Raises `StartRefused` when what traces need is not installed."""
    try:
        missing = [name for name in _NEEDED if find_spec(name) is None]
    except ModuleNotFoundError:  # not even the package that it would be in
        missing = list(_NEEDED)
    if missing:
        remedy = "Install it with: pip install 'supportapi[otel]', or leave TRACING_ENABLED out."
        raise StartRefused(f"TRACING_ENABLED=true needs OpenTelemetry, which is not installed. {remedy}")


def start(process: str, exporter: SpanExporter | None = None) -> None:
    """Send the spans of this process, in batches by OTLP, or each at once to `exporter`.

    A fork needs a start of its own: the threads of its parent are not in it.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  see above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": f"supportapi-{process}"}))
    sends = BatchSpanProcessor(OTLPSpanExporter()) if exporter is None else SimpleSpanProcessor(exporter)
    provider.add_span_processor(sends)
    _Tracing.provider = provider


def stop() -> None:
    """Send what is waiting, and no more."""
    if _Tracing.provider is not None:
        _Tracing.provider.shutdown()
        _Tracing.provider = None


@contextlib.contextmanager
def span(
    name: str,
    *,
    kind: Literal["internal", "server", "producer", "consumer"] = "internal",
    parent: str | None = None,
    **attributes: object,
) -> Generator[Span | None]:
    """A span around what is done within; None while traces are off.

    Its parent is the one around it, or the one that `parent` (a `traceparent`) names. Attributes of None are left out.
    """
    if _Tracing.provider is None:
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - see the module's docstring; so below
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    context = TraceContextTextMapPropagator().extract({_HEADER: parent}) if parent else None
    known: dict[str, Any] = {key.replace("__", "."): value for key, value in attributes.items() if value is not None}
    tracer = _Tracing.provider.get_tracer("supportapi")
    with tracer.start_as_current_span(name, context, kind=SpanKind[kind.upper()], attributes=known) as begun:
        yield begun


def traceparent() -> str | None:
    """The span around the caller, as others can name it for their parent; None while traces are off."""
    if _Tracing.provider is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(_HEADER)
