"""What a span tells of its sender and of a failure: the sampling bit among others, a class of error and no words."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.kit import telemetry

TRACE_AND_SPAN = f"{'1' * 32}-{'2' * 16}"


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("fe", False), ("ff", True)]
)
def test_a_trace_is_sampled_by_the_lowest_bit_whatever_stands_beside_it(flags: str, sampled: bool) -> None:
    assert telemetry.is_sampled(f"00-{TRACE_AND_SPAN}-{flags}") is sampled


def test_a_message_without_a_trace_is_not_sampled() -> None:
    assert not telemetry.is_sampled(None)
    assert not telemetry.is_sampled("")


def test_a_failed_span_names_the_class_of_its_error_and_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    with pytest.raises(ValueError, match="someone@people"), telemetry.span("work", parent=None):
        raise ValueError("someone@people.test sent ctoken_1")
    (made,) = exporter.get_finished_spans()
    assert made.status.description == "ValueError"
    assert made.events == ()
    assert "people" not in made.to_json()
