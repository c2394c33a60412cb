"""Requests, who may send them from where, and the requests that this server sends."""

from app.settings.common.cookies import COOKIE_AUTH_ENABLED
from app.settings.common.installation import FLAGSMITH_DOMAIN
from app.settings.environment import env

# Upstream proxies whose X-Forwarded-For entries are believed, counted from the right.
NUM_PROXIES = env.integer("NUM_PROXIES", 1, help="Trusted proxies in front of this server.")
MAX_REQUEST_BODY_BYTES = env.integer(
    "MAX_REQUEST_BODY_BYTES", 1024 * 1024, help="Largest request body in bytes; larger ones get 413."
)
MAX_IMPORT_BODY_BYTES = env.integer(
    "MAX_IMPORT_BODY_BYTES", 10 * 1024 * 1024, help="The same where files are imported."
)
OUTGOING_ALLOWED_HOSTS = env.items(
    "OUTGOING_ALLOWED_HOSTS",
    help="Names, addresses and networks in private networks that webhooks and integrations may call.",
)
DISABLE_WEBHOOKS = env.boolean(
    "DISABLE_WEBHOOKS", help="Send nothing to webhooks. What waits is sent once this is off again."
)
WEBHOOK_BACKOFF_BASE = env.integer(
    "WEBHOOK_BACKOFF_BASE",
    2,
    at_least=1,
    help="Seconds before a message is sent to a webhook again; to the power of how often it has failed, "
    "up to an hour.",
)
WEBHOOK_BACKOFF_RETRIES = env.integer(
    "WEBHOOK_BACKOFF_RETRIES", 0, help="Attempts at a message to a webhook; 0: as many as 24 hours take."
)
WEBHOOK_LOG_RETENTION_DAYS = env.integer(
    "WEBHOOK_LOG_RETENTION_DAYS", 30, help="Days that the log of webhooks' deliveries reaches back."
)
# A peer outside of these networks can't say who its request is from, nor that it came over TLS.
FORWARDED_ALLOW_IPS = env.items(
    "FORWARDED_ALLOW_IPS",
    ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
    help="Addresses and networks of proxies whose forwarded headers count; `*` for all.",
)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_REQUEST_BODY_BYTES
FLAGS_MAX_AGE_SECONDS = env.integer(
    "FLAGS_MAX_AGE_SECONDS",
    0,
    help="Let caches between keep `flags/` for so long, and answer old flags meanwhile; 0 = never.",
)
CORS_ALLOW_ALL_ORIGINS = env.boolean(
    "CORS_ORIGIN_ALLOW_ALL", not COOKIE_AUTH_ENABLED, help="Answer browsers of every origin."
)
CORS_ALLOWED_ORIGINS = [
    *env.items(
        "CORS_ALLOWED_ORIGINS",
        env.items("ALLOWED_ORIGINS", help="Read when CORS_ALLOWED_ORIGINS is unset."),
        help="Browser origins answered when not all are.",
    ),
    *([f"https://{FLAGSMITH_DOMAIN}", f"http://{FLAGSMITH_DOMAIN}"] if FLAGSMITH_DOMAIN else []),
]
CORS_ALLOW_CREDENTIALS = env.boolean(
    "CORS_ALLOW_CREDENTIALS", COOKIE_AUTH_ENABLED, help="Let browsers send cookies."
)
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "cache-control",
    "content-type",
    "flagsmith-application-name",
    "flagsmith-application-version",
    "flagsmith-sdk-user-agent",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "user-agent",
    "x-api-key",
    "x-burgee-break-glass",
    "x-burgee-min-revision",
    "x-csrftoken",
    "x-e2e-test-auth-token",
    "x-environment-key",
    "x-request-id",
    "x-requested-with",
    *env.items(
        "FLAGSMITH_CORS_EXTRA_ALLOW_HEADERS",
        ["sentry-trace", "traceparent", "tracestate", "baggage"],
        help="Further request headers that browsers may send.",
    ),
]
CORS_EXPOSE_HEADERS = [
    "x-flagsmith-document-updated-at",
    "etag",
    "idempotent-replayed",
    "retry-after",
    "flagsmith-version",
    "x-burgee-revision",
    "x-burgee-degraded",
    "x-burgee-persisted",
    "x-request-id",
]
