"""Settings that hold everywhere. This module alone reads the process environment.

The other modules say only what is different: `local` (a developer's machine), `develop` (a shared
test installation), `production`, and `test`.
"""

from pathlib import Path
from typing import Any

from app.settings.environment import Environment
from app.settings.mail import SesAccess, mail_settings
from core.caches import bytes_cache

env = Environment()

API_DIR = Path(__file__).resolve().parent.parent.parent
REPOSITORY_DIR = API_DIR.parent

# ---------------------------------------------------------------------------------------------
# Identity of this installation
# ---------------------------------------------------------------------------------------------
ENV = env.text(
    "ENV", env.text("ENVIRONMENT", "local", help="Read when ENV is unset."), help="Name of this environment."
)
DEBUG = env.boolean("DEBUG", help="Django's debug mode. Never in production.")
SECRET_KEY = env.text(
    "DJANGO_SECRET_KEY",
    env.text("SECRET_KEY", help="Read when DJANGO_SECRET_KEY is unset."),
    help="Signs sessions and tokens; all instances share it. `python secret-key-gen.py` makes one.",
)
SECRET_KEY_FALLBACKS = env.items(
    "DJANGO_SECRET_KEY_FALLBACKS",
    help="Earlier secret keys: what they signed or encrypted stays valid while they stand here.",
)
ALLOWED_HOSTS = env.items("DJANGO_ALLOWED_HOSTS", help="Host names that are served; `*` for all.")
CSRF_TRUSTED_ORIGINS = [
    origin
    for item in env.items("DJANGO_CSRF_TRUSTED_ORIGINS", help="Origins trusted for unsafe requests.")
    for origin in ([item] if "://" in item else [f"https://{item}", f"http://{item}"])
]
FLAGSMITH_DOMAIN = (
    env.text("FLAGSMITH_DOMAIN", help="Host, with its port if need be, that links in mails lead to.")
    .rpartition("://")[2]
    .strip("/ ")
)
SITE_ID = 1
DATA_DIR = Path(
    env.text(
        "DATA_DIR",
        str(REPOSITORY_DIR / ".data"),
        help="Folder of what a machine makes for itself: the secret key and database of local settings.",
    )
)

# ---------------------------------------------------------------------------------------------
# Applications
# ---------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "accounts.admin_site.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "djoser",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
    "rest_framework.authtoken",
    "core",
    "tasks",
    "mails",
    "webhooks",
    "users",
    "permissions",
    "audit",
    "organisations",
    "projects",
    "accounts",
    "metadata",
    "environments",
    "segments",
    "identities",
    "features",
    "analytics",
    "health",
    "integrations",
    "audit_log",
    "workflows",
    "documents",
    "releases",
    "sdk",
    "operations",
    "app",
]
ENABLE_GZIP_COMPRESSION = env.boolean(
    "ENABLE_GZIP_COMPRESSION", help="Compress answers for clients that take gzip."
)
MIDDLEWARE = [
    "core.middleware.ResponseHeadersMiddleware",
    *(["django.middleware.gzip.GZipMiddleware"] if ENABLE_GZIP_COMPRESSION else []),
    "operations.middleware.RouteMiddleware",
    "core.middleware.OptionalSlashMiddleware",
    "core.middleware.AdminAddressesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.BodyLimitMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "audit.middleware.CauseMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "environments.middleware.PublishedRevisionsMiddleware",
    "core.middleware.ServiceKeyMiddleware",
    "core.middleware.RehearsalMiddleware",
]
ROOT_URLCONF = "app.urls"
WSGI_APPLICATION = "app.wsgi.application"  # runserver
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ---------------------------------------------------------------------------------------------
# Database
# ---------------------------------------------------------------------------------------------
_database_url = env.database(
    "DATABASE_URL", help="The main database, postgres://user:password@host:port/name."
)
_connection_settings: dict[str, Any] = {
    "CONN_MAX_AGE": max(
        env.integer(
            "DJANGO_DB_CONN_MAX_AGE",
            60,
            at_least=-1,
            help="Seconds a database connection is kept; -1 closes it after each request.",
        ),
        0,
    ),
    # One that the server has closed meanwhile, as when it was restarted, is opened anew.
    "CONN_HEALTH_CHECKS": True,
}
# A server that takes connections and says nothing must not hold up a thread for ever.
_CONNECT_SECONDS = 5


def with_connection_settings(database: dict[str, Any]) -> dict[str, Any]:
    """Return a database's settings with those that hold for all; what its URL says of its options wins."""
    options = {"connect_timeout": _CONNECT_SECONDS} | database.get("OPTIONS", {})
    return database | _connection_settings | {"OPTIONS": options}


_database_parts: dict[str, Any] = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": env.text(
        "DJANGO_DB_NAME", help="Database name; used with the other DJANGO_DB_* when DATABASE_URL is unset."
    ),
    "USER": env.text("DJANGO_DB_USER", help="Database user."),
    "PASSWORD": env.text("DJANGO_DB_PASSWORD", help="Database password."),
    "HOST": env.text("DJANGO_DB_HOST", help="Database host."),
    "PORT": env.integer("DJANGO_DB_PORT", 5432, help="Database port."),
}
_replicas = env.databases(
    "REPLICA_DATABASE_URLS",
    delimiter=env.text(
        "REPLICA_DATABASE_URLS_DELIMITER", ",", help="What stands between the URLs of replicas."
    ),
    help="Read replicas, beside DATABASE_URL; they spare it the reads of what SDKs are served.",
)
_replicas = (
    env.numbered_databases(
        "REPLICA_DATABASE_URL",
        help="Replicas one by one, instead of the list: _0, _1, _2, up to the first that is missing.",
    )
    or _replicas
)
# With neither set the settings still load: `collectstatic` runs while an image is built.
DATABASES: dict[str, Any] = {}
if _database_url:
    DATABASES["default"] = with_connection_settings(_database_url)
    for _number, _replica in enumerate(_replicas, start=1):
        DATABASES[f"replica_{_number}"] = with_connection_settings(_replica)
elif _database_parts["NAME"]:
    DATABASES["default"] = with_connection_settings(_database_parts)
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # SDKs read ids as 31-bit integers

# ---------------------------------------------------------------------------------------------
# Caches
# ---------------------------------------------------------------------------------------------
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "TIMEOUT": 60},
    # What workers of several hosts share. Its entries are named by revision, so how long they are kept
    # doesn't decide how old an answer may be.
    "environments": bytes_cache(
        env.text(
            "ENVIRONMENT_CACHE_BACKEND",
            "django.core.cache.backends.locmem.LocMemCache",
            help="Django cache back end in which hosts share snapshots; one of local memory isn't used.",
        ),
        env.text("ENVIRONMENT_CACHE_LOCATION", "environment-objects", help="Location of that cache."),
        env.integer(
            "ENVIRONMENT_CACHE_SECONDS",
            86_400,
            help="Seconds that a snapshot is kept there; 0 keeps none. Never how old an answer may be.",
        ),
    ),
}
_user_throttle_backend = env.text(
    "USER_THROTTLE_CACHE_BACKEND",
    help="Cache back end, shared by all workers, that counts the throttle `user`; empty: the database.",
)
_user_throttle_location = env.text("USER_THROTTLE_CACHE_LOCATION", help="Location of that cache.")
_user_throttle_options = env.pairs("USER_THROTTLE_CACHE_OPTIONS", help="Its options, `name=value,…`.")
if _user_throttle_backend:
    CACHES["user_throttle"] = {
        "BACKEND": _user_throttle_backend,
        "LOCATION": _user_throttle_location,
        "OPTIONS": _user_throttle_options,
    }

# ---------------------------------------------------------------------------------------------
# Snapshots
# ---------------------------------------------------------------------------------------------
SNAPSHOT_DIR = env.text(
    "SNAPSHOT_DIR",
    str(DATA_DIR / "snapshots"),
    help="Folder in which this host's workers share snapshots, and start from when the database is away.",
)
SNAPSHOT_MEMORY_BYTES = env.integer(
    "SNAPSHOT_MEMORY_BYTES",
    384 * 1024 * 1024,
    help="Memory that snapshots may take in each process; the least recently used leave.",
)
KEPT_ANSWERS_BYTES = env.integer(
    "KEPT_ANSWERS_BYTES",
    32 * 1024 * 1024,
    help="Memory of each process for flags of identities that were asked for more than once; 0 keeps none.",
)
TRAIT_BUFFER_BYTES = env.integer(
    "TRAIT_BUFFER_BYTES",
    16 * 1024 * 1024,
    help="Memory of each process for traits that wait for the database; what no longer fits is lost.",
)

# ---------------------------------------------------------------------------------------------
# Identities
# ---------------------------------------------------------------------------------------------
IDENTITY_SEARCH_SECONDS = env.number(
    "IDENTITY_SEARCH_SECONDS",
    3.0,
    help="How long a search for a part of an identifier may take before it is refused with a remedy.",
)
IDENTITY_TTL_DAYS = env.integer(
    "IDENTITY_TTL_DAYS",
    0,
    help="Delete identities without overrides that no SDK asked for in so many days; 0 keeps them all.",
)

# ---------------------------------------------------------------------------------------------
# Counts
# ---------------------------------------------------------------------------------------------
ENABLE_API_USAGE_TRACKING = env.boolean(
    "ENABLE_API_USAGE_TRACKING", True, help="Count the requests of SDKs for each environment."
)
# As often as SDKs report. A process that is killed takes with it what it has counted since.
API_USAGE_CACHE_SECONDS = max(
    env.integer(
        "API_USAGE_CACHE_SECONDS",
        env.integer("PG_API_USAGE_CACHE_SECONDS", 10, help="Read when API_USAGE_CACHE_SECONDS is unset."),
        help="Seconds between two writes of what a process has counted of requests; at least 1.",
    ),
    1,
)
FEATURE_EVALUATION_CACHE_SECONDS = max(
    env.integer(
        "FEATURE_EVALUATION_CACHE_SECONDS",
        10,
        help="Seconds between two writes of what SDKs have reported to a process; at least 1.",
    ),
    1,
)
MAX_WAITING_COUNTS = env.integer(
    "MAX_WAITING_COUNTS",
    100_000,
    at_least=1,
    help="Different counts, of requests and of evaluations each, that may wait in a process to be written.",
)
MAX_WAITING_IDENTITY_READS = env.integer(
    "MAX_WAITING_IDENTITY_READS",
    10_000,
    at_least=1,
    help="Identities whose flags were read that may wait in a process for other services to be told of them.",
)
BUCKETED_ANALYTICS_DATA_RETENTION_DAYS = env.integer(
    "BUCKETED_ANALYTICS_DATA_RETENTION_DAYS",
    90,
    at_least=1,
    help="Days that what was counted is kept; it goes by whole weeks.",
)
RAW_ANALYTICS_DATA_RETENTION_DAYS = env.integer(
    "RAW_ANALYTICS_DATA_RETENTION_DAYS",
    30,
    at_least=1,
    help="Days that evaluations are kept for each identity; their sums stay as long as other counts.",
)

# ---------------------------------------------------------------------------------------------
# The audit log
# ---------------------------------------------------------------------------------------------
AUDIT_HISTORY_DAYS = env.integer(
    "AUDIT_HISTORY_DAYS",
    730,
    at_least=0,
    help="Days that changed rows are remembered, before and after; 0: for good. Audit records always are.",
)

# ---------------------------------------------------------------------------------------------
# Users and sign-in
# ---------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = [
    "accounts.lockout.LockoutBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LAST_LOGIN_UPDATE_THRESHOLD_MINUTES = env.integer(
    "LAST_LOGIN_UPDATE_THRESHOLD_MINUTES", 30, help="How exact a user's last login is kept."
)
MFA_ISSUER = env.text("MFA_ISSUER", "Burgee", help="Under which name an app shows the codes of this server.")
AXES_ENABLED = env.boolean("ENABLE_AXES", True, help="Lock an account after repeated failed logins.")
AXES_FAILURE_LIMIT = env.integer("AXES_FAILURE_LIMIT", 10, help="Failed logins before the lockout.")
AXES_COOLOFF_TIME = (
    env.number("AXES_COOLOFF_TIME", 15, help="Minutes a lockout lasts.") / 60
)  # axes counts hours
AXES_LOCKOUT_PARAMETERS = (
    ["username"]
    if env.boolean(
        "AXES_ONLY_USER_FAILURES", True, help="Count by user name only; false: by user name and address."
    )
    else [["username", "ip_address"]]
)
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # counting by account alone is the documented default
AXES_USERNAME_CALLABLE = "accounts.lockout.attempted_account"
AXES_CLIENT_IP_CALLABLE = "core.addresses.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "email", "password", "ip_address", "code", "ephemeral_token"]
ENABLE_EMAIL_ACTIVATION = env.boolean(
    "ENABLE_EMAIL_ACTIVATION", help="New accounts wait until the link in a mail is opened."
)
MAX_PASSWORD_RESET_EMAILS = env.integer(
    "MAX_PASSWORD_RESET_EMAILS", 5, help="Reset mails, and activation mails, that a user gets in a cool-down."
)
PASSWORD_RESET_EMAIL_COOLDOWN = env.integer(
    "PASSWORD_RESET_EMAIL_COOLDOWN", 86_400, help="Seconds of that cool-down."
)
SIGN_IN_METHODS_BY_DOMAIN = {
    domain.lower().removeprefix("@"): [method.strip() for method in methods.split("|")]
    for domain, methods in env.pairs(
        "SIGN_IN_METHODS_BY_DOMAIN",
        help="How addresses of a domain sign in: `acme.com=oidc:acme|google`; also `github`, `password`.",
    ).items()
}
GOOGLE_CLIENT_ID = env.text(
    "GOOGLE_CLIENT_ID", help="Client id of the dashboard's Google sign-in; empty: off."
)
GOOGLE_USERINFO_URL = env.text(
    "GOOGLE_USERINFO_URL",
    "https://www.googleapis.com/oauth2/v1/userinfo?alt=json",
    help="Where Google says who somebody is.",
)
GOOGLE_TOKENINFO_URL = env.text(
    "GOOGLE_TOKENINFO_URL",
    "https://oauth2.googleapis.com/tokeninfo",
    help="Where Google says for which application a token was made.",
)
GITHUB_CLIENT_ID = env.text("GITHUB_CLIENT_ID", help="Client id of the GitHub sign-in; empty: off.")
GITHUB_CLIENT_SECRET = env.text("GITHUB_CLIENT_SECRET", help="Its client secret.")
GITHUB_URL = env.text("GITHUB_URL", "https://github.com", help="GitHub, or an enterprise's own.").rstrip("/")
GITHUB_API_URL = env.text("GITHUB_API_URL", "https://api.github.com", help="Its API.").rstrip("/")
SLACK_CLIENT_ID = env.text(
    "SLACK_CLIENT_ID", help="Client id of a Slack app that projects may install; empty: none."
)
SLACK_CLIENT_SECRET = env.text("SLACK_CLIENT_SECRET", help="Its client secret.")
SLACK_URL = env.text("SLACK_URL", "https://slack.com", help="Slack, or its edition for governments.").rstrip(
    "/"
)
_oidc = env.slugs("OIDC_PROVIDERS", help="OpenID Connect providers that people sign in with: `acme,google`.")
_oidc_titles = env.texts(
    "OIDC_<NAME>_TITLE", _oidc, help="A provider's name on buttons; unset: its name here."
)
_oidc_issuers = env.texts("OIDC_<NAME>_ISSUER", _oidc, help="Its issuer, `https://…`, as discovery says it.")
_oidc_client_ids = env.texts("OIDC_<NAME>_CLIENT_ID", _oidc, help="This server's client id there.")
_oidc_client_secrets = env.texts(
    "OIDC_<NAME>_CLIENT_SECRET", _oidc, help="Its client secret there; unset for a public client."
)
_oidc_scopes = env.texts("OIDC_<NAME>_SCOPES", _oidc, "openid email profile", help="What is asked of it.")
_oidc_trusted = env.slugs(
    "OIDC_TRUST_ADDRESSES", help="Those whose addresses count where they don't say if they are verified."
)
OIDC_PROVIDERS: list[dict[str, Any]] = [
    {
        "slug": name,
        "title": _oidc_titles[name] or name.capitalize(),
        "issuer": _oidc_issuers[name],
        "client_id": _oidc_client_ids[name],
        "client_secret": _oidc_client_secrets[name],
        "scope": _oidc_scopes[name],
        "trusts_addresses": name in _oidc_trusted,
    }
    for name in _oidc
]
OIDC_REDIRECT_ORIGINS = env.items(
    "OIDC_REDIRECT_ORIGINS",
    help="Origins of dashboards that sign-ins, and ways to Slack, may end at, beside the site's own.",
)
PREVENT_SIGNUP = env.boolean("PREVENT_SIGNUP", help="Take no new accounts.")
ALLOW_REGISTRATION_WITHOUT_INVITE = env.boolean(
    "ALLOW_REGISTRATION_WITHOUT_INVITE", True, help="Take new accounts of people who weren't invited."
)
PREVENT_EMAIL_PASSWORD = env.boolean("PREVENT_EMAIL_PASSWORD", help="Let nobody sign in with a password.")
USER_CREATE_PERMISSIONS = env.items(
    "USER_CREATE_PERMISSIONS",
    ["rest_framework.permissions.AllowAny"],
    help="Permission classes that registering asks.",
)
USER_LOGIN_PERMISSIONS = env.items(
    "USER_LOGIN_PERMISSIONS",
    ["rest_framework.permissions.AllowAny"],
    help="Permission classes that signing in with a password asks.",
)

# ---------------------------------------------------------------------------------------------
# Cookie mode
# ---------------------------------------------------------------------------------------------
COOKIE_AUTH_ENABLED = env.boolean(
    "COOKIE_AUTH_ENABLED", help="Answer a sign-in with a cookie instead of a token."
)
USE_SECURE_COOKIES = env.boolean("USE_SECURE_COOKIES", True, help="Send cookies over TLS only.")
COOKIE_SAME_SITE = env.choice(
    "COOKIE_SAME_SITE",
    "LAX",
    ["LAX", "STRICT", "NONE"],
    help="Which other sites' pages send the cookie: lax, strict or none, which means all.",
).capitalize()
COOKIE_AUTH_JWT_ACCESS_TOKEN_LIFETIME_MINUTES = env.integer(
    "COOKIE_AUTH_JWT_ACCESS_TOKEN_LIFETIME_MINUTES",
    600,
    at_least=1,
    help="Minutes that a sign-in by cookie lasts.",
)
COOKIE_AUTH_JWT_SIGNING_KEY = env.text(
    "COOKIE_AUTH_JWT_SIGNING_KEY", help="Signs cookies; unset: the secret key."
)

# ---------------------------------------------------------------------------------------------
# Signing in to /admin/
# ---------------------------------------------------------------------------------------------
ENABLE_ADMIN_ACCESS_USER_PASS = env.boolean(
    "ENABLE_ADMIN_ACCESS_USER_PASS",
    help="Let people sign in to /admin/ with their password; local settings do unless this says no.",
)
ALLOWED_ADMIN_IP_ADDRESSES = env.items(
    "ALLOWED_ADMIN_IP_ADDRESSES", help="Addresses and networks that reach /admin/; unset: all."
)

# ---------------------------------------------------------------------------------------------
# Service routes
# ---------------------------------------------------------------------------------------------
AUTH_KEY = env.text("AUTH_KEY", help="Key of the service routes, such as /config; unset: they don't exist.")
# An underscore is a hyphen to WSGI, and dropped on the way there.
AUTH_HEADER = env.text("AUTH_HEADER", "X-AUTH-API-KEY", help="Header that brings it.").replace("_", "-")
AUTH_ALLOWED_CLIENT = env.text("AUTH_ALLOWED_CLIENT", "client", help="Name of whoever has it.")
REQUIRE_AUTH_KEY = env.boolean(
    "REQUIRE_AUTH_KEY",
    help="Demand that header of every request but those of SDKs and for health, /admin/ included.",
)

# ---------------------------------------------------------------------------------------------
# Beginning a new installation
# ---------------------------------------------------------------------------------------------
ALLOW_ADMIN_INITIATION_VIA_URL = env.boolean(
    "ALLOW_ADMIN_INITIATION_VIA_URL",
    True,
    help="Let a GET of /api/v1/users/init/ create the first superuser.",
)
ALLOW_ADMIN_INITIATION_VIA_CLI = env.boolean(
    "ALLOW_ADMIN_INITIATION_VIA_CLI", help="Let `manage.py bootstrap` and its single steps create anything."
)
ADMIN_USERNAME = env.text("ADMIN_USERNAME", help="User name of the superuser that those two create.")
ADMIN_EMAIL = env.text("ADMIN_EMAIL", "admin@example.com", help="E-mail address of that superuser.")
ADMIN_INITIAL_PASSWORD = env.text(
    "ADMIN_INITIAL_PASSWORD", help="Password of that superuser; unset: they choose one by a link."
)
ORGANISATION_NAME = env.text(
    "ORGANISATION_NAME", "Default Organisation", help="Name of the organisation that bootstrap creates."
)
PROJECT_NAME = env.text("PROJECT_NAME", "Default Project", help="Name of the project that bootstrap creates.")

# ---------------------------------------------------------------------------------------------
# HTTP
# ---------------------------------------------------------------------------------------------
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
    *env.items("CORS_ALLOWED_ORIGINS", help="Browser origins answered when not all are."),
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
]

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.cookies.CookieAuthentication",
        "users.authentication.TokenAuthentication",
        "organisations.authentication.MasterKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["permissions.callers.IsUser"],
    "DEFAULT_PARSER_CLASSES": [
        "core.parsers.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "core.pagination.DefaultPagination",
    "DEFAULT_SCHEMA_CLASS": "core.openapi.ReadableSchema",
    "DEFAULT_THROTTLE_RATES": {
        "login": env.rate(
            "LOGIN_THROTTLE_RATE",
            "20/min",
            help="Logins that an address may try, and that may be tried for an account.",
        ),
        "signup": env.rate("SIGNUP_THROTTLE_RATE", "10000/min", help="Registrations from one address."),
        "mfa_code": "5/min",
        "invite": "10/min",  # mails that an organisation's administrators send
        "user": env.rate(
            "USER_THROTTLE_RATE",
            "",
            help="Requests of a user, with UserRateThrottle in DEFAULT_THROTTLE_CLASSES.",
        )
        or None,
        "master_api_key": env.rate(
            "MASTER_API_KEY_THROTTLE_RATE",
            "",
            help="Requests with a master key, with MasterAPIKeyUserRateThrottle in DEFAULT_THROTTLE_CLASSES.",
        )
        or None,
    },
    "DEFAULT_THROTTLE_CLASSES": env.items(
        "DEFAULT_THROTTLE_CLASSES",
        help="Throttles of the management API: `core.throttling.UserRateThrottle`, "
        "`core.throttling.MasterAPIKeyUserRateThrottle`.",
    ),
    "EXCEPTION_HANDLER": "core.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is a parameter like any other
    "NUM_PROXIES": NUM_PROXIES,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Burgee API",
    "DESCRIPTION": "Feature flags, remote configuration and segments. Compatible with Flagsmith's API.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v[0-9]+",
    "SERVE_AUTHENTICATION": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.openapi.add_components",
        "environments.openapi.describe_revisions",
    ],
    # Named here and not by a hash of their values, so that a new value doesn't rename the type.
    "ENUM_NAME_OVERRIDES": {
        "DeliveryStatusEnum": "webhooks.models.DeliveryStatus",
        "FeatureTypeEnum": "features.models.feature.FeatureType",
        "HealthProviderNameEnum": "health.models.ProviderName",
        "OfrepErrorCodeEnum": "sdk.ofrep.errors.ErrorCode",
        "OfrepReasonEnum": "sdk.ofrep.items.Reason",
        "OperatorEnum": "segments.models.Operator",
        "RoleEnum": "organisations.models.MemberRole",
        "RuleTypeEnum": "segments.models.RuleType",
        "TagTypeEnum": "projects.models.TagType",
        "TransferStatusEnum": "features.models.transfers.TransferStatus",
        "ValueTypeEnum": "features.models.values.ValueType",
    },
}

# ---------------------------------------------------------------------------------------------
# Mail
# ---------------------------------------------------------------------------------------------
_mail = mail_settings(
    back_end=env.text(
        "EMAIL_BACKEND",
        help="Django mail back end; unset: SMTP, which is SendGrid's if SENDGRID_API_KEY is set.",
    ),
    smtp={
        "EMAIL_HOST": env.text("EMAIL_HOST", "localhost", help="SMTP server."),
        "EMAIL_PORT": env.integer("EMAIL_PORT", 587, help="Its port."),
        "EMAIL_HOST_USER": env.text("EMAIL_HOST_USER", help="User there; empty: don't sign in."),
        "EMAIL_HOST_PASSWORD": env.text("EMAIL_HOST_PASSWORD", help="Password there."),
        "EMAIL_USE_TLS": env.boolean("EMAIL_USE_TLS", True, help="Encrypt with STARTTLS."),
    },
    sendgrid_key=env.text("SENDGRID_API_KEY", help="API key of SendGrid."),
    ses=SesAccess(
        region=env.text("AWS_SES_REGION_NAME", "us-east-1", help="Region of Amazon SES."),
        endpoint=env.text("AWS_SES_REGION_ENDPOINT", help="Host of Amazon SES; unset: that of the region."),
        key_id=env.text("AWS_ACCESS_KEY_ID", help="AWS key that may send with Amazon SES."),
        secret=env.text("AWS_SECRET_ACCESS_KEY", help="Its secret."),
    ),
)
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _mail["EMAIL_USE_TLS"]
EMAIL_TIMEOUT = env.integer("EMAIL_TIMEOUT", 10, at_least=1, help="Seconds to wait for the mail server.")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text(
    "SENDER_EMAIL", "noreply@localhost", help="Address that mails come from."
)

# ---------------------------------------------------------------------------------------------
# What the product limits
# ---------------------------------------------------------------------------------------------
FEATURE_VALUE_LIMIT = env.integer("FEATURE_VALUE_LIMIT", 20_000, help="Longest feature value in characters.")
SEGMENT_CONDITION_VALUE_LIMIT = env.integer(
    "SEGMENT_CONDITION_VALUE_LIMIT", 1000, help="Longest value of a segment condition in characters."
)
SEGMENT_RULES_CONDITIONS_LIMIT = env.integer(
    "SEGMENT_RULES_CONDITIONS_LIMIT", 100, help="Most conditions in one segment."
)
DEFAULT_ORG_STORE_TRAITS_VALUE = env.boolean(
    "DEFAULT_ORG_STORE_TRAITS_VALUE", True, help="Whether new organisations store traits."
)
RESTRICT_ORG_CREATE_TO_SUPERUSERS = env.boolean(
    "RESTRICT_ORG_CREATE_TO_SUPERUSERS", help="Only superusers may create organisations."
)
DISABLE_INVITE_LINKS = env.boolean(
    "DISABLE_INVITE_LINKS", help="Nobody makes invitation links, joins or signs up by one."
)

# ---------------------------------------------------------------------------------------------
# OFREP
# ---------------------------------------------------------------------------------------------
OFREP_REQUIRE_TARGETING_KEY = env.boolean(
    "OFREP_REQUIRE_TARGETING_KEY",
    help="Refuse OFREP requests that don't say for whom flags are evaluated.",
)
OFREP_NATIVE_JSON = env.boolean(
    "OFREP_NATIVE_JSON",
    help="Answer texts that are JSON objects or floats as such to OFREP providers.",
)

# ---------------------------------------------------------------------------------------------
# The server's processes
# ---------------------------------------------------------------------------------------------
APP_HOST = env.text("APP_HOST", "0.0.0.0", help="Address to listen on.")  # noqa: S104  # containers need it
PORT = env.integer("PORT", 8000, help="Port to listen on.")
GUNICORN_WORKERS = env.integer("GUNICORN_WORKERS", 1, help="Server processes.")
GUNICORN_THREADS = env.integer(
    "GUNICORN_THREADS", 1, help="Threads of each process, for what isn't answered from memory."
)
GUNICORN_TIMEOUT = env.integer(
    "GUNICORN_TIMEOUT", 30, help="Seconds after which a stuck process is replaced."
)
GUNICORN_KEEP_ALIVE = env.integer(
    "GUNICORN_KEEP_ALIVE",
    2,
    help="Seconds an idle connection stays open; behind a load balancer, more than it keeps its own.",
)
MAX_WAITING_REQUESTS = env.integer(
    "MAX_WAITING_REQUESTS",
    200,
    help="Requests that may wait for a thread in each process; further ones get 503.",
)
MAX_STREAMS = env.integer(
    "MAX_STREAMS",
    20_000,
    help="Streams of changes that each process holds open; further ones get 503.",
)
ACCESS_LOG_LOCATION = env.text(
    "ACCESS_LOG_LOCATION", help="File of the access log, `-` for the output; empty: none."
)
ACCESS_LOG_FORMAT = env.text(
    "ACCESS_LOG_FORMAT",
    '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"',
    help="Format of its lines, in gunicorn's variables.",
)
STATSD_HOST = env.text("STATSD_HOST", help="Host of a StatsD server for gunicorn's metrics; empty: none.")
STATSD_PORT = env.integer("STATSD_PORT", 8125, help="Its port.")
STATSD_PREFIX = env.text("STATSD_PREFIX", "flagsmith.api", help="What the metrics' names begin with.")

# ---------------------------------------------------------------------------------------------
# Monitoring
# ---------------------------------------------------------------------------------------------
PROMETHEUS_ENABLED = env.boolean("PROMETHEUS_ENABLED", help="Count for Prometheus, and serve /metrics/.")
PROMETHEUS_MULTIPROC_DIR = env.text(
    "PROMETHEUS_MULTIPROC_DIR",
    help="Folder in which the server's processes share their figures; unset: one that the server makes.",
)

# ---------------------------------------------------------------------------------------------
# What dashboards are told at /config/project-overrides
# ---------------------------------------------------------------------------------------------
API_URL = env.text("API_URL", "/api/v1/", help="Where the dashboard finds the API.")
ASSET_URL = env.text("ASSET_URL", "/", help="Where it finds its own files.")
MAINTENANCE_MODE = env.boolean("MAINTENANCE_MODE", help="Have the dashboard say that it is being worked on.")
ENABLE_FLAGSMITH_REALTIME = env.boolean(
    "ENABLE_FLAGSMITH_REALTIME", True, help="Have the dashboard offer realtime updates."
)
DISABLE_ANALYTICS_FEATURES = env.boolean(
    "DISABLE_ANALYTICS_FEATURES",
    env.boolean("DISABLE_INFLUXDB_FEATURES", help="Read when DISABLE_ANALYTICS_FEATURES is unset."),
    help="Have the dashboard show no usage.",
)
FLAGSMITH_ANALYTICS = env.boolean("FLAGSMITH_ANALYTICS", help="Have the dashboard count its own use.")
FLAGSMITH_ON_FLAGSMITH_API_KEY = env.text(
    "FLAGSMITH_ON_FLAGSMITH_API_KEY", help="Client-side key of the dashboard's own flags."
)
FLAGSMITH_ON_FLAGSMITH_API_URL = env.text(
    "FLAGSMITH_ON_FLAGSMITH_API_URL", help="API that serves those; unset: the dashboard's default."
)
AMPLITUDE_API_KEY = env.text("AMPLITUDE_API_KEY", help="Key of Amplitude, for the dashboard.")
CRISP_CHAT_API_KEY = env.text("CRISP_CHAT_API_KEY", help="Key of Crisp, for the dashboard.")
GOOGLE_ANALYTICS_API_KEY = env.text(
    "GOOGLE_ANALYTICS_API_KEY", help="Key of Google Analytics, for the dashboard."
)
GITHUB_APP_URL = env.text("GITHUB_APP_URL", help="Page of a GitHub app, for the dashboard.")
HEADWAY_API_KEY = env.text("HEADWAY_API_KEY", help="Key of Headway, for the dashboard.")
LINKEDIN_PARTNER_TRACKING = env.text(
    "LINKEDIN_PARTNER_TRACKING", help="Partner id of LinkedIn, for the dashboard."
)
REO_API_KEY = env.text("REO_API_KEY", help="Key of Reo, for the dashboard.")
SENTRY_API_KEY = env.text("SENTRY_API_KEY", help="DSN of Sentry, for the dashboard in browsers.")

# ---------------------------------------------------------------------------------------------
# Work in the background
# ---------------------------------------------------------------------------------------------
RUN_BY_PROCESSOR = env.boolean(
    "RUN_BY_PROCESSOR", help="Whether TASK_RUN_METHOD is TASK_PROCESSOR where it is unset."
)
TASK_RUN_METHOD = env.choice(
    "TASK_RUN_METHOD",
    "TASK_PROCESSOR" if RUN_BY_PROCESSOR else "SEPARATE_THREAD",
    ["SEPARATE_THREAD", "TASK_PROCESSOR", "SYNCHRONOUSLY"],
    help="Where jobs run: a thread of each server process, `manage.py run-task-processor`, or the request.",
)
TASK_PROCESSOR_NUM_THREADS = env.integer(
    "TASK_PROCESSOR_NUM_THREADS", 5, at_least=1, help="Jobs that a task processor runs at the same time."
)
TASK_PROCESSOR_SLEEP_INTERVAL_MS = env.integer(
    "TASK_PROCESSOR_SLEEP_INTERVAL_MS",
    500,
    at_least=10,
    help="Milliseconds between two looks for jobs that other processes enqueued.",
)
TASK_PROCESSOR_GRACE_PERIOD_MS = env.integer(
    "TASK_PROCESSOR_GRACE_PERIOD_MS",
    20_000,
    help="Milliseconds that jobs have to end when a task processor is told to; then others get them.",
)
TASK_PROCESSOR_QUEUE_POP_SIZE = env.integer(
    "TASK_PROCESSOR_QUEUE_POP_SIZE",
    10,
    at_least=1,
    help="Most jobs that are taken at once; never more than there are threads free.",
)
TASK_BACKOFF_DEFAULT_DELAY_SECONDS = env.integer(
    "TASK_BACKOFF_DEFAULT_DELAY_SECONDS",
    5,
    help="Seconds before a job that failed is run again, doubled with each failure.",
)
ENABLE_TASK_PROCESSOR_HEALTH_CHECK = env.boolean(
    "ENABLE_TASK_PROCESSOR_HEALTH_CHECK", help="Have /health see whether a task processor runs a task."
)
ENABLE_CLEAN_UP_OLD_TASKS = env.boolean(
    "ENABLE_CLEAN_UP_OLD_TASKS", True, help="Delete jobs that were finished long ago."
)
TASK_DELETE_RETENTION_DAYS = env.integer(
    "TASK_DELETE_RETENTION_DAYS", 30, help="Days that a finished job stays to be looked at."
)
RECURRING_TASK_RUN_RETENTION_DAYS = env.integer(
    "RECURRING_TASK_RUN_RETENTION_DAYS", 30, help="The same for runs of recurring tasks."
)
TASK_DELETE_INCLUDE_FAILED_TASKS = env.boolean(
    "TASK_DELETE_INCLUDE_FAILED_TASKS", help="Delete jobs that died, too."
)
TASK_DELETE_BATCH_SIZE = env.integer(
    "TASK_DELETE_BATCH_SIZE", 2000, at_least=1, help="Jobs that one statement deletes."
)
TASK_DELETE_RUN_TIME = env.time_of_day(
    "TASK_DELETE_RUN_TIME", "01:00", help="When that begins, by the 24-hour clock, in UTC."
)
TASK_DELETE_RUN_EVERY = env.integer(
    "TASK_DELETE_RUN_EVERY", 86_400, at_least=1, help="Seconds between two times."
)

# ---------------------------------------------------------------------------------------------
# Static files, language, logs
# ---------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = API_DIR / "static"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
LOG_LEVEL = env.choice(
    "LOG_LEVEL",
    "WARNING",
    ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    help="The least that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"generic": {"format": "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"}},
    "filters": {"mask_keys": {"()": "core.masking.MaskKeys"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "generic"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Django's own handler would say in debug mode what the root's has said.
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL},
        "django.request": {"filters": ["mask_keys"]},
    },
}
