"""Traces and logs: one `process` span per sampled message, one span for the batch's SQL, JSON logs without bodies.

The join of everything is `campaign.id` and `commitment.id`, set on every span; links are never the only join. Sampling
is decided at the root (the gateway): everything while idle, a small share under load, errors always. Polling makes no
spans. Attributes come from `contracts.telemetry` only; a span with another name is a bug that a test finds.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from contracts import telemetry as names
from contracts.envelope import EVENT_NAMESPACE, Envelope
from services.kit.clock import monotonic_seconds
from services.kit.settings import KitSettings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXPORT_QUEUE_SPANS_MAX = 2048
EXPORT_TIMEOUT_MILLISECONDS = 5000
FORCE = names.FORCE
NAMESPACE = EVENT_NAMESPACE

UNKNOWN_TYPES: Counter[tuple[str, str]] = Counter()
"""Messages of unknown types by (service, type): counted, never an error (a newer producer)."""


def logger(name: str) -> Any:
    """A structured logger: dotted event names and fields, one JSON object a line on standard error."""
    return structlog.get_logger(name)


def configure_logs(service: str) -> None:
    """Log JSON lines to standard error with the service's name."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


class IdleSampler(Sampler):
    """Samples every root while there are few, and a fixed share of the rest; what is forced (an error) always."""

    def __init__(self, *, per_second: float, ratio: float) -> None:
        self._per_second = per_second
        self._ratio_bound = int(ratio * (1 << 64))
        self._tokens = per_second
        self._last = monotonic_seconds()

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: Any = None,
        attributes: Any = None,
        links: Any = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        """Decide for one root span."""
        now = monotonic_seconds()
        self._tokens = min(max(self._per_second, 1.0), self._tokens + (now - self._last) * self._per_second)
        self._last = now
        take = bool(attributes and attributes.get(FORCE)) or (trace_id & ((1 << 64) - 1)) < self._ratio_bound
        if not take and self._tokens >= 1:
            self._tokens -= 1
            take = True
        return SamplingResult(Decision.RECORD_AND_SAMPLE if take else Decision.DROP)

    def get_description(self) -> str:
        """The sampler's name."""
        return "IdleSampler"


_provider: TracerProvider | None = None
_tracer: trace.Tracer = trace.NoOpTracer()


def configure_traces(service: str, settings: KitSettings, exporter: SpanExporter | None = None) -> None:
    """Set this process's tracer: Zipkin's format for the local viewer, OTLP elsewhere, none without an address."""
    global _provider, _tracer  # noqa: PLW0603 - one tracer per process, set once at start
    exporter = exporter or _exporter(settings)
    if exporter is None:
        return
    sampler = ParentBased(IdleSampler(per_second=settings.trace_idle_per_second, ratio=settings.trace_ratio))
    _provider = TracerProvider(resource=Resource.create({names.SERVICE_NAME: service}), sampler=sampler)
    _provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=EXPORT_QUEUE_SPANS_MAX,
            schedule_delay_millis=1000,
            export_timeout_millis=EXPORT_TIMEOUT_MILLISECONDS,
        )
    )
    _tracer = _provider.get_tracer("alpmera")


def _exporter(settings: KitSettings) -> SpanExporter | None:
    if settings.traces_url:
        from opentelemetry.exporter.zipkin.json import ZipkinExporter  # only the local viewer needs it

        return ZipkinExporter(endpoint=settings.traces_url)
    if settings.otlp_url:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=settings.otlp_url)
    return None


def shutdown() -> None:
    """Send what is queued, within the exporter's bound."""
    if _provider is not None:
        _provider.shutdown()


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace that a traceparent of ours names, as 32 hexadecimal digits; None without one."""
    return traceparent.split("-")[1] if traceparent else None


def parse_traceparent(value: str | None) -> SpanContext | None:
    """The remote span of a W3C traceparent header; None when absent or malformed."""
    if not value:
        return None
    parts = value.split("-")
    if len(parts) != 4 or len(parts[1]) != 32 or len(parts[2]) != 16:
        return None
    try:
        return SpanContext(
            trace_id=int(parts[1], 16),
            span_id=int(parts[2], 16),
            is_remote=True,
            trace_flags=TraceFlags(int(parts[3], 16)),
        )
    except ValueError:
        return None


def traceparent_of(span: Span) -> str | None:
    """The header that makes others children of this span; None when the span is not recorded."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def is_sampled(traceparent: str | None) -> bool:
    """Whether the sender's trace is recorded: the lowest bit of the flags. Others may stand beside it, such as the one
    that says that the trace's id is random."""
    return bool(traceparent) and str(traceparent)[-1] in "13579bdf"


@contextmanager
def span(
    name: str,
    *,
    parent: str | None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, Any] | None = None,
) -> Iterator[Span]:
    """A span under a traceparent (a root without one). An exception marks it with its class alone, since its words may
    quote a body, and goes on."""
    remote = parse_traceparent(parent)
    context = trace.set_span_in_context(trace.NonRecordingSpan(remote)) if remote else None
    with _tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=dict(attributes or {}),
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except Exception as error:
            made.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def commitment_of(body: Any) -> Any:
    """The commitment that a message or an intent's request is about, None when it names none."""
    return body.get("commitment_id") if isinstance(body, Mapping) else getattr(body, "commitment_id", None)


def scope_attributes(key: str, commitment_id: Any = None) -> dict[str, str]:
    """The joining attributes of a message: its campaign and, when known, its commitment."""
    attributes = {names.MESSAGING_KAFKA_KEY: key}
    if len(key) == 36:
        attributes[names.CAMPAIGN_ID] = key
    if commitment_id is not None:
        attributes[names.COMMITMENT_ID] = str(commitment_id)
    return attributes


@dataclass
class BatchSpans:
    """The spans of one batch: its SQL span, and a `process` span for each sampled message."""

    consumer: str
    service: str
    count: int
    batch: Span | None = None

    @contextmanager
    def process(self, envelope: Envelope, commitment_id: Any = None) -> Iterator[Envelope]:
        """The `process` span of one message; yields the envelope whose traceparent events inherit."""
        if not is_sampled(envelope.traceparent):
            yield envelope
            return
        attributes: dict[str, Any] = scope_attributes(envelope.key, commitment_id) | {
            names.MESSAGING_SYSTEM: "kafka",
            names.MESSAGING_OPERATION_NAME: "process",
            names.MESSAGING_OPERATION_TYPE: "process",
            names.MESSAGING_CONSUMER_GROUP: self.consumer,
            names.MESSAGING_BATCH_COUNT: self.count,
            names.MESSAGE_ID: str(envelope.id),
        }
        if self.batch is not None:
            attributes[names.BATCH_SPAN] = f"{self.batch.get_span_context().span_id:016x}"
        with span(
            f"process {envelope.type}", parent=envelope.traceparent, kind=SpanKind.CONSUMER, attributes=attributes
        ) as made:
            yield replace(envelope, traceparent=traceparent_of(made) or envelope.traceparent)

    @contextmanager
    def process_together(self, handled: Sequence[tuple[Envelope, Any]]) -> Iterator[None]:
        """The `process` spans of messages that are folded as one: each is as long as the fold."""
        with ExitStack() as spans:
            for envelope, message in handled:
                if is_sampled(envelope.traceparent):
                    spans.enter_context(self.process(envelope, commitment_of(message)))
            yield


@contextmanager
def batch_span(service: Any, envelopes: Sequence[Envelope]) -> Iterator[BatchSpans]:
    """The span of a batch's transaction when any of its messages is sampled; a batch of one is a plain child."""
    sampled = [envelope for envelope in envelopes if is_sampled(envelope.traceparent)]
    spans = BatchSpans(consumer=service.consumer, service=service.name, count=len(envelopes))
    if not sampled:
        yield spans
        return
    parent = sampled[0].traceparent
    attributes: dict[str, Any] = {
        names.MESSAGING_CONSUMER_GROUP: service.consumer,
        names.MESSAGING_BATCH_COUNT: len(envelopes),
    }
    if len(envelopes) == 1:
        attributes |= scope_attributes(sampled[0].key)
    with span(f"apply batch {service.consumer}", parent=parent, attributes=attributes) as made:
        spans.batch = made
        yield spans


def error_span(name: str, envelope: Envelope) -> None:
    """Record a failure even when its trace is not sampled."""
    attributes = scope_attributes(envelope.key) | {FORCE: True, names.OUTCOME: "error"}
    parent = envelope.traceparent if is_sampled(envelope.traceparent) else None
    with span(name, parent=parent, attributes=attributes) as made:
        made.set_status(Status(StatusCode.ERROR))


def count_unknown(service: str, message_type: str) -> None:
    """Count a message of a type this code does not know."""
    UNKNOWN_TYPES[(service, message_type)] += 1
