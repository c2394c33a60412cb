"""Traces, by OpenTelemetry. Its library reads further standard variables itself: OTEL_…"""

from app.settings.environment import env

OTEL_EXPORTER_OTLP_ENDPOINT = env.text(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    help="Collector that takes traces by OTLP over HTTP, as in http://collector:4318; empty: none.",
)
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = env.text(
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", help="The whole URL for traces, where it isn't below that one."
)
OTEL_EXPORTER_OTLP_PROTOCOL = env.text(
    "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", help="How they are sent; nothing else is spoken."
)
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", help="What traces call this service; unset: burgee.")
OTEL_TRACES_SAMPLER = env.text(
    "OTEL_TRACES_SAMPLER",
    help="Which are sent, as in parentbased_traceidratio with OTEL_TRACES_SAMPLER_ARG=0.01; unset: all.",
)
OTEL_SDK_DISABLED = env.boolean("OTEL_SDK_DISABLED", help="Trace nothing, whatever else is set.")
OTEL_TRACING_EXCLUDED_URL_PATHS = env.items(
    "OTEL_TRACING_EXCLUDED_URL_PATHS",
    ["/health", "/metrics"],
    help="Beginnings of paths that aren't traced.",
)
APPLICATION_INSIGHTS_CONNECTION_STRING = env.secret(
    "APPLICATION_INSIGHTS_CONNECTION_STRING",
    help="Azure Application Insights that traces go to; needs azure-monitor-opentelemetry-exporter.",
)
OPENCENSUS_SAMPLING_RATE = env.number(
    "OPENCENSUS_SAMPLING_RATE", 1.0, help="Share of requests that it gets, unless OTEL_TRACES_SAMPLER is set."
)
TRACES_ENABLED = not OTEL_SDK_DISABLED and bool(
    OTEL_EXPORTER_OTLP_ENDPOINT
    or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
    or APPLICATION_INSIGHTS_CONNECTION_STRING
)
