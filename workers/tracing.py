"""Optional traces: OpenTelemetry spans that carry names and counts only, sent to a collector by OTLP over HTTP as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from opentelemetry import trace
from opentelemetry.context import Context

from workers.settings import Settings, SettingsError

_tracer = trace.get_tracer("eligo")
_EVERY = 1000  # ms between exports
_TIMEOUT = 5.0  # seconds


@contextmanager
def span(name: str, parent: Context | None = None) -> Iterator[trace.Span]:
    """A span that records no exception: its message can quote a note."""
    with _tracer.start_as_current_span(name, parent, record_exception=False, set_status_on_exception=False) as found:
        yield found


def start_tracing(settings: Settings, component: str) -> None:
    """Send this process's spans, where OTEL_EXPORTER_OTLP_ENDPOINT names a collector. Call it after a fork, not before.

    Raises SettingsError where opentelemetry-sdk is not installed.
    """
    if not settings.otlp_endpoint:
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    except ImportError:
        raise SettingsError("OTEL_EXPORTER_OTLP_ENDPOINT is set: install opentelemetry-sdk, or unset it") from None

    client, url = httpx.Client(timeout=_TIMEOUT), settings.otlp_endpoint.rstrip("/") + "/v1/traces"

    class Otlp(SpanExporter):
        """A collector that is away costs its spans, nothing else."""

        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            try:
                answer = client.post(url, json=otlp(spans, f"eligo-{component}"))
            except httpx.HTTPError:
                return SpanExportResult.FAILURE
            return SpanExportResult.SUCCESS if answer.is_success else SpanExportResult.FAILURE

    provider = TracerProvider(resource=Resource({}))
    provider.add_span_processor(BatchSpanProcessor(Otlp(), schedule_delay_millis=_EVERY))
    trace.set_tracer_provider(provider)


def otlp(spans: Sequence[Any], service: str) -> dict[str, Any]:
    """Spans in the JSON encoding of OTLP 1 (ExportTraceServiceRequest)."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": service})},
                "scopeSpans": [{"scope": {"name": "eligo"}, "spans": [_span(one) for one in spans]}],
            }
        ]
    }


def _span(one: Any) -> dict[str, Any]:
    return {
        "traceId": f"{one.context.trace_id:032x}",
        "spanId": f"{one.context.span_id:016x}",
        **({"parentSpanId": f"{one.parent.span_id:016x}"} if one.parent else {}),
        "name": one.name,
        "kind": one.kind.value + 1,  # OTLP counts from SPAN_KIND_UNSPECIFIED
        "startTimeUnixNano": str(one.start_time),
        "endTimeUnixNano": str(one.end_time),
        "attributes": _attributes(one.attributes or {}),
    }


def _attributes(values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}} for key, value in values.items()]
