"""Traces, as a collector on this machine is sent them."""

import gzip
import re
import time
from typing import Any

import pytest
from django.core.checks import run_checks
from rest_framework.authtoken.models import Token

from app.tests.doors import Exchange, running_server
from core.logs import context
from core.outgoing import post
from core.tests.receivers import answering, receiver, status
from core.tracing import working
from tasks.services import enqueue, run_due

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry isn't installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from operations.tracing import Tracing

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CLOSING = answering(status(200, "Connection: close"))


class Spans:
    """What a collector was sent, read back."""

    def __init__(self, requests: list[bytes]) -> None:
        self.resource: dict[str, Any] = {}
        self.all = []
        for sent in requests:
            assert sent.startswith(b"POST /v1/traces ")
            read = ExportTraceServiceRequest.FromString(sent.partition(b"\r\n\r\n")[2])
            for of_resource in read.resource_spans:
                self.resource |= _attributes(of_resource.resource)
                self.all += [span for scope in of_resource.scope_spans for span in scope.spans]

    def named(self, pattern: str) -> list[Any]:
        return [span for span in self.all if re.fullmatch(pattern, span.name)]


def _attributes(of: Any) -> dict[str, Any]:
    return {
        each.key: each.value.string_value if each.value.HasField("string_value") else each.value.int_value
        for each in of.attributes
    }


@pytest.fixture
def collector(settings, monkeypatch):
    with receiver(CLOSING) as received:
        settings.TRACES_ENABLED = True
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = f"http://127.0.0.1:{received.port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", settings.OTEL_EXPORTER_OTLP_ENDPOINT)
        yield received


def test_requests_of_both_doors_and_their_statements_are_traced(transactional_db, collector, admin, settings):
    settings.PROMETHEUS_ENABLED = False  # traces know routes without it
    token = Token.objects.create(user=admin).key
    given = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("Authorization", f"Token {token}"))

    with running_server() as server:
        server.ask(Exchange("GET", "/api/v1/flags/?token=canary", (("X-Environment-Key", "nobody's"),)))
        server.ask(Exchange("GET", "/api/v1/organisations/?name=canary@example.org", given))
        server.ask(Exchange("GET", "/health/liveness/"))

    spans = Spans(collector.requests)
    assert spans.resource["service.name"] == "burgee"
    assert {"service.version", "deployment.environment.name"} <= spans.resource.keys()
    assert not spans.named(".*liveness.*")
    (of_lane,) = spans.named("GET /api/v1/flags/")
    (of_django,) = spans.named("GET /api/v1/organisations/")
    assert _attributes(of_lane)["http.response.status_code"] == 403
    assert _attributes(of_lane)["url.query"] == "token=…"
    assert _attributes(of_django)["http.response.status_code"] == 200
    assert (of_django.trace_id.hex(), of_django.parent_span_id.hex()) == (TRACE, PARENT)
    statements = [span for span in spans.named("SELECT") if span.trace_id == of_django.trace_id]
    assert statements
    assert {span.parent_span_id for span in statements} == {of_django.span_id}
    texts = [_attributes(span)["db.query.text"] for span in statements]
    assert all(text.startswith("SELECT") and token not in text for text in texts)


def test_jobs_and_what_is_called_are_traced_and_the_trace_is_passed_on(db, collector, settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    enqueue("operations.answer_health_check")
    with receiver(answering(status(503))) as called:
        tracing = Tracing()
        tracing.start()
        try:
            run_due()
            with working("webhooks.send", attempt=2):
                post(called.url(), b"{}")
        finally:
            tracing.stop()

    spans = Spans(collector.requests)
    (run,) = spans.named("operations.answer_health_check")
    assert {span.name for span in spans.all if span.parent_span_id == run.span_id} >= {"DELETE"}
    (job,) = spans.named("webhooks.send")
    (call,) = spans.named("POST")
    assert (call.parent_span_id, _attributes(job)["burgee.attempt"]) == (job.span_id, 2)
    assert called.headers["traceparent"].startswith(f"00-{call.trace_id.hex()}-{call.span_id.hex()}-")
    assert _attributes(call)["http.response.status_code"] == 503


def test_without_traces_the_trace_that_a_request_belongs_to_is_passed_on(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    traceparent = f"00-{TRACE}-{PARENT}-01"
    token = context.current.set({"headers": [(b"traceparent", traceparent.encode())]})
    try:
        with receiver() as called:
            post(called.url(), b"{}")
    finally:
        context.current.reset(token)

    assert called.headers["traceparent"] == traceparent


def test_application_insights_is_sent_the_same_traces(settings):
    pytest.importorskip("azure.monitor.opentelemetry.exporter", reason="Azure's exporter isn't installed")
    taken = b'{"itemsReceived": 1, "itemsAccepted": 1, "errors": []}'
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(taken), taken)
    with receiver(answering(answer)) as azure:
        settings.APPLICATION_INSIGHTS_CONNECTION_STRING = (
            "InstrumentationKey=00000000-0000-0000-0000-000000000001;"
            f"IngestionEndpoint=http://127.0.0.1:{azure.port}"
        )
        tracing = Tracing()
        with tracing.working("webhooks.send", attempt=2):
            tracing.start()
        tracing.stop()

    sent = [request.partition(b"\r\n\r\n") for request in azure.requests]
    assert sent[0][0].startswith(b"POST /v2.1/track")
    texts = [gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body for _, _, body in sent]
    assert any(b"webhooks.send" in text for text in texts)


def test_a_collector_that_is_away_holds_nobody_up(transactional_db, collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    tracing = Tracing()
    with tracing.tracer.start_as_current_span("any"):
        pass
    started = time.monotonic()

    tracing.stop(within_seconds=0.2)

    assert time.monotonic() - started < 2


def test_what_traces_need_is_checked_and_what_is_not_spoken_is_said(settings):
    settings.TRACES_ENABLED = True
    settings.OTEL_EXPORTER_OTLP_PROTOCOL = "grpc"
    settings.APPLICATION_INSIGHTS_CONNECTION_STRING = (
        "InstrumentationKey=00000000-0000-0000-0000-000000000000"
    )

    found = {message.id for message in run_checks()}

    assert "operations.W001" in found
