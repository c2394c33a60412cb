"""OpenTelemetry traces, sent by OTLP over HTTP. Nothing here is imported unless they are switched on.

A span for each request that either door answers, within it one for each database statement and each call of
another server, and one for each attempt at a job. The library's own instrumentation isn't used: it begins
where Django does, so it would see nothing of the lane, and it comes as betas only.

The lane's statements have no spans: each is made for many requests together.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from threading import Thread
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from core.asgi.types import Application, Receive, Scope, Send
from core.logs.context import belongs_to_trace, facts
from core.tracing import Call, trace_with
from core.version import VERSION
from operations.routes import METHODS, UNKNOWN

# In a scope.
_SPAN = "burgee.span"
_CARRIED = {b"traceparent": "traceparent", b"tracestate": "tracestate"}
_LONGEST_STATEMENT = 2000
# A process that is told to end doesn't wait longer for whoever takes its traces.
_STOP_SECONDS = 3.0

_propagator = TraceContextTextMapPropagator()


class Tracing:
    """The traces of one process. To be made after forking.

    Args:
        exporters: where spans go; by default where the standard variables say.
    """

    def __init__(self, exporters: Sequence[SpanExporter] | None = None) -> None:
        about = {"service.version": VERSION, "deployment.environment.name": settings.ENV}
        if not settings.OTEL_SERVICE_NAME:
            about["service.name"] = "burgee"
        self._provider = TracerProvider(
            sampler=_sampler(), resource=Resource.create(about), shutdown_on_exit=False
        )
        if settings.APPLICATION_INSIGHTS_CONNECTION_STRING:  # its exporter looks there for the resource
            trace.set_tracer_provider(self._provider)
        for exporter in exporters if exporters is not None else _exporters():
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer("burgee", VERSION)

    def start(self) -> None:
        """Trace what this process does from now on."""
        trace_with(self)
        connection_created.connect(self._listen, dispatch_uid="operations.tracing")
        for connection in connections.all(initialized_only=True):
            self._listen(connection)

    def stop(self, within_seconds: float = _STOP_SECONDS) -> None:
        """Trace no more, and send what waits, as far as that goes in the time."""
        trace_with(None)
        connection_created.disconnect(dispatch_uid="operations.tracing")
        sending = Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(within_seconds)

    @contextmanager
    def calling(self, method: str, host: str, port: int) -> Iterator[Call]:
        about: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": host,
            "server.port": port,
        }
        with self._span(method, SpanKind.CLIENT, about) as span:
            headers: dict[str, str] = {}
            _propagator.inject(headers)
            call = Call(headers)
            yield call
            if call.status is not None:
                span.set_attribute("http.response.status_code", call.status)
                if call.status >= 400:
                    span.set_status(StatusCode.ERROR)

    @contextmanager
    def working(self, task: str, attempt: int) -> Iterator[None]:
        with self._span(task, SpanKind.CONSUMER, {"burgee.task": task, "burgee.attempt": attempt}):
            yield

    def statement(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Execute a statement of a traced request or job: Django's wrapper."""
        if not trace.get_current_span().is_recording():
            return execute(sql, params, many, context)
        text = str(sql).strip()
        name = text[:30].partition(" ")[0].upper()
        about = {
            "db.system.name": "postgresql",
            "db.namespace": str(context["connection"].settings_dict["NAME"]),
            "db.operation.name": name,
            "db.query.text": text[:_LONGEST_STATEMENT],  # without its values
        }
        with self._span(name, SpanKind.CLIENT, about):
            return execute(sql, params, many, context)

    @contextmanager
    def _span(self, name: str, kind: SpanKind, about: Mapping[str, str | int]) -> Iterator[Span]:
        # An error's words may have in them what was written, as a database's have. Its kind is enough here.
        with self.tracer.start_as_current_span(
            name, kind=kind, attributes=about, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(StatusCode.ERROR)
                raise

    def _listen(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        if connection.vendor == "postgresql" and self.statement not in connection.execute_wrappers:
            connection.execute_wrappers.insert(0, self.statement)


class TracedServer:
    """The traces of a server's process, and its requests.

    Args:
        route_of: names the route of a request.
    """

    def __init__(self, route_of: Callable[[Scope], str]) -> None:
        self._route_of = route_of
        self._excluded = tuple(settings.OTEL_TRACING_EXCLUDED_URL_PATHS)
        self._tracing: Tracing | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tracing = self._tracing = Tracing()
        tracing.start()
        try:
            yield
        finally:
            self._tracing = None
            await asyncio.to_thread(tracing.stop)

    def around(self, application: Application) -> Application:
        """Return the application with a span around each request; `observe` ends it."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or self._tracing is None or scope["path"].startswith(self._excluded):
                await application(scope, receive, send)
                return
            span = self._begin(self._tracing.tracer, scope)
            token = contexts.attach(trace.set_span_in_context(span))
            try:
                await application(scope, receive, send)
            finally:
                contexts.detach(token)

        return traced

    def observe(self, scope: Scope, status: int, seconds: float, size: int) -> None:
        """End the span of a request that was answered."""
        span: Span | None = scope.pop(_SPAN, None)
        if span is None:
            return
        if span.is_recording():
            route = self._route_of(scope)
            if route != UNKNOWN:
                span.update_name(f"{_method(scope)} {route}")
                span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("http.response.body.size", size)
            if status >= 500:
                span.set_status(StatusCode.ERROR)
        span.end()

    def _begin(self, tracer: trace.Tracer, scope: Scope) -> Span:
        carried = {
            _CARRIED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIED
        }
        # Without a parent of its own it has none, whatever is at hand where the request was read.
        parent = _propagator.extract(carried) if carried else contexts.Context()
        method = _method(scope)
        span = tracer.start_span(method, parent, SpanKind.SERVER, {"http.request.method": method})
        scope[_SPAN] = span
        belongs_to_trace(scope, trace.format_trace_id(span.get_span_context().trace_id))
        if span.is_recording():
            said = facts(scope)
            span.set_attribute("url.path", said["path"])
            span.set_attribute("url.scheme", scope["scheme"])
            span.set_attribute("burgee.request_id", said["request_id"])
            if said["parameters"]:
                span.set_attribute("url.query", said["parameters"])
        return span


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in METHODS else "_OTHER"


def _exporters() -> list[SpanExporter]:
    exporters: list[SpanExporter] = []
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT or settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT:
        exporters.append(OTLPSpanExporter())  # it reads the standard variables itself
    if settings.APPLICATION_INSIGHTS_CONNECTION_STRING:
        # It would tell its maker how it is used.
        os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "True")
        # Not in requirements.txt: `operations.checks` says what to install.
        from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

        exporters.append(
            AzureMonitorTraceExporter(
                connection_string=settings.APPLICATION_INSIGHTS_CONNECTION_STRING,
                disable_offline_storage=True,
            )
        )
    return exporters


def _sampler() -> Sampler | None:
    """Return what chooses the traces; None: what the standard variables say."""
    if not settings.APPLICATION_INSIGHTS_CONNECTION_STRING or settings.OTEL_TRACES_SAMPLER:
        return None
    return ParentBased(TraceIdRatioBased(settings.OPENCENSUS_SAMPLING_RATE))
