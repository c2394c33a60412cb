"""Reports of errors, to Sentry."""

from app.settings.environment import env

SENTRY_SDK_DSN = env.secret("SENTRY_SDK_DSN", help="Sentry project that errors are reported to; empty: none.")
SENTRY_TRACE_SAMPLE_RATE = env.number(
    "SENTRY_TRACE_SAMPLE_RATE", 1.0, help="Share of the SDKs' requests that it is sent as they went."
)
DASHBOARD_ENDPOINTS_SENTRY_TRACE_SAMPLE_RATE = env.number(
    "DASHBOARD_ENDPOINTS_SENTRY_TRACE_SAMPLE_RATE", 1.0, help="The same of all others, but those of probes."
)
FORCE_SENTRY_TRACE_KEY = env.secret(
    "FORCE_SENTRY_TRACE_KEY",
    help="A request with this in X-Force-Sentry-Trace-Key is sent whatever the share.",
)
